# The two commands of the README are `make demo` and `make test`; both set up what they need.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# Processes that share the tests, file by file; each has a NATS and a PostgreSQL of its own.
WORKERS ?= 2
MUTANTS_STAMP := .mutants/venv/.installed
COMPILE := $(BIN)/uv pip compile --quiet --generate-hashes --universal --no-header --no-emit-index-url --python-version 3.11

.PHONY: setup demo test lint types imports unit docs proof simulate simulate-power chaos recordings mutants lock clean

setup: $(STAMP)

$(STAMP): requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Watchkeeper needs Python 3.11 or newer; found: $$($(PYTHON) --version). Set PYTHON=/path/to/python3.11"; exit 2; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "Python's venv module is missing. On Debian: apt-get install python3-venv"; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r requirements.lock
	@touch $(STAMP)

demo: setup
	$(BIN)/python run.py demo

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(BIN)/mypy

imports: setup
	$(BIN)/lint-imports

unit: setup
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile

# The order puts pytest's own summary last.
test: lint types imports unit

# The generated tables of docs/specification.md; a test fails when they drift.
docs: setup
	$(BIN)/python -m tests.house.generate

# docs/proof.md: each lesson, fault, kill point and invariant with the tests that name it, or the order that owes it.
proof: setup
	$(BIN)/python -m tests.house.proof

# Random worlds from seeds, two at a time; from 2,000 seeds on into docs/proof.md. The full run: SEEDS=20000 EVENTS=2000
SEEDS ?= 300
FIRST ?= 1
EVENTS ?= 1000
simulate: setup
	$(BIN)/python -m tests.simulation.run --seeds $(SEEDS) --first $(FIRST) --events $(EVENTS) --workers $(WORKERS)

# Bugs planted one by one, and the seed that catches each; into docs/proof.md.
simulate-power: setup
	$(BIN)/python -m tests.simulation.power --workers $(WORKERS)

# The real process between real servers, killed, paused, cut off; what has tried every fault goes into docs/proof.md. The full run: ROUNDS=300
ROUNDS ?= 10
chaos: setup
	$(BIN)/python -m tests.chaos.run --rounds $(ROUNDS) --first $(FIRST) --workers $(WORKERS)

# The histories in tests/replay/histories anew: after a rule was changed on purpose, with a line in CHANGELOG.md that says so.
recordings: setup
	$(BIN)/python -m tests.replay.recordings

# Small mistakes, one at a time, and whether a test notices; into docs/proof.md. Hours; less: ONLY=actors/rules/trade, SAMPLE=300
mutants: $(MUTANTS_STAMP)
	.mutants/venv/bin/python -m tests.mutants.run --children $(WORKERS) $(if $(SAMPLE),--sample $(SAMPLE)) $(ONLY)

$(MUTANTS_STAMP): requirements.lock requirements.mutants.lock
	$(PYTHON) -m venv .mutants/venv
	.mutants/venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r requirements.lock -r requirements.mutants.lock
	@touch $(MUTANTS_STAMP)

# Pins every dependency with its hashes; names no index host.
lock: setup
	$(BIN)/python -m pip install --quiet uv
	$(COMPILE) --group dev pyproject.toml -o requirements.lock
	$(COMPILE) --group mutants -c requirements.lock -o requirements.mutants.lock

clean:
	rm -rf $(VENV) .mutants .mypy_cache .ruff_cache .pytest_cache .hypothesis

"""The rules of the house that no linter knows."""

import ast
import os
import re
import subprocess
import sys
from urllib.parse import urlsplit

from tests.house.notice_examples import examples
from tests.house.source import ROOT, calls, files, functions, imported, lines, modules, name, ours

MODULE_LINES_MAX = 300
LONG_MODULES = {
    "actors/serving.py": "the two ways into one start, side by side: they must not drift apart",
    "actors/house.py": "the wiring of every actor in one place",
    "actors/rules/catalog.py": "one table",
    "actors/rules/coverage/board.py": "over the limit: to be parted",
    "actors/rules/stops/engine.py": "over the limit: to be parted",
    "actors/rules/stops/lenses.py": "over the limit: to be parted",
    "bus/messages/plain.py": "the one place that reads and writes money and time",
    "bus/messages/trades.py": "one vocabulary",
    "bus/wire.py": "over the limit: to be parted",
    "config/settings.py": "one table of every process setting",
    "db/store.py": "over the limit: to be parted",
}
"""Modules that may be longer, each with its reason."""

SLEEPS = {
    ("bus/connection.py", "_drain"): "gives way to the writer",
    ("bus/pulse.py", "_beat"): "the rhythm of the round trip that measures liveness",
    ("bus/player.py", "keep"): "a recording's own pace",
    ("bus/recorded_feed.py", "keep"): "a recording's own pace",
    ("db/store.py", "_back_off"): "back-off with jitter before a transaction is tried again, bounded",
}
"""Where a sleep is a rhythm or a bounded back-off, and no polling."""

DOORS = {
    ("run.py", "main"): "a fault becomes an exit code",
    ("actors/replay/freezing.py", "thaw"): "whatever is wrong with foreign bytes, they are no engine",
    ("actors/replay/performance.py", "_run"): "carried from the demo's thread to the one that can tell it",
    ("actors/away_store.py", "commit"): "whatever keeps the record shut, the stops go on",
    ("actors/database.py", "_answer"): "whoever asked always gets an answer",
    ("actors/by_hand.py", "begin"): "what pykka's loop does: the root hears of it and builds another",
    ("actors/by_hand.py", "give_turn"): "what pykka's loop does: the root hears of it and builds another",
    ("actors/supervisor.py", "_start"): "to fail in being built is to die: it is counted, and built again",
    ("actors/replay/strands.py", "_run"): "raised again where the scheduler stands",
    ("bus/client.py", "_deliver"): "bus callback: an exception would end the read loop for good",
    ("bus/connection.py", "_call"): "bus callback: an exception would end reconnecting for good",
    ("bus/connection.py", "open"): "bus callback: closing what never opened",
    ("bus/connection.py", "close"): "bus callback: closing whatever state the library is in",
    ("bus/recorder/recorder.py", "_write"): "whatever it is, it costs entries of the recording and no trade",
    ("bus/venues.py", "_error_of"): "bus callback: whoever asked always gets an answer",
}
"""Where any exception at all may be caught and not raised again."""

FLOATS = {
    ("actors/outside/probes.py", "_coverage"): "seconds for Prometheus, which knows nothing else",
    ("actors/serving.py", "stop"): "seconds to wait, no money",
    ("bus/player.py", "_speed"): "how much faster than life, no money",
    ("bus/recorded_feed.py", "_speed"): "how much faster than life, no money",
    ("db/migration/cells.py", "cell_of"): "what SQLite holds is given back as it was",
    ("db/migration/conversions/numbers.py", "_there"): "a REAL column's own numbers, bit for bit",
    ("db/migration/conversions/numbers.py", "_back"): "what SQLite holds is given back as it was",
    ("db/migration/verifying/short.py", "made"): "what SQLite holds must come back as it was",
    ("db/migration/verifying/short.py", "_field"): "what SQLite would hold, to prove what becomes of it",
}
"""Where a float is made, of something that is neither money nor a quantity."""

THREADS = {
    ("actors/turns.py", "start"): "one for each actor, or for those that share it",
    ("actors/turns.py", "readers"): "a pool as large as `postgres.readers`",
    ("actors/watchdog.py", "__init__"): "one for the process",
    ("actors/outside/probes.py", "__init__"): "one for the process",
    ("actors/replay/strands.py", "__init__"): "one for each actor of the demo",
    ("actors/replay/stage.py", "__init__"): "one for the demo's strategy",
    ("bus/loop.py", "__init__"): "one for the wire",
    ("bus/recorder/recorder.py", "__init__"): "one for the process",
    ("config/background.py", "step_back"): "one for the process, which works for another one and ends",
    ("actors/outside/checkpointing.py", "written"): "one at a time, while a checkpoint is made",
    ("actors/outside/recorded_ranges.py", "tell_ranges"): "one for the start",
    ("config/logging.py", "__init__"): "one for the process",
    ("db/migration/snapshot.py", "_checked"): "one for the command",
    ("db/migration/verifying/crew.py", "compare_all"): "one for the command, which has `--workers` processes",
    ("actors/replay/performance.py", "play"): "two for the demo",
}
"""Where a thread is made, and how many there will be: never one for each trade, message or notice."""

CONNECTS = {
    "db/connections.py": "the one owner, in `serve` and the demo",
    "db/check.py": "`check`: one, closed at its end",
    "db/commands.py": "`db`: one for each command, closed at its end",
    "db/migration/copying/sessions.py": "`migrate`: one for each worker, closed at its end",
    "db/migrations.py": "`db` and the look at the schema: one, closed at its end",
}
"""Who may connect to PostgreSQL."""

FORBIDDEN_NAMES = re.compile(r"Manager|Helper|Utils?$|(?<!Data)Base$|(^|_)(manager|helper|helpers|util|utils)($|_)")
PURE = frozenset(
    {
        "abc", "bisect", "collections", "contextlib", "dataclasses", "datetime", "decimal", "difflib", "enum", "fractions", "functools", "hashlib", "heapq",
        "itertools", "math", "operator", "re", "typing", "msgspec", "sortedcontainers", "actors", "bus",
    }
)  # fmt: skip
"""What actors.rules may import, by first word; of ours only actors.rules and bus.messages."""


def within(tree: ast.Module, node: ast.AST) -> str:
    """Return the innermost function around `node`."""
    line = node.lineno if isinstance(node, ast.expr | ast.stmt | ast.excepthandler) else 0
    around = [f for f in functions(tree) if f.lineno <= line <= (f.end_lineno or f.lineno)]
    return max(around, key=lambda f: f.lineno).name if around else ""


def test_every_function_fits_on_a_screen() -> None:
    long = [(module, f.name, lines(f)) for module, tree in ours().items() for f in functions(tree) if lines(f) > 70]

    assert long == []


def test_nine_functions_in_ten_fit_in_the_head() -> None:
    sizes = sorted(lines(f) for tree in ours().values() for f in functions(tree))

    assert sum(size < 30 for size in sizes) >= 0.9 * len(sizes)


def test_every_module_is_short_or_says_why_not() -> None:
    sizes = {module: len((ROOT / module).read_text().splitlines()) for module in ours()}

    assert {module for module, size in sizes.items() if size > MODULE_LINES_MAX} <= set(LONG_MODULES)


def test_nothing_polls() -> None:
    """A sleep outside tests is a listed rhythm or back-off, or a defect (DESIGN idea 4)."""
    sleeps = {
        (module, within(tree, node))
        for module, tree in ours().items()
        for called, node in calls(tree)
        if called == "sleep"
    }

    assert sleeps - set(SLEEPS) == set()


def catches_everything(node: ast.AST) -> bool:
    """Whether any exception ends here: a handler that raises again is a filter, no door."""
    if isinstance(node, ast.ExceptHandler):
        caught = "" if node.type is None else ast.unparse(node.type)
        raises_again = any(isinstance(inner, ast.Raise) and inner.exc is None for inner in ast.walk(node))
        return not raises_again and (node.type is None or bool(re.search(r"\b(Base)?Exception\b", caught)))
    if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("suppress"):
        return any(ast.unparse(each) in {"Exception", "BaseException"} for each in node.args)
    return False


def test_every_exception_is_caught_at_the_doors_only() -> None:
    """Lesson 15 (its part of order 1): no exception is swallowed on the way."""
    found = {
        (module, within(tree, node))
        for module, tree in ours().items()
        for node in ast.walk(tree)
        if catches_everything(node)
    }

    assert found - set(DOORS) == set()


def test_no_float_is_made_near_money() -> None:
    """Fault 35, lesson 63: exact numbers are never made floats on their way."""
    found = {
        (module, within(tree, node))
        for module, tree in ours().items()
        for called, node in calls(tree)
        if called == "float"
    }

    exact = {place for place in found if place[0].startswith(("actors/rules/", "bus/messages/", "db/"))}
    assert {place for place in exact if not place[0].startswith("db/migration/")} == set()
    assert found - set(FLOATS) == set()


def annotations(tree: ast.Module) -> list[ast.expr]:
    """Return every annotation of a module: of fields, parameters and results."""
    found = [
        node.annotation for node in ast.walk(tree) if isinstance(node, ast.AnnAssign | ast.arg) and node.annotation
    ]
    return [*found, *(f.returns for f in functions(tree) if f.returns)]


def test_no_rule_is_annotated_with_a_float() -> None:
    """Fault 35"""
    found = [
        (module, annotation.lineno)
        for module, tree in ours().items()
        if module.startswith("actors/rules/")
        for annotation in annotations(tree)
        if re.search(r"\bfloat\b", ast.unparse(annotation))
    ]

    assert found == []


def test_no_decimal_is_made_of_a_float_literal() -> None:
    """Fault 35: `Decimal(0.1)` is not a tenth."""
    found = [
        (module, node.lineno)
        for module, tree in modules().items()
        for called, node in calls(tree)
        if called == "Decimal"
        and any(isinstance(arg, ast.Constant) and isinstance(arg.value, float) for arg in node.args)
    ]

    assert found == []


def test_decisions_import_nothing_impure() -> None:
    """Fault 38 (its part of order 1): a rule has no clock of its own."""
    wrong = [
        (module, other)
        for module, tree in ours().items()
        if module.startswith("actors/rules/")
        for other in imported(tree)
        if other.split(".")[0] not in PURE
        or (other.split(".")[0] == "actors" and not other.startswith("actors.rules"))
        or (other.split(".")[0] == "bus" and not other.startswith("bus.messages"))
    ]

    assert wrong == []


def test_decisions_read_no_clock() -> None:
    """Fault 38 (its part of order 1): `datetime` may say an instant in words, never which one it is."""
    wrong = [
        (module, node.lineno)
        for module, tree in ours().items()
        if module.startswith("actors/rules/")
        for called, node in calls(tree)
        if called in {"now", "utcnow", "today", "time_ns", "uuid4"}
    ]

    assert wrong == []


def test_nothing_is_called_by_an_empty_name() -> None:
    wrong = [
        (module, node.name)
        for module, tree in ours().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and FORBIDDEN_NAMES.search(node.name)
    ]
    wrong += [
        (module, "") for module in modules() if FORBIDDEN_NAMES.search(module.rpartition("/")[2].removesuffix(".py"))
    ]

    assert wrong == []


def test_no_actor_asks_another() -> None:
    """Fault 43, lesson 47: the graph of questions between actors has no edge, hence no cycle."""
    asking = [
        (module, node.lineno)
        for module, tree in ours().items()
        if module.startswith("actors/") and any(other.startswith("pykka") for other in imported(tree))
        for called, node in calls(tree)
        if called in {"ask", "proxy"}
    ]

    assert asking == []


def test_threads_are_made_in_listed_places_alone() -> None:
    """Lesson 31: their number does not grow with trades, messages or notices."""
    found = {
        (module, within(tree, node))
        for module, tree in ours().items()
        for called, node in calls(tree)
        if called in {"Thread", "ThreadPoolExecutor", "start_new_thread", "ProcessPoolExecutor"}
    }

    assert found - set(THREADS) == set()


def test_nobody_but_the_life_of_its_trade_makes_an_order() -> None:
    """Lesson 31: one owner. bus/adapters asks an executor of its own, without trades."""
    making = {
        module
        for module, tree in ours().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"OrderSubmit", "OrderCancel"}
    }

    assert {module for module in making if not module.startswith("bus/adapters/")} == {
        "actors/rules/trade/attempts.py",
        "actors/rules/trade/draft.py",
        "actors/rules/trade/entries.py",
    }


def test_nobody_but_the_desk_moves_a_trade_through_its_life() -> None:
    """Lesson 31: one owner."""
    moving = {module for module, tree in ours().items() if moves_trades(tree)}

    assert {module.rpartition("/")[0] for module in moving} == {"actors/rules/desk"}


def moves_trades(tree: ast.Module) -> bool:
    """Whether a module of ours imports the one door of a trade's life."""
    return "actors.rules.trade.lifecycle" in imported(tree) or any(
        isinstance(node, ast.ImportFrom)
        and node.module == "actors.rules.trade"
        and any(alias.name == "lifecycle" for alias in node.names)
        for node in ast.walk(tree)
    )


def test_connections_to_postgresql_have_one_owner() -> None:
    """Lesson 49"""
    openers = {"psycopg.connect", "psycopg.Connection.connect", "BoundedConnection.connect", "ConnectionPool"}
    found = {
        module
        for module, tree in ours().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) in openers
    }

    assert found == set(CONNECTS)


def test_the_independent_check_imports_nothing_of_ours() -> None:
    rooms = ("actors", "bus", "config", "db", "run")
    wrong = [
        (module, other)
        for module, tree in modules().items()
        if module.startswith("tests/acceptance/independent")
        for other in imported(tree)
        if other.split(".")[0] in rooms
    ]

    assert wrong == []


def test_every_function_that_says_a_notice_has_an_example_in_the_documents() -> None:
    says = {
        f"{module.removesuffix('.py').replace('/', '.')}.{function.name}"
        for module, tree in ours().items()
        for function in functions(tree)
        if function.returns and ast.unparse(function.returns) == "Notice" and not function.name.startswith("_")
    }

    assert says - {example.said_by for example in examples()} == set(), "add it to notice_examples.py"


def test_the_top_level_holds_nothing_but_what_the_design_fixes() -> None:
    allowed = {
        "pyproject.toml", "actors", "bus", "db", "config", "tests", "run.py", "README.md", "Makefile", "requirements.lock", "requirements.mutants.lock",
        ".pre-commit-config.yaml", ".ci", ".gitignore", "CHANGELOG.md", "LICENSE", "docs",
    }  # fmt: skip

    assert {name(path).split("/")[0] for path in files()} <= allowed


def index_hosts() -> set[str]:
    """Return what this machine's package installers are told to use: hosts, and folders."""
    told = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, timeout=60, check=False
    ).stdout
    told += "\n".join(value for key, value in os.environ.items() if key.startswith(("PIP_", "UV_")))
    return {
        place
        for url in re.findall(r"(?:https?|file)://[^\s'\"]+", told)
        if (place := urlsplit(url).hostname or urlsplit(url).path)
    }


def test_no_committed_file_names_an_index() -> None:
    """The lock pins what is installed, not where it comes from."""
    places = index_hosts()
    wrong = [
        (name(path), place)
        for path in files()
        if path.suffix != ".gz"
        for text in (path.read_bytes().decode(errors="replace"),)
        for place in places
        if place in text
    ]

    assert wrong == []
    lock = (ROOT / "requirements.lock").read_text()
    assert not re.search(r"^\s*(-i|--(extra-)?index-url|--find-links|--trusted-host)|://", lock, re.MULTILINE)


def test_every_pinned_package_has_its_hashes() -> None:
    pins = re.split(r"\n(?=[a-z0-9])", (ROOT / "requirements.lock").read_text())

    assert [pin.splitlines()[0] for pin in pins if "==" in pin and "--hash=sha256:" not in pin] == []

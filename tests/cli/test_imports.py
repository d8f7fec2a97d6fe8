"""A command imports its own room and no other: who types it waits for nothing else."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import run

ROOT = Path(run.__file__).parent
NATS, POSTGRES, MOVE = {"nats", "asyncio"}, {"psycopg", "psycopg_pool", "yoyo"}, {"sqlglot", "db.migration"}
ACTORS, PICTURES = {"pykka", "actors.engines"}, {"rich", "plotly"}
ABSENT = {
    "bench": NATS | POSTGRES | MOVE | ACTORS,
    "check": MOVE | ACTORS,
    "contract": NATS | POSTGRES | MOVE | ACTORS | PICTURES,
    "db": {"nats"} | MOVE | ACTORS,
    "demo": MOVE,
    "events": POSTGRES | MOVE | ACTORS,
    "explain": NATS | POSTGRES | MOVE | ACTORS | PICTURES | {"loguru"},
    "migrate": NATS | POSTGRES | ACTORS | {"sqlglot"},
    "replay": NATS | POSTGRES | MOVE | ACTORS | PICTURES | {"loguru"},
    "serve": MOVE | PICTURES,
    "settings": POSTGRES | MOVE | ACTORS,
    "stop": POSTGRES | MOVE | ACTORS,
    "system": POSTGRES | MOVE | ACTORS,
    "trade": POSTGRES | MOVE | ACTORS,
}
"""By command, what is not imported when its room is opened."""


def modules_after(program: str, *arguments: str) -> set[str]:
    """Return the modules of an interpreter that has run `program`."""
    ended = subprocess.run(
        [sys.executable, "-c", f"{program}\nimport sys, json; print(json.dumps(sorted(sys.modules)))", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return set(json.loads(ended.stdout.splitlines()[-1]))


@pytest.mark.parametrize("name", run.ROOMS)
def test_a_command_imports_no_room_but_its_own(name: str) -> None:
    found = modules_after(f"import run; run.room({name!r})")

    assert found & ABSENT[name] == set()


def test_an_explanation_builds_no_engine_but_that_of_the_stops() -> None:
    task = json.dumps({"place": "tests/replay/histories/netted.wkr", "trade_id": "t1", "explains": True, "json": True})

    found = modules_after("import sys; from actors.replay.process import main; assert main(sys.argv[1]) == 0", task)

    assert "actors.rules.stops.engine" in found
    others = {
        "actors.rules.desk.desk",
        "actors.rules.coverage.board",
        "actors.rules.reconcile.reconciler",
        "actors.paper_venue",
    }
    assert found & (others | PICTURES | {"cyclopts", "pykka", "loguru"}) == set()

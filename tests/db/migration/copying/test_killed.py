"""kill -9 during a copy: nobody sees anything of it, and the next run makes of it what an undisturbed one would have made."""

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from db.migration.conversions.texts import Text
from db.migration.plan_file import write
from db.migration.plan_words import Column, ForeignKey, Plan, Sequence, Unique, View
from tests.db.migration.copying.conftest import Ask, Copying, Making
from tests.db.migration.copying.killing import OWNERS, PIECE_ROWS
from tests.db.migration.copying.test_copy import of_table
from tests.db.migration.plans import plain_plan
from tests.house.source import ROOT

Killing = Callable[..., int]
ROWS = [(number, f"name {number}" if number != 6 else "x\0", max(0, number - 2) or None) for number in range(1, 12)]
ROWS += [(12, "name 1", 1), (13, "an orphan", 99)]
PLACES = [
    *(("snapshots", "before", "1"), ("snapshots", "after", "1"), ("begin", "after", "1"), ("note table", "after", "1")),
    *(("lay out", "after", "1"), ("work", "before", "1"), ("worker", "before", "1"), ("take piece", "after", "1")),
    *(
        ("make rows", "after", "1"),
        ("make rows", "after", "2"),
        ("quarantine", "after", "1"),
        ("note piece", "before", "1"),
    ),
    *(
        ("note piece", "after", "2"),
        ("commit", "before", "4"),
        ("piece", "after", "1"),
        ("piece", "after", "3"),
        ("work", "after", "1"),
    ),
    *(("make key", "before", "1"), ("make key", "after", "1"), ("sweep", "after", "1"), ("turn back", "after", "2")),
    *(("note step", "after", "2"), ("step", "after", "3"), ("sequence", "after", "1"), ("views", "after", "1")),
    *(("count", "after", "1"), ("note whole", "before", "1"), ("note whole", "after", "1"), ("publish", "after", "1")),
]
STANDS = (
    "SELECT * FROM moved.people ORDER BY id",
    "SELECT * FROM moved.names ORDER BY 1",
    "SELECT place, column_name, reason, columns, classes, cells FROM migration_quarantine.rows ORDER BY place",
    "SELECT number, rows, left_behind FROM migration_quarantine.tables",
    "SELECT piece, low, high, copied, quarantined FROM migration_quarantine.pieces ORDER BY piece",
    "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'moved'::regnamespace ORDER BY 1",
    "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'arriving%'",
    "INSERT INTO moved.people (name) VALUES ('new') RETURNING id",
)


@pytest.fixture
def plan(made: Making, tmp_path: Path) -> Plan:
    """A plan whose copy passes every place: dirty rows, twins, orphans, a sequence, a view."""
    path = made("CREATE TABLE people (id INTEGER PRIMARY KEY, name, boss)", people=ROWS)
    return replace(
        of_table(
            plain_plan(path, folder=tmp_path),
            columns=(
                *plain_plan(path, folder=tmp_path).tables[0].columns[::2],
                Column(name="name", type="text", conversion=Text(), sources=("name",)),
            ),
            uniques=(Unique(name="one_name", parts=("name",)),),
            foreign_keys=(ForeignKey(name="to_boss", columns=("boss",), table="people", references=("id",)),),
            sequence=Sequence(column="id", at_least=40),
        ),
        views=(View(source="old", name="names", sqlite="", sql="SELECT name FROM people"),),
    )


@pytest.fixture
def undisturbed(plan: Plan, copied: Copying, ask: Ask) -> list[object]:
    """What stands after a copy that nobody killed; it is taken away again."""
    copied(plan, piece_rows=PIECE_ROWS)
    stood: list[object] = [ask(query) for query in STANDS]
    ask("DROP SCHEMA moved, migration_quarantine CASCADE")
    return stood


@pytest.fixture
def killed_at(plan: Plan, target_dsn: str, tmp_path: Path) -> Killing:
    """Copy in a process that dies at a place; returns how it ended."""
    (tmp_path / "plan.toml").write_text(write(plan))
    arguments = [str(tmp_path / "plan.toml"), str(tmp_path / "snapshots"), target_dsn]

    def run(*where: str) -> int:
        command = [sys.executable, "-m", "tests.db.migration.copying.killing", *where, *arguments]
        return subprocess.run(command, cwd=ROOT, check=False).returncode

    return run


@pytest.fixture
def go_on(plan: Plan, copied: Copying) -> Callable[[], object]:
    """Copy in this process."""
    return lambda: copied(plan, piece_rows=PIECE_ROWS)


@pytest.mark.parametrize("where", PLACES, ids=" ".join)
def test_a_copy_that_was_killed_goes_on(
    undisturbed: list[object], killed_at: Killing, go_on: Callable[[], object], ask: Ask, where: tuple[str, str, str]
) -> None:
    """Fault 59, Fault 60: nothing twice, nothing lost, nothing seen of a half."""
    assert killed_at(*where) == -signal.SIGKILL
    if where[0] != "publish":
        assert ask("SELECT to_regnamespace('moved')") == [(None,)]

    go_on()

    assert [ask(query) for query in STANDS] == undisturbed


def test_every_place_is_one_where_a_copy_is_killed() -> None:
    assert {place for place, *_ in PLACES} == set(OWNERS)
    assert len(PLACES) >= 20

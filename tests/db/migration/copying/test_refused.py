"""What a copy refuses before anything is written, and what nobody sees before it is whole."""

import hashlib
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from msgspec.structs import replace

from db.embedded import EmbeddedPostgres
from db.migration.copying.checks import CopyRefused
from db.migration.copying.copy import copy
from db.migration.copying.finishing import CountsDiffer, Finish
from db.migration.copying.sessions import connected
from db.migration.copying.standing import Standing
from db.migration.plan_file import PlanRefused
from db.migration.plan_words import Plan, Question, Unique, View
from db.migration.sqlite_files import SourceRefused
from db.migration.verifying.verify import verify
from tests.db.migration.copying.conftest import Ask, Copying, Making, Silent
from tests.db.migration.copying.test_copy import PEOPLE, of_table
from tests.db.migration.plans import plain_plan

SCHEMAS = "SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname NOT IN ('public', 'information_schema')"


@pytest.fixture
def plan(made: Making, tmp_path: Path) -> Plan:
    """A plan of one small table."""
    return plain_plan(made(PEOPLE, people=[(1, "Ada", 1815), (2, "Eve", 1990)]), folder=tmp_path)


def test_a_target_that_is_not_empty_is_refused(plan: Plan, copied: Copying, ask: Ask) -> None:
    ask("CREATE SCHEMA moved")
    ask("CREATE TABLE moved.people ()")

    with pytest.raises(CopyRefused, match=r"moved\.people stands already"):
        copied(plan)
    assert ask(SCHEMAS) == [("moved",)]


def test_rows_in_a_table_that_must_stand_are_refused(plan: Plan, copied: Copying, ask: Ask) -> None:
    ask("CREATE SCHEMA moved")
    ask("CREATE TABLE moved.people AS SELECT 1::bigint AS id, 'x' AS name, 3::bigint AS born")

    with pytest.raises(CopyRefused, match="is not empty"):
        copied(of_table(plan, existing=True))


def test_a_role_that_may_not_is_refused(
    plan: Plan, copied: Copying, ask: Ask, postgres_server: EmbeddedPostgres
) -> None:
    ask("DROP ROLE IF EXISTS nobody_much")
    ask("CREATE ROLE nobody_much LOGIN PASSWORD 'x'")
    ((database,),) = ask("SELECT current_database()")

    with pytest.raises(CopyRefused, match="GRANT CREATE ON DATABASE"):
        copied(plan, dsn=postgres_server.dsn("nobody_much", "x", database=str(database)))
    assert ask(SCHEMAS) == []


@pytest.mark.parametrize(
    ("granted", "said"),
    [
        ("", "may not work in schema migration_quarantine"),
        (
            "GRANT USAGE, CREATE ON SCHEMA migration_quarantine TO stranger",
            "may not read and write pieces, rows, runs, steps, tables",
        ),
    ],
)
def test_a_role_that_may_not_see_what_was_noted_is_refused(  # noqa: PLR0917  # a role of its own, in a database of its own
    plan: Plan, copied: Copying, ask: Ask, postgres_server: EmbeddedPostgres, granted: str, said: str
) -> None:
    copied(plan)
    ask("CREATE ROLE stranger LOGIN PASSWORD 'x'")
    ((database,),) = ask("SELECT current_database()")
    ask(f"GRANT CREATE ON DATABASE {database} TO stranger; {granted}")

    with pytest.raises(CopyRefused, match=said):
        copied(plan, dsn=postgres_server.dsn("stranger", "x", database=str(database)))

    ask("DROP OWNED BY stranger; DROP ROLE stranger")


def test_a_session_that_cannot_write_is_refused(plan: Plan, copied: Copying, target_dsn: str) -> None:
    with pytest.raises(CopyRefused, match="takes no writes"):
        copied(plan, dsn=psycopg.conninfo.make_conninfo(target_dsn, options="-c default_transaction_read_only=on"))


def test_a_plan_that_asks_something_still_is_refused(plan: Plan, copied: Copying, ask: Ask) -> None:
    with pytest.raises(PlanRefused, match="has no answer"):
        copied(replace(plan, questions=(Question(name="zone", asks="Which zone?"),)))
    assert ask(SCHEMAS) == []


def test_a_source_that_changed_since_the_plan_is_refused(plan: Plan, copied: Copying, ask: Ask) -> None:
    """Fault 59: a consistent snapshot, or a refusal."""
    with closing(sqlite3.connect(plan.sources[0].path)) as connection:
        connection.execute("UPDATE people SET name = 'Bea' WHERE id = 2")
        connection.commit()

    with pytest.raises(SourceRefused, match="has changed since the plan was made"):
        copied(plan)
    assert ask(SCHEMAS) == []


@pytest.mark.parametrize("harm", ["gone", "locked", "cut"])
def test_a_source_that_cannot_be_read_is_refused(plan: Plan, copied: Copying, ask: Ask, harm: str) -> None:
    """Fault 59."""
    path = Path(plan.sources[0].path)
    with closing(sqlite3.connect(path)) as connection:
        if harm == "locked":
            connection.execute("BEGIN EXCLUSIVE")
        if harm == "gone":
            path.unlink()
        if harm == "cut":
            path.write_bytes(path.read_bytes()[:3000])

        with pytest.raises(SourceRefused):
            copied(plan)
    assert ask(SCHEMAS) == []


def test_a_snapshot_that_was_spoiled_is_taken_anew(
    plan: Plan, copied: Copying, target_dsn: str, tmp_path: Path
) -> None:
    copied(plan)
    (snapshot,) = (tmp_path / "snapshots").glob("*.snapshot")
    snapshot.write_bytes(snapshot.read_bytes().replace(b"Eve", b"Eva"))

    assert verify(plan, target_dsn, tmp_path / "snapshots", watching=Silent()).passed


def test_a_source_is_never_changed(plan: Plan, copied: Copying) -> None:
    path = Path(plan.sources[0].path)
    before = (hashlib.sha256(path.read_bytes()).digest(), path.stat().st_mtime_ns, sorted(path.parent.glob("old.db*")))

    copied(plan)

    after = (hashlib.sha256(path.read_bytes()).digest(), path.stat().st_mtime_ns, sorted(path.parent.glob("old.db*")))
    assert after == before


def test_nothing_is_seen_of_a_copy_that_did_not_become_whole(plan: Plan, copied: Copying, ask: Ask) -> None:
    wrong = replace(plan, views=(View(source="old", name="v", sqlite="", sql="SELECT nothing FROM people"),))

    with pytest.raises(psycopg.errors.UndefinedColumn):
        copied(wrong)
    assert ask("SELECT to_regnamespace('moved')") == [(None,)]


def test_a_row_that_is_lost_on_the_way_lets_nothing_be_seen(
    plan: Plan, copied: Copying, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fault 60: what arrived is counted anew before anybody sees it."""
    monkeypatch.setattr(Finish, "_analyze", lambda _: ask("DELETE FROM arriving_moved.people WHERE id = 2"))

    with pytest.raises(CountsDiffer, match="1 rows arrived and 0 are in quarantine, but the source has 2"):
        copied(plan)
    assert ask("SELECT to_regnamespace('moved')") == [(None,)]


def test_a_source_that_changed_between_two_runs_is_refused(plan: Plan, copied: Copying, tmp_path: Path) -> None:
    """Fault 59: half of one state and half of another would be no state that there ever was."""
    (source,) = plan.sources
    unfinished = replace(
        of_table(plan, uniques=(Unique(name="u", parts=("nothing",)),)), sources=(replace(source, digest=""),)
    )
    with pytest.raises(psycopg.errors.UndefinedColumn):
        copied(unfinished)
    shutil.rmtree(tmp_path / "snapshots")
    with closing(sqlite3.connect(source.path)) as connection:
        connection.execute("UPDATE people SET name = 'Bea' WHERE id = 2")
        connection.commit()

    with pytest.raises(CopyRefused, match="the sources have changed since this copy was begun"):
        copied(unfinished)


def test_an_unfinished_copy_of_another_plan_is_thrown_away_only_when_asked(
    plan: Plan, copied: Copying, ask: Ask
) -> None:
    with pytest.raises(psycopg.errors.UndefinedColumn):
        copied(of_table(plan, uniques=(Unique(name="u", parts=("nothing",)),)))

    with pytest.raises(CopyRefused, match="--afresh"):
        copied(plan)
    assert copied(plan, afresh=True).copied == 2
    assert ask("SELECT count(*) FROM migration_quarantine.runs") == [(1,)]


def test_a_second_copy_at_the_same_time_is_refused(
    plan: Plan, target_dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("db.migration.copying.standing._PATIENCE_S", 0.01)
    with connected(target_dsn) as other:
        assert Standing(other, plan).take_lock()

        with pytest.raises(CopyRefused, match="another copy"):
            copy(plan, target_dsn, tmp_path / "snapshots", watching=Silent())


def test_a_copy_that_is_whole_is_not_made_again(plan: Plan, copied: Copying, ask: Ask) -> None:
    first = copied(plan)
    ask("INSERT INTO moved.people VALUES (3, 'New', 2000)")

    again = copied(plan)

    assert (again.resumed, again.done_now, again.whole_since) == (True, 0, first.whole_since)
    assert ask("SELECT count(*) FROM moved.people") == [(3,)]

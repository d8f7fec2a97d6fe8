"""`migrate copy` and `migrate status` at the command line: the real process."""

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

import run
from db.migration.plan_file import write
from tests.db.migration.plans import plain_plan
from tests.house.source import ROOT

Running = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    """The file of a plan for a database of one table."""
    source = tmp_path / "old.db"
    with closing(sqlite3.connect(source)) as connection:
        connection.executescript(
            "CREATE TABLE t (id INTEGER PRIMARY KEY, name); INSERT INTO t VALUES (1, 'a'), (2, 'b')"
        )
    path = tmp_path / "plan.toml"
    path.write_text(write(plain_plan(source, folder=tmp_path)))
    return path


@pytest.fixture
def running(postgres_admin_dsn: str) -> Running:
    """Run a command in a process of its own, against a fresh database."""

    def run_it(*arguments: str, dsn: str = postgres_admin_dsn) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {"WATCHKEEPER_POSTGRES_DSN": dsn, "WATCHKEEPER_POSTGRES_ADMIN_DSN": dsn}
        command = [sys.executable, "run.py", "migrate", *arguments]
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    return run_it


def test_a_copy_is_one_document_and_its_standing_another(running: Running, plan: Path) -> None:
    made = running("copy", str(plan), "--json")

    assert made.returncode == 0, made.stderr
    assert [(one["target"], one["copied"]) for one in json.loads(made.stdout)["tables"]] == [("moved.t", 2)]
    (stands,) = json.loads(running("status", str(plan), "--json").stdout)["runs"]
    assert (stands["this_plan"], stands["done"], stands["rows"]) == (True, 2, 2)


def test_a_copy_that_an_earlier_run_has_made_says_so_without_a_rate(running: Running, plan: Path) -> None:
    running("copy", str(plan))

    again = running("copy", str(plan))

    assert "nothing was left to do: an earlier run had done it" in again.stdout
    assert "rows a second" not in again.stdout


def test_a_copy_for_people_says_how_many_rows_came(running: Running, plan: Path) -> None:
    made = running("copy", str(plan))

    assert "2, of them 2 copied and 0 in quarantine" in made.stdout
    assert "moved.t" in running("status").stdout


def test_a_refused_copy_says_why_and_ends_with_no(running: Running, plan: Path) -> None:
    with closing(sqlite3.connect(plan.with_name("old.db"))) as connection:
        connection.execute("DELETE FROM t")
        connection.commit()

    refused = running("copy", str(plan))

    assert (refused.returncode, refused.stdout) == (1, "")
    assert "has changed since the plan was made" in refused.stderr


def test_a_database_that_is_away_is_no_answer(running: Running, plan: Path) -> None:
    assert running("copy", str(plan), dsn="postgresql://u:p@127.0.0.1:1/x").returncode == 69


@pytest.mark.parametrize("command", [["copy", "nowhere.toml"], ["verify", "nowhere.toml"], ["status", "nowhere.toml"]])
def test_a_plan_that_is_not_there_is_wrong_use(command: list[str]) -> None:
    assert run.main(["migrate", *command]) == 2


def test_nothing_was_copied_into_a_new_database(running: Running) -> None:
    assert json.loads(running("status", "--json").stdout) == {"runs": []}


def test_a_copy_that_was_verified_passes_until_somebody_changes_it(
    running: Running, plan: Path, postgres_admin_dsn: str
) -> None:
    running("copy", str(plan))
    passed = running("verify", str(plan), "--json")
    with psycopg.connect(postgres_admin_dsn, autocommit=True) as connection:
        connection.execute("UPDATE moved.t SET name = 'c' WHERE id = 2")

    failed = running("verify", str(plan))

    assert (passed.returncode, json.loads(passed.stdout)["differences"]) == (0, [])
    assert failed.returncode == 1
    assert {"'b'", "'c'"} <= set(failed.stdout.split())


def test_nothing_can_be_verified_before_it_was_copied(running: Running, plan: Path) -> None:
    refused = running("verify", str(plan))

    assert (refused.returncode, "nothing was copied" in refused.stderr) == (1, True)


@pytest.mark.parametrize("verb", ["copy", "verify", "status"])
def test_a_file_that_is_no_plan_is_refused(running: Running, plan: Path, verb: str) -> None:
    plan.write_text("schema = 3")

    refused = running(verb, str(plan))

    assert (refused.returncode, refused.stdout) == (1, "")
    assert "is no plan: Expected `str`, got `int`" in refused.stderr


def test_a_plan_that_asks_something_still_has_a_standing(running: Running, plan: Path) -> None:
    plan.write_text(plan.read_text() + '\n[[questions]]\nname = "x"\nasks = "Which?"\n')

    assert "Nothing was copied" in running("status", str(plan)).stdout


def test_snapshots_that_have_no_place_are_refused(running: Running, plan: Path) -> None:
    plan.with_name(f"{plan.name}.snapshots").write_text("in the way")

    refused = running("copy", str(plan))

    assert refused.returncode == 1
    assert "where snapshots are kept, cannot be made (File exists)" in refused.stderr


def test_queries_of_no_audit_are_refused(running: Running, plan: Path) -> None:
    refused = running("verify", str(plan), "--queries", str(plan))

    assert refused.returncode == 1
    assert "no JSON of an audit" in refused.stderr

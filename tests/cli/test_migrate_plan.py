"""`migrate profile` and `plan` at the command line."""

import json
import sqlite3
import tomllib
from contextlib import closing
from pathlib import Path

import pytest

import run


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "trades.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE trades (id INTEGER PRIMARY KEY, opened TEXT, price REAL)")
        connection.execute("INSERT INTO trades VALUES (1, '2025-08-01 15:59:59', 0.97)")
        connection.commit()
    return path


def test_a_profile_is_one_document(database: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert run.main(["migrate", "profile", str(database), "--json"]) == 0

    document = json.loads(capfdbinary.readouterr().out)
    assert [one["name"] for one in document["databases"][0]["tables"][0]["columns"]] == ["id", "opened", "price"]


def test_a_profile_for_people_says_what_a_column_is(database: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run.main(["migrate", "profile", str(database)]) == 0

    assert "in YYYY-MM-DD hh:mm:ss; says no zone" in capfd.readouterr().out


@pytest.mark.parametrize("arguments", [["profile"], ["plan", "-o", "plan.toml"]])
def test_no_database_is_wrong_use(arguments: list[str]) -> None:
    assert run.main(["migrate", *arguments]) == 2


def test_a_database_that_cannot_be_read_is_refused_with_what_to_do(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Fault 59."""
    assert run.main(["migrate", "profile", str(tmp_path / "gone.db")]) == 1

    assert "there is no such file; check the path" in capfd.readouterr().err


def test_a_plan_is_written_with_its_document(database: Path, tmp_path: Path) -> None:
    plan, doc = tmp_path / "plan.toml", tmp_path / "plan.md"

    assert run.main(["migrate", "plan", str(database), "-o", str(plan), "--doc", str(doc)]) == 0
    assert [one["name"] for one in tomllib.loads(plan.read_text())["questions"]] == ["trades.trades.opened"]
    assert "timestamptz" in doc.read_text()


def test_a_plan_takes_answers(database: Path, tmp_path: Path) -> None:
    plan = tmp_path / "plan.toml"

    assert (
        run.main(
            ["migrate", "plan", str(database), "-o", str(plan), "--answer", "trades.trades.opened=America/New_York"]
        )
        == 0
    )
    assert 'zone = "America/New_York"' in plan.read_text()


@pytest.mark.parametrize(
    "answer", ["trades.trades.opened", "trades.trades.closed=UTC", "trades.trades.opened=Mars/Olympus"]
)
def test_an_answer_that_is_none_is_wrong_use(database: Path, tmp_path: Path, answer: str) -> None:
    assert run.main(["migrate", "plan", str(database), "-o", str(tmp_path / "plan.toml"), "--answer", answer]) == 2


def test_a_plan_that_is_there_is_not_overwritten(database: Path, tmp_path: Path) -> None:
    (tmp_path / "plan.toml").write_text("edited")

    assert run.main(["migrate", "plan", str(database), "-o", str(tmp_path / "plan.toml")]) == 1
    assert (tmp_path / "plan.toml").read_text() == "edited"


def test_a_plan_as_json_is_one_document(
    database: Path, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert run.main(["migrate", "plan", str(database), "-o", str(tmp_path / "plan.toml"), "--json"]) == 0

    assert json.loads(capfdbinary.readouterr().out)["tables"][0]["columns"][2]["conversion"] == {"name": "numeric"}


@pytest.fixture
def preferences(tmp_path: Path) -> Path:
    (tmp_path / "trade_preferences.json").write_text('{"auto_stop": true}')
    return tmp_path / "trade_preferences.json"


def test_preferences_of_a_known_system_become_settings(database: Path, preferences: Path, tmp_path: Path) -> None:
    plan = tmp_path / "plan.toml"

    assert (
        run.main(
            ["migrate", "plan", str(database), "-o", str(plan), "--ready", "rec_io", "--settings", str(preferences)]
        )
        == 0
    )
    assert tomllib.loads(plan.read_text())["settings"][0]["setting"] == "probability.enabled"


def test_preferences_of_no_known_system_are_wrong_use(database: Path, preferences: Path, tmp_path: Path) -> None:
    assert (
        run.main(["migrate", "plan", str(database), "-o", str(tmp_path / "plan.toml"), "--settings", str(preferences)])
        == 2
    )


def test_preferences_that_cannot_be_read_are_refused(database: Path, preferences: Path, tmp_path: Path) -> None:
    preferences.write_text("{")

    assert (
        run.main(
            [
                "migrate",
                "plan",
                str(database),
                "-o",
                str(tmp_path / "plan.toml"),
                "--ready",
                "rec_io",
                "--settings",
                str(preferences),
            ]
        )
        == 1
    )

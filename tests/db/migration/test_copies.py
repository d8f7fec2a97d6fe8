"""Two files that may be copies of one database: they are asked about, and the one that is chosen is moved alone."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from db.migration import plan_file
from db.migration.copying.copy import copy
from db.migration.plan_file import PlanRefused
from db.migration.plan_words import Plan
from db.migration.planning import plan
from db.migration.ready_plan import ready_plan
from db.migration.sqlite_files import SourceRefused
from tests.db.migration.conftest import Making
from tests.db.migration.copying.conftest import Silent
from tests.house.source import ROOT

SHARED = ROOT.parent / "shared/data/sqlite"
SCHEMA = "CREATE TABLE trades (id INTEGER PRIMARY KEY, note TEXT)"
ROW = "INSERT INTO trades (note) VALUES (?)"


@pytest.fixture
def pair(making: Making) -> tuple[Path, Path]:
    """Two copies that went different ways: two rows of each stand in both."""
    return making(SCHEMA, ROW, ["a", "b", "c"], "live.db"), making(SCHEMA, ROW, ["a", "b", "d", "e"], "old.db")


def chosen(made: Plan, answer: str) -> Plan:
    return plan_file.answered(replace(made, questions=(replace(made.questions[0], answer=answer),)))


def test_two_files_with_the_same_tables_are_asked_about(pair: tuple[Path, Path]) -> None:
    (one,) = plan(pair).questions

    assert (one.name, one.answers, one.answer) == ("copies-live-old", ("live", "old", "all"), "")
    assert one.hint == "of trades, 2 rows stand in both, 1 only in live, 2 only in old"


def test_only_tables_that_differ_are_told_one_by_one(making: Making) -> None:
    schema = f"{SCHEMA}; CREATE TABLE marks (at TEXT); INSERT INTO marks VALUES ('x')"

    (one,) = plan([making(schema, ROW, ["a"], "x.db"), making(schema, ROW, ["b"], "y.db")]).questions

    assert one.hint == "of trades, 0 rows stand in both, 1 only in x, 1 only in y; 1 other table is the same in both"


def test_a_plan_is_not_followed_before_somebody_has_chosen(pair: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(PlanRefused, match="question 'copies-live-old' has no answer"):
        copy(plan(pair), "", tmp_path, watching=Silent())


def test_an_answer_that_is_neither_is_refused(pair: tuple[Path, Path]) -> None:
    with pytest.raises(PlanRefused, match="'newest' is none of live, old, all"):
        chosen(plan(pair), "newest")


@pytest.mark.parametrize(("answer", "sources"), [("live", ["live"]), ("old", ["old"]), ("all", ["live", "old"])])
def test_the_chosen_one_is_moved_alone(pair: tuple[Path, Path], answer: str, sources: list[str]) -> None:
    followed = chosen(plan(pair), answer)

    assert [one.name for one in followed.sources] == sources
    assert [one.source for one in followed.tables] == sources


def test_an_answer_beforehand_plans_the_chosen_one_alone(pair: tuple[Path, Path]) -> None:
    made = plan(pair, {"copies-live-old": "old"})

    assert [one.source for one in made.tables] == ["old"]
    assert [one.name for one in plan_file.answered(made).sources] == ["old"]


def test_zones_of_the_other_one_are_asked_no_more(making: Making) -> None:
    schema = "CREATE TABLE trades (id INTEGER PRIMARY KEY, opened TEXT)"
    both = [
        making(schema, ROW.replace("note", "opened"), [f"2025-08-0{day} 10:00:00"], f"copy{day}.db") for day in (1, 2)
    ]
    made = plan(both, {"copy1.trades.opened": "UTC"})

    answered = replace(
        made,
        questions=tuple(
            replace(one, answer=one.answer or "copy1") if one.kind == "copies" else one for one in made.questions
        ),
    )

    assert [one.name for one in plan_file.answered(answered).sources] == ["copy1"]


def test_three_copies_are_one_question(making: Making) -> None:
    made = plan([making(SCHEMA, ROW, [name], f"{name}.db") for name in "abc"])

    assert [one.answers for one in made.questions] == [("a", "b", "c", "all")]


def test_files_of_other_tables_are_not_asked_about(making: Making) -> None:
    other = making(
        "CREATE TABLE fills (id INTEGER PRIMARY KEY, note TEXT)", ROW.replace("trades", "fills"), ["a"], "x.db"
    )

    assert plan([making(SCHEMA, ROW, ["a"], "y.db"), other]).questions == ()


def test_two_recorded_states_of_one_real_database_are_asked_about() -> None:
    paths = [SHARED / f"rec_io_active_trades_{one}.db" for one in "ab"]
    if not paths[0].exists():
        pytest.skip(f"the recorded databases are not on this machine ({paths[0]})")

    asked = [one for one in plan(paths).questions if one.kind == "copies"]

    assert [one.hint for one in asked] == [
        "of active_trades, 0 rows stand in both, 7 only in rec_io_active_trades_a, 1 only in rec_io_active_trades_b"
    ]


def test_the_ready_plan_wants_to_know_before_it_fills_watchkeepers_own_tables(pair: tuple[Path, Path]) -> None:
    with pytest.raises(SourceRefused, match="--answer copies-live-old=live"):
        ready_plan(pair, {}, "watchkeeper")


def test_two_sources_of_one_old_table_are_refused_by_the_ready_plan(pair: tuple[Path, Path]) -> None:
    with pytest.raises(SourceRefused, match="both hold trades"):
        ready_plan(pair, {"copies-live-old": "all"}, "watchkeeper")


def test_a_database_elsewhere_keeps_its_whole_path(pair: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "plans").mkdir()
    file = tmp_path / "plans/plan.toml"
    file.write_text(plan_file.write(plan(pair[:1]), file.parent))

    assert f'path = "{pair[0]}"' in file.read_text()
    assert plan_file.read(file).sources[0].path == str(pair[0])

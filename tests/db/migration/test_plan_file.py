"""A plan is written, edited by a person, and read back: the same words, or a clear refusal."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from db.migration import plan_file, toml
from db.migration.conversions.instants import Instant
from db.migration.conversions.numbers import Integer
from db.migration.plan_file import PlanRefused
from db.migration.plan_words import Column, Plan, Proof, Question, Source, Table

VALUES = st.recursive(
    st.one_of(
        st.booleans(), st.integers(-(2**63), 2**63 - 1), st.text(), st.floats(allow_nan=False, allow_infinity=False)
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(), inner, max_size=16)),
    max_leaves=32,
)
OPENED = Column(
    name="opened",
    type="timestamptz",
    sources=("opened",),
    conversion=Instant(formats=("YYYY-MM-DD hh:mm:ss",), zone="?clock"),
)
PLAN = Plan(
    schema="moved",
    sources=(Source(name="trades", path="/srv/trades.db"),),
    questions=(Question(name="clock", asks="In which zone are the times of trades.opened?"),),
    tables=(
        Table(
            source="trades",
            from_table='odd "name"',
            name="trades",
            key=("id",),
            columns=(
                Column(
                    name="id", type="bigint", sources=("id",), conversion=Integer(), proof=Proof(values=3, lossless=3)
                ),
                OPENED,
            ),
        ),
    ),
)


def a_file(folder: Path, text: str) -> Path:
    (folder / "plan.toml").write_text(text, "utf-8")
    return folder / "plan.toml"


@given(st.dictionaries(st.text(), VALUES))
def test_whatever_is_written_as_toml_is_read_back(document: dict[str, object]) -> None:
    assert tomllib.loads(toml.written(document, {})) == document


def test_a_plan_comes_back_from_its_file(tmp_path: Path) -> None:
    assert plan_file.read(a_file(tmp_path, plan_file.write(PLAN))) == PLAN


def test_a_comment_explains_what_is_asked() -> None:
    assert "# What only a person knows." in plan_file.write(PLAN)


def test_a_plan_that_asks_something_is_refused_with_its_question() -> None:
    with pytest.raises(PlanRefused, match=r"'clock' has no answer: In which zone"):
        plan_file.answered(PLAN)


def test_an_answer_stands_wherever_it_was_asked_for() -> None:
    plan = replace(PLAN, questions=(replace(PLAN.questions[0], answer="America/New_York"),))

    conversion = plan_file.answered(plan).tables[0].columns[1].conversion

    assert conversion == Instant(formats=("YYYY-MM-DD hh:mm:ss",), zone="America/New_York")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('answer = ""', 'answer = "New York"', "is no zone"),
        ('key = ["id"]', 'key = ["no"]', "no column 'no'"),
        ('zone = "?clock"', 'zone = "?watch"', "no question 'watch'"),
        ('name = "opened"', 'name = "id"', "stands there 2 times"),
        ('source = "trades"', 'source = "orders"', "no source 'orders'"),
        ("YYYY-MM-DD hh:mm:ss", "yesterday", "no format"),
    ],
)
def test_what_does_not_fit_together_is_named(tmp_path: Path, old: str, new: str, says: str) -> None:
    text = plan_file.write(PLAN).replace("[[tables]]", 'answer = ""\n\n[[tables]]', 1)
    assert old in text

    with pytest.raises(PlanRefused, match=says):
        plan_file.answered(plan_file.read(a_file(tmp_path, text.replace(old, new, 1))))


@pytest.mark.parametrize(
    ("old", "new"),
    [("schema =", "schemas ="), ('name = "integer"', 'name = "int"'), ("version = 1", "version = 2"), ("\n[[", "\n[")],
)
def test_a_file_with_a_word_that_no_plan_has_is_refused(tmp_path: Path, old: str, new: str) -> None:
    text = "version = 1\n" + plan_file.write(PLAN)

    with pytest.raises(PlanRefused, match="is no plan"):
        plan_file.read(a_file(tmp_path, text.replace(old, new, 1)))

"""The table of proof can be made, and reads what tests claim."""

import ast
from pathlib import Path

import pytest

from tests.house import claims, runs
from tests.house.proof import CATALOGUE, ROOT, Claim, claimed, claims_by_test, document, owed, proofs


@pytest.mark.parametrize(
    ("docstring", "claims_made"),
    [
        ("Lesson 19: a glitch.", {("Lesson", 19)}),
        ("Fault 36", {("Fault", 36)}),
        ("K3", {("K", 3)}),
        ("K1-K4, S9", {("K", 1), ("K", 2), ("K", 3), ("K", 4), ("S", 9)}),
        ("Lessons 1-3 and 9", {("Lesson", 1), ("Lesson", 2), ("Lesson", 3), ("Lesson", 9)}),
        ("Lesson 9, lesson 65", {("Lesson", 9), ("Lesson", 65)}),
        ("Faults 24, 25", {("Fault", 24), ("Fault", 25)}),
        ("Fault 99, K21, S0", set()),
        ("A KXBTC-25JUL ticker", set()),
    ],
)
def test_a_docstring_claims_what_it_names(docstring: str, claims_made: set[Claim]) -> None:
    assert claimed(docstring) == claims_made


def test_a_modules_docstring_speaks_for_its_tests() -> None:
    tree = ast.parse('"""Lesson 1"""\ndef test_x():\n    """K2"""\ndef helper():\n    """Lesson 3"""')

    assert dict(claims_by_test(tree)) == {"test_x": {("Lesson", 1), ("K", 2)}}


def test_the_table_has_a_row_for_every_claim() -> None:
    text = document(proofs(ROOT / "tests"), {})

    rows = [line for line in text.splitlines() if line.startswith(("| Lesson ", "| Fault ", "| K", "| S", "| L"))]
    assert len(rows) == sum(len(names) for _, names in CATALOGUE.values()) == 66 + 64 + 20 + 14 + 7


def test_a_claim_that_no_test_names_is_owed_by_its_order(tmp_path: Path) -> None:
    assert "| Lesson 39 | three formats of instants are parsed | 4 | owed by order 4 |" in document(
        proofs(tmp_path), {}
    )
    assert "Lesson 39: three formats of instants are parsed" in owed({}, frozenset({4}))
    assert (
        owed({("Lesson", 39): ["x"], ("Lesson", 51): ["x"], ("Fault", 59): ["x"], ("Fault", 60): ["x"]}, frozenset({4}))
        == []
    )


def test_every_lesson_and_fault_belongs_to_exactly_one_order() -> None:
    for place, names in enumerate((claims.LESSONS, claims.FAULTS)):
        owners = [number for each in claims.OWED.values() for number in each[place]]

        assert sorted(owners) == list(names)


def test_an_order_that_is_settled_owes_nothing() -> None:
    assert owed(proofs(ROOT / "tests"), claims.SETTLED_ORDERS) == []


def test_what_a_run_found_is_kept_when_the_table_is_made_again() -> None:
    found = {"mutants": "9 of 10 killed\n\n| module | killed |\n|---|---|\n| fees | 9 |"}

    assert runs.kept(document({}, found)) == found


def test_a_table_without_a_run_has_no_section() -> None:
    assert runs.kept(document({}, {})) == {}


@pytest.mark.parametrize(
    ("times", "violations", "words"),
    [
        (300, 0, "0 of 300 violated: at most 0.01 of all, with 95 % confidence (3/n)"),
        (20_000, 0, "0 of 20,000 violated: at most 0.00015 of all, with 95 % confidence (3/n)"),
        (300, 2, "2 of 300 violated"),
        (0, 0, "0 of 0 violated"),
    ],
)
def test_a_bound_is_said_of_runs_that_held_alone(times: int, violations: int, words: str) -> None:
    assert runs.verdict(times, violations) == words

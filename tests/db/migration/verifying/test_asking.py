"""The SELECTs that an audit found, on both sides."""

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from db.migration.audit import audit
from db.migration.plan_words import Plan
from db.migration.verifying.asking import compared
from db.migration.verifying.verify import verify
from db.migration.verifying.words import Verified
from tests.db.migration.copying.conftest import Silent

Asking = Callable[..., Verified]

SOURCE = """
import sqlite3
def f(status):
    conn = sqlite3.connect("old.db")
    conn.execute("{}"{})
"""


@pytest.fixture
def asked(spoiled_dsn: str, moved: tuple[str, Plan, Path], tmp_path: Path) -> Asking:
    """Verify with the audit of a program that asks this."""

    def run(query: str, parameters: str = "") -> Verified:
        (tmp_path / "old.py").write_text(SOURCE.format(query, parameters))
        return verify(moved[1], spoiled_dsn, moved[2], watching=Silent(), audit=audit(tmp_path))

    return run


@pytest.mark.parametrize(
    ("query", "parameters"),
    [
        ("SELECT ticker, strike FROM markets", ""),
        ("SELECT ticker FROM markets WHERE ticker = ?", ", (status,)"),
        ("SELECT ticker FROM markets WHERE ticker = :t ORDER BY ticker", ", {'t': status}"),
        ("SELECT at, IFNULL(price, 0.5) FROM prices ORDER BY at", ""),
    ],
)
def test_a_query_that_gives_the_same_passes(asked: Asking, query: str, parameters: str) -> None:
    found = asked(query, parameters)

    assert (found.differences, found.skipped, found.queries) == ((), (), 1)


@pytest.mark.parametrize(
    ("query", "kind", "expected", "found"),
    [
        ("SELECT buy FROM trades WHERE id = 1", "type in a query", "float", "Decimal"),
        ("SELECT auto FROM trades WHERE id = 1", "type in a query", "int", "bool"),
        ("SELECT side FROM trades WHERE id = 1", "row of a query", "('Y',)", "('yes',)"),
        ("SELECT count(*) FROM markets WHERE ticker LIKE 'a'", "row of a query", "(1,)", "(0,)"),
        ("SELECT ticker, count(*) FROM trades GROUP BY side", "a query that PostgreSQL refuses", "2 rows", None),
        ("SELECT date FROM trades", "a query that PostgreSQL refuses", "6 rows", None),
        ("SELECT strftime('%s', 'now') FROM trades", "a query that is not translated", None, None),
    ],
)
def test_a_query_that_a_program_would_see_differently_is_told(
    asked: Asking, query: str, kind: str, expected: str | None, found: str | None
) -> None:
    (one, *_) = [one for one in asked(query).differences if one.kind == kind]

    assert one.table == "old.py:5"
    assert expected is None or one.expected == expected
    assert found is None or one.found == found


def test_a_query_that_is_not_whole_is_said_to_be_left_out(asked: Asking) -> None:
    found = asked('SELECT strike FROM " + status + "')

    assert (found.queries, len(found.skipped)) == (0, 1)


@pytest.mark.parametrize(
    ("ordered", "kinds"), [(None, []), ((0,), []), ((1,), ["order of a query"]), ((), ["order of a query"])]
)
def test_an_order_counts_where_it_is_stated(ordered: tuple[int, ...] | None, kinds: list[str]) -> None:
    found = compared("a.py:1", [(1, "a"), (1, "b")], [(1, "b"), (1, "a")], ordered)

    assert [one.kind for one in found] == kinds


def test_a_planted_row_is_found_by_a_query(asked: Asking, spoiled_dsn: str) -> None:
    with psycopg.connect(spoiled_dsn, autocommit=True) as connection:
        connection.execute("UPDATE moved.markets SET strike = '$3' WHERE ticker = 'B'")

    found = asked("SELECT strike FROM markets ORDER BY ticker")

    assert [(one.expected, one.found) for one in found.differences if one.table == "old.py:5"] == [
        ("('$2',)", "('$3',)")
    ]

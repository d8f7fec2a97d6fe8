"""Cursors, transactions, threads and pools: each way in which they are misused, and what is only near it."""

from collections.abc import Callable

import pytest

from db.migration.words import Audit
from tests.db.migration.conftest import Auditing

HEAD = "import sqlite3, threading\n"
OPEN = "def one():\n    conn = sqlite3.connect('x.db')\n{}    conn.close()\n"


def rules(found: Audit) -> set[str]:
    return {one.rule for one in found.findings}


@pytest.mark.parametrize(
    ("body", "is_found"),
    [
        ("    with conn:\n        conn.execute('DELETE FROM t')\n", False),
        ("    conn.cursor().execute('DELETE FROM t')\n", True),
        ("    conn.execute('SELECT a FROM t')\n", False),
        ("    keep(conn)\n    conn.execute('DELETE FROM t')\n", False),
        ("    conn.isolation_level = None\n    conn.execute('DELETE FROM t')\n", False),
    ],
)
def test_a_write_that_nobody_commits_is_found(audited: Auditing, body: str, is_found: bool) -> None:
    assert ("write-not-committed" in rules(audited({"a.py": HEAD + OPEN.format(body)}))) is is_found


@pytest.mark.parametrize(
    ("used", "is_found"),
    [
        ("    conn.execute('SELECT a FROM t')\n", True),
        ("    conn = sqlite3.connect('x.db')\n    conn.execute('SELECT a FROM t')\n", False),
    ],
)
def test_a_connection_that_a_thread_uses_and_did_not_open_is_found(
    audited: Auditing, used: str, is_found: bool
) -> None:
    source = HEAD + "conn = sqlite3.connect('x.db')\ndef watch():\n" + used + "threading.Thread(target=watch).start()\n"

    assert ("connection-across-threads" in rules(audited({"a.py": source}))) is is_found


def test_a_connection_of_an_object_that_its_thread_uses_is_found(audited: Auditing) -> None:
    source = (
        HEAD + "class Desk:\n    def __init__(self):\n        self.conn = sqlite3.connect('x.db')\n"
        "        threading.Thread(target=self.watch).start()\n    def watch(self):\n        self.conn.execute('SELECT a FROM t')\n"
    )

    found = audited({"a.py": source})

    assert [(one.line, one.subject) for one in found.findings if one.rule == "connection-across-threads"] == [
        (7, "self.conn")
    ]


@pytest.mark.parametrize(("close", "is_found"), [("", True), ("        conn.close()\n", False)])
def test_a_connection_that_each_round_opens_and_none_closes_is_found(
    audited: Auditing, close: str, is_found: bool
) -> None:
    source = (
        HEAD
        + "def f():\n    while True:\n        conn = sqlite3.connect('x.db')\n        conn.execute('SELECT a FROM t')\n"
        + close
    )

    assert ("pool-exhausted" in rules(audited({"a.py": source}))) is is_found


def test_who_holds_a_connection_while_another_one_is_opened_is_found(audited: Auditing) -> None:
    source = HEAD + OPEN.format("    two()\n") + OPEN.replace("one", "two").format("")

    found = audited({"a.py": source})

    assert [(one.line, one.subject) for one in found.findings if one.rule == "pool-exhausted"] == [(4, "two")]


def test_who_has_closed_a_connection_before_another_one_is_opened_is_not(audited: Auditing) -> None:
    source = HEAD + OPEN.format("") + "    two()\n" + OPEN.replace("one", "two").format("")

    assert "pool-exhausted" not in rules(audited({"a.py": source}))


def test_the_old_closing_that_asked_a_connection_for_a_row_is_found(legacy: Callable[[str], Audit]) -> None:
    """Lesson 27: conn.fetchone in the old trade manager was reached when no cursor had been made."""
    found = legacy("rec_io_0008c12")

    asked = [(one.file, one.line) for one in found.findings if one.rule == "connection-as-cursor"]
    assert asked == [("backend/trade_manager.py", 682)]


def test_the_old_filter_by_three_formats_of_time_is_found(legacy: Callable[[str], Audit]) -> None:
    """Lesson 39: closed_at was compared as text, in whichever of three formats it stood."""
    found = legacy("rec_io_0008c12")

    assert ("backend/trade_manager.py", 597) in {
        (one.file, one.line) for one in found.findings if one.rule == "type-affinity" and one.subject == "closed_at"
    }


@pytest.mark.parametrize(("table", "line"), [("trades", 79), ("fills", 563)])
def test_columns_that_no_new_database_of_the_old_system_has_are_found(
    legacy: Callable[[str], Audit], table: str, line: int
) -> None:
    """Lesson 41: what an INSERT of the old system names and its own CREATE TABLE lacks."""
    found = legacy("rec_io_0008c12")

    assert (table, line) in {(one.subject, one.line) for one in found.findings if one.rule == "column-missing"}


def test_the_old_loop_that_leaked_a_connection_each_round_is_found(legacy: Callable[[str], Audit]) -> None:
    """Lesson 49: the settlement poll opens one each second round and closes it only when a row is there."""
    found = legacy("rec_io_0008c12")

    assert [(one.file, one.line) for one in found.findings if one.rule == "pool-exhausted"] == [
        ("backend/trade_manager.py", 986)
    ]

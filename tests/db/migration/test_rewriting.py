"""What of SQLite's own SQL can be written for PostgreSQL with the same result, and what cannot, which is said."""

import pytest

from tests.db.migration.conftest import Auditing

TABLES = (
    "def make(c):\n    c.execute('CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, open BOOLEAN, price REAL)')\n"
    "    c.execute('CREATE TABLE log (at TEXT, seq INTEGER, text TEXT, PRIMARY KEY (at, seq))')\n"
)


@pytest.mark.parametrize(
    ("rule", "sqlite", "postgres"),
    [
        (
            "sqlite-only-sql",
            "INSERT OR REPLACE INTO log (at, seq, text) VALUES (?, ?, ?)",
            "INSERT INTO log (at, seq, text) VALUES (%s, %s, %s) ON CONFLICT(at, seq) DO UPDATE SET text = EXCLUDED.text",
        ),
        # The old row's text would stay, where SQLite takes it away.
        ("sqlite-only-sql", "INSERT OR REPLACE INTO log (at, seq) VALUES (?, ?)", None),
        ("sqlite-only-sql", 'SELECT id FROM t WHERE name = "open-ended"', "SELECT id FROM t WHERE name = 'open-ended'"),
        # There is a column of that name.
        ("sqlite-only-sql", 'SELECT id FROM t WHERE name = "open"', None),
        (
            "sqlite-only-sql",
            "DELETE FROM log WHERE at < datetime('now', '-30 days')",
            "DELETE FROM log WHERE at < to_char(now() AT TIME ZONE 'UTC' + interval '-30 days', 'YYYY-MM-DD HH24:MI:SS')",
        ),
        # 31 January and a month are 3 March for one of them and 28 February for the other.
        ("sqlite-only-sql", "DELETE FROM log WHERE at < datetime('now', '+1 month')", None),
        (
            "sqlite-only-sql",
            "SELECT strftime('%Y-%m', 'now') FROM t",
            "SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM') FROM t",
        ),
        ("sqlite-only-sql", "SELECT strftime('%j', 'now') FROM t", None),
        ("sqlite-only-sql", "SELECT rowid FROM t", None),
        (
            "sqlite-only-sql",
            "SELECT name FROM sqlite_master WHERE type='table' AND name=?",
            "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema() AND table_name = %s",
        ),
        ("like-collation", "SELECT id FROM t WHERE name LIKE 'btc%'", "SELECT id FROM t WHERE name ILIKE 'btc%'"),
        ("like-collation", "SELECT id FROM t ORDER BY name", 'SELECT id FROM t ORDER BY name COLLATE "C" NULLS FIRST'),
        ("type-affinity", "SELECT id FROM t WHERE open = 1", "SELECT id FROM t WHERE open = TRUE"),
        ("type-affinity", "SELECT id FROM t WHERE name = 5", "SELECT id FROM t WHERE name = '5'"),
        ("type-affinity", "SELECT SUM(name) FROM t", None),
    ],
)
def test_a_finding_has_the_statement_for_postgresql_where_it_is_certain(
    audited: Auditing, rule: str, sqlite: str, postgres: str | None
) -> None:
    found = audited({"a.py": TABLES + f"def f(c, p):\n    c.execute({sqlite!r}, p)\n"})

    (one,) = (one for one in found.findings if one.rule == rule and one.line == 5)
    assert one.rewritten == postgres


@pytest.mark.parametrize(
    "sqlite", ["SELECT rowid FROM t", "PRAGMA journal_mode=WAL", "SELECT strftime('%j', 'now') FROM t"]
)
def test_what_cannot_be_translated_is_said(audited: Auditing, sqlite: str) -> None:
    found = audited({"a.py": f"def f(c, p):\n    c.execute({sqlite!r}, p)\n"})

    (one,) = (one for one in found.findings if one.rule == "sqlite-only-sql")
    assert "no translation of this statement is certain" in one.explanation


@pytest.mark.parametrize(
    ("insert", "is_found"),
    [
        ("INSERT INTO t VALUES (1, 2, 3, 4)", False),
        ("INSERT INTO t VALUES (1, 2, 3)", True),
        ("INSERT INTO log (at, seq) SELECT name, id, price FROM t", True),
        ("INSERT INTO log (at, seq) SELECT name, id FROM t", False),
    ],
)
def test_values_are_counted_against_the_columns_of_the_table(audited: Auditing, insert: str, is_found: bool) -> None:
    """Lesson 54: an INSERT with more columns than values was found by those who ran it."""
    found = audited({"a.py": TABLES + f"def f(c):\n    c.execute({insert!r})\n"})

    assert ("columns-mismatch" in {one.rule for one in found.findings}) is is_found


@pytest.mark.parametrize(
    ("select", "loose"),
    [
        ("SELECT day, COUNT(*) FROM t GROUP BY day", None),
        ("SELECT substr(at, 1, 10) AS day, COUNT(*) AS n FROM t GROUP BY day ORDER BY n", None),
        ("SELECT substr(at, 1, 10), COUNT(*) FROM t GROUP BY 1", None),
        ("SELECT COUNT(*) FROM (SELECT id, name FROM t) AS inner_one", None),
        ("SELECT name, SUM(price) OVER (ORDER BY id) FROM t", None),
        ("SELECT day, name, COUNT(*) FROM t GROUP BY day", "name"),
        ("SELECT substr(at, 1, 10) AS day, COUNT(*) FROM t GROUP BY day ORDER BY price", "price"),
        ("SELECT name, MAX(price) FROM t", "name"),
    ],
)
def test_what_is_neither_grouped_nor_summed_is_named(audited: Auditing, select: str, loose: str | None) -> None:
    found = audited({"a.py": f"def f(c):\n    c.execute({select!r})\n"})

    assert [one.subject for one in found.findings if one.rule == "group-by-lax"] == ([loose] if loose else [])


INSERTS = {
    "cur = c.cursor()\n    cur.execute('INSERT INTO t (name, price) VALUES (?, ?)', (n, p))\n    return cur.lastrowid": (
        "cur.execute('INSERT INTO t (name, price) VALUES (%s, %s) RETURNING id', (n, p))\ncur.fetchone()[0]"
    ),
    "cur = c.execute('INSERT INTO t (name) VALUES (?)', (n,))\n    return cur.lastrowid": (
        "cur = c.execute('INSERT INTO t (name) VALUES (%s) RETURNING id', (n,))\ncur.fetchone()[0]"
    ),
    "c.execute(\n        'INSERT INTO t (name) VALUES (1)'\n    )\n    if n:\n        return c.lastrowid": (
        "c.execute('INSERT INTO t (name) VALUES (1) RETURNING id')\nc.fetchone()[0]"
    ),
    # Where a row is ignored, lastrowid is that of an earlier one.
    "c.execute('INSERT OR IGNORE INTO t (name) VALUES (1)')\n    return c.lastrowid": None,
    "c.execute('INSERT INTO t (name) VALUES (1), (2)')\n    return c.lastrowid": None,
    "c.executemany('INSERT INTO t (name) VALUES (?)', n)\n    return c.lastrowid": None,
    # The number of the row is no column of it.
    "c.execute('INSERT INTO log (at) VALUES (1)')\n    return c.lastrowid": None,
    "c.execute('INSERT INTO ints (id) VALUES (1)')\n    return c.lastrowid": None,
    # Another statement, another cursor, or perhaps none at all ran before.
    "c.execute('INSERT INTO t (name) VALUES (1)')\n    c.execute('SELECT 1 FROM t')\n    return c.lastrowid": None,
    "n.execute('INSERT INTO t (name) VALUES (1)')\n    return c.lastrowid": None,
    "if n:\n        c.execute('INSERT INTO t (name) VALUES (1)')\n    return c.lastrowid": None,
    "for one in n:\n        c.execute('INSERT INTO t (name) VALUES (1)')\n    return c.lastrowid": None,
    "if n:\n        c.execute('INSERT INTO t (name) VALUES (1)')\n    else:\n        return c.lastrowid": None,
}
IMPORTS = "import sqlite3\ndef ints(c):\n    c.execute('CREATE TABLE ints (id INT PRIMARY KEY)')\n"


@pytest.mark.parametrize("body", INSERTS)
def test_the_number_of_a_new_row_is_asked_of_the_insert_where_that_is_certain(audited: Auditing, body: str) -> None:
    found = audited({"a.py": f"{IMPORTS}{TABLES}def f(c, n, p):\n    {body}\n"})

    (one,) = (one for one in found.findings if one.subject == "lastrowid")
    assert one.rewritten == INSERTS[body]


def test_a_table_that_two_places_make_in_two_ways_gives_no_number(audited: Auditing) -> None:
    other = "def g(c):\n    c.execute('CREATE TABLE t (key TEXT PRIMARY KEY)')\n"
    insert = "def f(c):\n    c.execute('INSERT INTO t (name) VALUES (1)')\n    return c.lastrowid\n"

    found = audited({"a.py": IMPORTS + TABLES + other + insert})

    assert [one.rewritten for one in found.findings if one.subject == "lastrowid"] == [None]

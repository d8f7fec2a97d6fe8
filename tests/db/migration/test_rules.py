"""Each rule, on a source that it is for and on one that is near it."""

import pytest

from db.migration.rules.catalog import RULES
from tests.db.migration.conftest import Auditing

HEAD = "import sqlite3, requests, time, os, logging\nfrom contextlib import closing, contextmanager\n"
HELPER = "@contextmanager\ndef opened():\n    conn = sqlite3.connect('x.db')\n    try:\n        yield conn\n    finally:\n        conn.close()\n"
SUPERVISOR = '[program:desk]\ncommand=python desk.py\nenvironment=DB_HOST="db"\n'

OPENED = "def f(rows):\n    conn = sqlite3.connect('x.db')\n    cur = conn.cursor()\n"
TABLE = "def make(c):\n    c.execute('CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, open BOOLEAN, closed_at TEXT, price REAL)')\n"
POOL = "def f(pool):\n    conn = pool.getconn()\n    try:\n        conn.execute('SELECT a FROM t')\n    {}:\n        pool.putconn(conn)\n"
ROUTES = "DOOR_PORT = 4000\n@app.get('/trades/{trade_id}')\ndef trade(trade_id):\n    return trade_id\n"
WRONG: dict[str, dict[str, str]] = {
    "write-not-committed": {"a.py": OPENED + "    cur.execute('DELETE FROM t')\n    conn.close()\n"},
    "commit-in-loop": {
        "a.py": OPENED
        + "    for row in rows:\n        cur.execute('DELETE FROM t WHERE a = ?', row)\n        conn.commit()\n"
    },
    "cursor-reused": {
        "a.py": OPENED
        + "    for row in cur.execute('SELECT a FROM t'):\n        cur.execute('DELETE FROM u WHERE a = ?', row)\n    conn.commit()\n"
    },
    "connection-as-cursor": {"a.py": OPENED + "    conn.execute('SELECT a FROM t')\n    return conn.fetchone()\n"},
    "transaction-left-open": {
        "a.py": "conn = sqlite3.connect('x.db')\ndef f():\n    return conn.execute('SELECT a FROM t').fetchall()\n"
    },
    "pool-exhausted": {"a.py": POOL.format("except ValueError")},
    "like-collation": {"a.py": "def f(c):\n    c.execute(\"SELECT a FROM t WHERE b LIKE 'open%'\")\n"},
    "type-affinity": {"a.py": TABLE + "def f(c):\n    c.execute('SELECT id FROM t WHERE closed_at > ?', (1,))\n"},
    "group-by-lax": {"a.py": "def f(c):\n    c.execute('SELECT a, b, SUM(n) FROM t GROUP BY a')\n"},
    "column-missing": {"a.py": TABLE + "def f(c):\n    c.execute(\"INSERT INTO t (id, diff) VALUES (1, '+3')\")\n"},
    "direct-sqlite": {"a.py": "conn = sqlite3.connect('x.db')\n"},
    "generator-as-connection": {
        "a.py": HELPER + "def f():\n    conn = opened()\n    conn.execute('SELECT a FROM t')\n"
    },
    "connection-not-closed": {
        "a.py": "def f():\n    with sqlite3.connect('x.db') as conn:\n        conn.execute('DELETE FROM t')\n"
    },
    "connection-across-threads": {"a.py": "conn = sqlite3.connect('x.db', check_same_thread=False)\n"},
    "placeholders": {"a.py": "def f(c, a):\n    c.execute('SELECT b FROM t WHERE a = ?', (a,))\n"},
    "sql-formatted": {"a.py": "def f(c, a):\n    c.execute(f\"SELECT b FROM t WHERE a = '{a}'\")\n"},
    "sqlite-only-sql": {"a.py": "def f(c):\n    c.execute(\"SELECT strftime('%Y', d) FROM t\")\n"},
    "sqlite-only-api": {"a.py": "def f(c):\n    return c.lastrowid\n"},
    "columns-mismatch": {"a.py": "def f(c):\n    c.execute('INSERT INTO t (a, b) VALUES (1, 2, 3)')\n"},
    "database-copies": {"a.py": "a = sqlite3.connect('old/x.db')\nb = sqlite3.connect('new/x.db')\n"},
    "service-cycle": {
        "desk.py": "DESK_PORT = 4000\nrequests.get('http://localhost:4000/x', timeout=1)\n",
    },
    "route-missing": {"door.py": ROUTES, "desk.py": "requests.get('http://localhost:4000/trade/5', timeout=1)\n"},
    "polling-loop": {"a.py": "def f(c):\n    while True:\n        c.look()\n        time.sleep(1)\n"},
    "logging-in-loop": {"a.py": "def f(c):\n    while True:\n        logging.info('looking')\n        c.look()\n"},
    "blocking-in-async": {"a.py": "async def f():\n    time.sleep(1)\n"},
    "variable-not-passed": {"desk.py": "A = os.environ['DB_PORT']\n", "s.conf": SUPERVISOR},
    "variable-set-twice": {"desk.py": "", "s.conf": SUPERVISOR, ".env": "DB_HOST=other\n"},
    "ports-disagree": {"a.py": "DESK_PORT = 4000\n", "b.py": "PORTS = {'desk': 4001}\n"},
    "program-missing": {"a.py": "", "s.conf": SUPERVISOR},
    "secret-in-source": {"a.py": "api_key = 'k8Zp2LmQ9x'\n"},
    "absolute-path": {"a.py": "PLACE = '/home/me/trading/data'\n"},
    "http-without-timeout": {"a.py": "requests.get('http://localhost:1/x')\n"},
    "swallowed-exception": {"a.py": "def f(c):\n    try:\n        c.go()\n    except Exception:\n        pass\n"},
}

NEAR: dict[str, dict[str, str]] = {
    "write-not-committed": {"a.py": OPENED + "    cur.execute('DELETE FROM t')\n    conn.commit()\n    conn.close()\n"},
    "commit-in-loop": {
        "a.py": OPENED
        + "    for row in rows:\n        cur.execute('DELETE FROM t WHERE a = ?', row)\n    conn.commit()\n"
    },
    "cursor-reused": {
        "a.py": OPENED
        + "    for row in cur.execute('SELECT a FROM t'):\n        conn.execute('DELETE FROM u WHERE a = ?', row)\n    conn.commit()\n"
    },
    "connection-as-cursor": {"a.py": OPENED + "    return cur.execute('SELECT a FROM t').fetchone()\n"},
    "transaction-left-open": {
        "a.py": "conn = sqlite3.connect('x.db', isolation_level=None)\ndef f():\n    return conn.execute('SELECT a FROM t').fetchall()\n"
    },
    "pool-exhausted": {"a.py": POOL.format("finally")},
    "like-collation": {
        "a.py": TABLE
        + "def f(c):\n    c.execute(\"SELECT id FROM t WHERE name LIKE '5%' ORDER BY price, closed_at\")\n"
    },
    "type-affinity": {
        "a.py": "def make(c):\n    c.execute('CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT)')\n"
        "def f(c):\n    c.execute(\"SELECT id FROM t WHERE id > 5 AND name = '5'\")\n"
    },
    "group-by-lax": {"a.py": "def f(c):\n    c.execute('SELECT a, MAX(b), COUNT(*) FROM t GROUP BY a')\n"},
    "column-missing": {
        "a.py": TABLE
        + "def f(c):\n    c.execute('ALTER TABLE t ADD COLUMN diff TEXT')\n    c.execute(\"INSERT INTO t (id, diff) VALUES (1, '+3')\")\n"
    },
    "direct-sqlite": {"a.py": "import psycopg\nconn = psycopg.connect('dbname=x')\n"},
    "generator-as-connection": {
        "a.py": HELPER + "def f():\n    with opened() as conn:\n        conn.execute('SELECT a FROM t')\n"
    },
    "connection-not-closed": {
        "a.py": "def f():\n    with closing(sqlite3.connect('x.db')) as conn:\n        conn.execute('DELETE FROM t')\n"
    },
    "connection-across-threads": {"a.py": "conn = sqlite3.connect('x.db', check_same_thread=True)\n"},
    "placeholders": {"a.py": "def f(c, a):\n    c.execute(\"SELECT b FROM t WHERE a = %s AND b = 'why?'\", (a,))\n"},
    "sql-formatted": {
        "a.py": "T = 't'\ndef f(c, a):\n    c.execute(f\"SELECT b FROM {T} WHERE a IN ({','.join('?' * len(a))})\", a)\n"
    },
    "sqlite-only-sql": {"a.py": "def f(c):\n    c.execute(\"SELECT a FROM t WHERE b = 'strftime(rowid)'\")\n"},
    "sqlite-only-api": {"a.py": "def f(c):\n    return c.rowcount\n"},
    "columns-mismatch": {"a.py": "def f(c, p):\n    c.execute('INSERT INTO t (a, b) VALUES (?, ?)', (1, p))\n"},
    "database-copies": {"a.py": "a = sqlite3.connect('data/x.db')\nb = sqlite3.connect('./data/x.db')\n"},
    "service-cycle": {
        "desk.py": "DOOR_PORT = 4000\nrequests.get('http://localhost:4000/x', timeout=1)\n",
    },
    "route-missing": {"door.py": ROUTES, "desk.py": "requests.get('http://localhost:4000/trades/5', timeout=1)\n"},
    "polling-loop": {"a.py": "def f(c):\n    while c.more():\n        c.take()\n    time.sleep(1)\n"},
    "logging-in-loop": {
        "a.py": "def f(c):\n    while True:\n        if c.changed():\n            logging.info('changed')\n"
    },
    "blocking-in-async": {
        "a.py": "import asyncio\nasync def f():\n    await asyncio.sleep(1)\n    def g():\n        time.sleep(1)\n"
    },
    "variable-not-passed": {"desk.py": "A = os.environ['DB_HOST']\nB = os.environ['HOME']\n", "s.conf": SUPERVISOR},
    "variable-set-twice": {"desk.py": "", "s.conf": SUPERVISOR, ".env": "DB_HOST=db\n"},
    "ports-disagree": {"a.py": "DESK_PORT = 4000\nDOOR_PORT = 4001\n", "b.py": "PORTS = {'desk': 4000}\n"},
    "program-missing": {"desk.py": "", "s.conf": SUPERVISOR},
    "secret-in-source": {
        "a.py": "api_key = 'your-api-key'\napi_key_path = 'k8Zp2LmQ9x'\ntoken = os.environ['TOKEN']\n"
    },
    "absolute-path": {"a.py": "ROUTE = '/api/home/trades'\n"},
    "http-without-timeout": {"a.py": "requests.get('http://localhost:1/x', timeout=3)\n{}.get('x')\n"},
    "swallowed-exception": {
        "a.py": "def f(c):\n    try:\n        c.go()\n    except KeyError:\n        pass\n    except Exception:\n        raise\n"
    },
}


def with_head(files: dict[str, str]) -> dict[str, str]:
    return {name: HEAD + text if name.endswith(".py") else text for name, text in files.items()}


@pytest.mark.parametrize("rule", RULES)
def test_each_rule_finds_what_it_is_for(audited: Auditing, rule: str) -> None:
    found = audited(with_head(WRONG[rule]))

    assert rule in {one.rule for one in found.findings}


@pytest.mark.parametrize("rule", RULES)
def test_each_rule_leaves_alone_what_is_only_near(audited: Auditing, rule: str) -> None:
    found = audited(with_head(NEAR[rule]))

    assert found.unread == ()
    assert [one for one in found.findings if one.rule == rule] == []


@pytest.mark.parametrize(
    "source",
    [
        "import sqlite3\npassword = 'k8Zp2LmQ9x'; c = sqlite3.connect('x.db')\n",
        "import psycopg\ndef f():\n    c = psycopg.connect('postgresql://me:k8Zp2LmQ9x@db/trades')\n    c.execute('SELECT a FROM t')\n",
    ],
)
def test_nothing_shows_a_secret(audited: Auditing, source: str) -> None:
    found = audited({"a.py": source})

    assert "secret-in-source" in {one.rule for one in found.findings}
    assert "k8Zp2LmQ9x" not in repr(found)


@pytest.mark.parametrize(
    ("close", "is_left_open"),
    [
        ("    conn.execute('DELETE FROM t')\n    conn.close()\n", True),
        ("    try:\n        conn.execute('DELETE FROM t')\n    finally:\n        conn.close()\n", False),
        ("    return conn\n", False),
        ("    conn.execute('DELETE FROM t')\n", True),
    ],
)
def test_a_connection_is_to_be_closed_on_every_path(audited: Auditing, close: str, is_left_open: bool) -> None:
    found = audited({"a.py": HEAD + "def f():\n    conn = sqlite3.connect('x.db')\n" + close})

    assert ("connection-not-closed" in {one.rule for one in found.findings}) is is_left_open


@pytest.mark.parametrize(
    ("sqlite", "postgres"),
    [
        ("INSERT OR IGNORE INTO t (a) VALUES (?)", "INSERT INTO t (a) VALUES (%s) ON CONFLICT DO NOTHING"),
        ("SELECT a FROM t WHERE b LIKE '5%' AND c = :c", "SELECT a FROM t WHERE b LIKE '5%%' AND c = %(c)s"),
        ("CREATE TABLE t (n INTEGER)", "CREATE TABLE t (n BIGINT)"),
        ("INSERT OR REPLACE INTO t (a) VALUES (?)", None),
        ("SELECT datetime('now'), a FROM t", None),
        ('SELECT a FROM t WHERE b = "open"', None),
    ],
)
def test_a_statement_is_translated_where_that_is_certain(audited: Auditing, sqlite: str, postgres: str | None) -> None:
    (one,) = audited({"a.py": f"def f(c, p):\n    c.execute({sqlite!r}, p)\n"}).statements

    assert one.postgres == postgres

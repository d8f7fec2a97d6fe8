"""What an inventory holds, of small sources."""

from tests.db.migration.conftest import Auditing


def test_a_connection_is_found_under_another_name(audited: Auditing) -> None:
    found = audited({"a.py": "from sqlite3 import connect as opened\nconn = opened('x.db')\n"})

    assert [(one.line, one.how, one.target) for one in found.connections] == [(2, "aliased", "x.db")]


def test_another_connect_is_none(audited: Auditing) -> None:
    found = audited({"a.py": "import socket\nconn = socket.create_connection(('x', 1))\nconn.connect('x.db')\n"})

    assert found.connections == ()


def test_a_connection_is_followed_through_a_helper_of_another_file(audited: Auditing) -> None:
    helper = "import sqlite3\nPATH = 'a/b.db'\ndef opened():\n    conn = sqlite3.connect(PATH)\n    return conn\n"

    found = audited({"lib/place.py": helper, "main.py": "from lib.place import opened\ndef go():\n    opened()\n"})

    assert [(one.file, one.function, one.how, one.target) for one in found.connections] == [
        ("lib/place.py", "opened", "direct", "a/b.db"),
        ("main.py", "go", "helper", "a/b.db"),
    ]


def test_a_statement_tells_its_tables_and_columns_and_its_translation(audited: Auditing) -> None:
    source = "def f(c):\n    c.execute('INSERT INTO trades (id, price) SELECT a, ? FROM old', (1,))\n"

    (one,) = audited({"a.py": source}).statements

    assert (one.operation, one.reads, one.writes, one.placeholders, one.parameters) == (
        "INSERT",
        ("old",),
        ("trades",),
        1,
        1,
    )
    assert one.postgres == "INSERT INTO trades (id, price) SELECT a, %s FROM old"


def test_a_statement_is_read_through_names_and_formatting(audited: Auditing) -> None:
    source = "TABLE = 'ticks'\ndef f(c, n):\n    q = f'SELECT x FROM {TABLE} LIMIT {n}'\n    c.execute(q)\n"

    (one,) = audited({"a.py": source}).statements

    assert (one.sql, one.reads, one.formatted) == ("SELECT x FROM ticks LIMIT {n}", ("ticks",), True)


def test_no_statement_is_made_of_a_sentence(audited: Auditing) -> None:
    assert audited({"a.py": "x = 'Select your table from the list'\nprint('update done')\n"}).statements == ()


def test_the_matrix_tells_who_reads_and_who_writes(audited: Auditing) -> None:
    found = audited(
        {
            "a.py": "def f(c):\n    c.execute('SELECT 1 FROM t')\n    c.execute('DELETE FROM t')\n    c.execute('DROP TABLE u')\n"
        }
    )

    assert [(one.table, one.access) for one in found.matrix] == [("t", "rw"), ("u", "w")]


def test_a_variable_is_followed_through_the_function_that_reads_it(audited: Auditing) -> None:
    source = "import os\ndef flag(name):\n    return os.getenv(name, '')\nA = flag('TURBO')\nB = os.environ['HOST']\n"

    found = audited({"a.py": source})

    assert [(one.name, one.default) for one in found.variables] == [("TURBO", True), ("HOST", False)]


def test_what_supervisor_passes_is_told_program_by_program(audited: Auditing) -> None:
    text = '[program:desk]\ncommand=python desk.py --port 4000\nenvironment=A="x,y",DB_PASSWORD=hunter2\nstdout_logfile=logs/desk.log\n'

    found = audited({"supervisord.conf": text})

    assert [(one.name, one.value, one.set_for) for one in found.variables] == [
        ("A", "x,y", "desk"),
        ("DB_PASSWORD", "***", "desk"),
    ]
    assert [(one.path, one.kind) for one in found.paths] == [("desk.py", "program"), ("logs/desk.log", "log")]
    assert [(one.port, one.service) for one in found.ports] == [(4000, "desk")]


def test_a_shell_script_tells_its_databases_statements_calls_and_loops(audited: Auditing) -> None:
    text = 'export MODE=live\nwhile true; do\n  sqlite3 data/x.db "SELECT n FROM t"\n  curl -m 3 http://localhost:3000/x\n  sleep 5\ndone\n'

    found = audited({"poll.sh": text})

    assert [(one.how, one.target) for one in found.connections] == [("shell", "data/x.db")]
    assert [one.reads for one in found.statements] == [("t",)]
    assert [(one.url, one.timeout) for one in found.http_calls] == [("http://localhost:3000/x", True)]
    assert [(one.interval, one.does) for one in found.loops] == [("5", ("sqlite3", "curl"))]


def test_a_polling_loop_tells_what_it_does_each_round(audited: Auditing) -> None:
    source = "import time\ndef poll(c):\n    while True:\n        c.execute('SELECT 1 FROM t')\n        time.sleep(2)\n"

    (one,) = audited({"a.py": source}).loops

    assert (one.line, one.function, one.interval, one.does) == (3, "poll", "2", ("c.execute",))


def test_a_loop_that_does_not_sleep_is_none(audited: Auditing) -> None:
    assert audited({"a.py": "def f(q):\n    while q:\n        q.pop()\n"}).loops == ()


def test_http_calls_tell_their_address_and_whether_they_wait_for_ever(audited: Auditing) -> None:
    source = (
        "import requests\nBASE = 'http://localhost:8001'\ns = requests.Session()\n"
        "def f(i):\n    requests.get(BASE + '/a', timeout=2)\n    s.post(f'{BASE}/b/{i}')\n    {}.get('c')\n"
    )

    found = audited({"a.py": source})

    assert [(one.method, one.url, one.timeout) for one in found.http_calls] == [
        ("GET", "http://localhost:8001/a", True),
        ("POST", "http://localhost:8001/b/{i}", False),
    ]

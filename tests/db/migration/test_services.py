"""Who calls whom, the ways round in it, and which files of SQLite are one and which may be copies."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from db.migration.audit import audit
from db.migration.words import Audit
from tests.db.migration.conftest import Auditing

SUPERVISOR = "[program:desk]\ncommand=python desk.py\n[program:door]\ncommand=python door.py\n"
PORTS = "PORTS = {'desk': 4000, 'door': 5000}\ndef get_port(name):\n    return PORTS[name]\n"
CALL = "import requests\nfrom ports import get_port\n"


def edges(found: Audit) -> list[tuple[str, str, list[str]]]:
    return [(one.caller, one.callee, [call.said for call in one.calls]) for one in found.calls]


def test_a_call_leads_to_the_service_that_its_address_names(audited: Auditing) -> None:
    source = CALL + "PORT = get_port('door')\ndef f():\n    requests.post(f'http://here:{PORT}/knock', timeout=1)\n"

    found = audited({"s.conf": SUPERVISOR, "ports.py": PORTS, "desk.py": source, "door.py": ""})

    assert edges(found) == [("desk", "door", ["POST /knock"])]


def test_a_call_by_the_number_of_a_port_leads_to_the_service_that_has_it(audited: Auditing) -> None:
    source = "import requests\nrequests.get('http://localhost:5000/x', timeout=1)\n"

    assert edges(audited({"s.conf": SUPERVISOR, "ports.py": PORTS, "desk.py": source})) == [
        ("desk", "door", ["GET /x"])
    ]


def test_a_call_out_of_the_house_leads_to_its_host(audited: Auditing) -> None:
    source = "import requests\nBASE = {'live': 'https://venue.example/v2'}\nrequests.get(BASE['live'] + '/orders', timeout=1)\n"

    assert edges(audited({"desk.py": source})) == [("desk.py", "venue.example", ["GET /orders"])]


def test_what_a_program_imports_calls_for_it(audited: Auditing) -> None:
    files = {"s.conf": SUPERVISOR, "ports.py": PORTS, "desk.py": "import told\n", "door.py": ""}
    told = CALL + "def f():\n    requests.get(f\"http://x:{get_port('door')}/a\", timeout=1)\n"

    assert edges(audited({**files, "told.py": told})) == [("desk", "door", ["GET /a"])]


def test_services_that_wait_for_each_other_are_found(audited: Auditing) -> None:
    """Lesson 47: a ring of calls that each wait for the next is told from the source."""
    call = CALL + "def f():\n    requests.get(f\"http://x:{{get_port('{}')}}/a\", timeout=1)\n"
    files = {"s.conf": SUPERVISOR, "ports.py": PORTS, "desk.py": call.format("door"), "door.py": call.format("desk")}

    found = audited(files)

    assert found.cycles == (("desk", "door"),)
    assert [one.subject for one in found.findings if one.rule == "service-cycle"] == ["desk -> door -> desk"]


def test_a_chain_of_services_is_no_way_round(audited: Auditing) -> None:
    call = CALL + "def f():\n    requests.get(f\"http://x:{get_port('door')}/a\", timeout=1)\n"

    found = audited({"s.conf": SUPERVISOR, "ports.py": PORTS, "desk.py": call, "door.py": ""})

    assert found.cycles == ()
    assert "service-cycle" not in {one.rule for one in found.findings}


def test_an_attached_database_is_told_with_its_name(audited: Auditing) -> None:
    source = "def f(c):\n    c.execute('ATTACH DATABASE ? AS old', ('data/old.db',))\n    c.execute(\"ATTACH 'x.db' AS other\")\n"

    found = audited({"a.py": source})

    assert [(one.line, one.target, one.name) for one in found.attachments] == [
        (2, "data/old.db", "old"),
        (3, "x.db", "other"),
    ]


def test_two_spellings_of_one_path_are_one_database(audited: Auditing) -> None:
    source = "import sqlite3\nsqlite3.connect('./data/x.db')\nsqlite3.connect('data/y/../x.db')\n"

    (one,) = audited({"a.py": source}).databases

    assert (one.path, one.spelled, one.copies) == ("data/x.db", ("./data/x.db", "data/y/../x.db"), ())


def test_a_folder_that_falls_back_to_another_one_makes_two_copies(audited: Auditing) -> None:
    source = (
        "import os, sqlite3\ndef folder():\n    if os.path.exists('data/new'):\n        return 'data/new'\n    return 'data/old'\n"
        "sqlite3.connect(os.path.join(folder(), 'x.db'))\n"
    )

    found = audited({"a.py": source})

    assert [(one.path, one.copies) for one in found.databases] == [
        ("data/new/x.db", ("data/old/x.db",)),
        ("data/old/x.db", ("data/new/x.db",)),
    ]
    assert [one.subject for one in found.findings if one.rule == "database-copies"] == ["data/new/x.db"]


def test_files_of_one_name_for_two_purposes_are_told_apart_by_nobody_and_said(audited: Auditing) -> None:
    found = audited({"a.py": "import sqlite3\nsqlite3.connect('a/x.db')\nsqlite3.connect('b/y.db')\n"})

    assert [one for one in found.findings if one.rule == "database-copies"] == []


def test_databases_beside_the_sources_are_told_with_their_tables_and_left_as_they_are(tmp_path: Path) -> None:
    for name in ("a.db", "b.db"):
        with closing(sqlite3.connect(tmp_path / name)) as connection:
            connection.execute("CREATE TABLE trades (id INTEGER)")
    (tmp_path / "empty.db").write_bytes(b"")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    found = audit(tmp_path)

    assert [(one.path, one.there, one.tables, one.copies) for one in found.databases] == [
        ("a.db", True, ("trades",), ("b.db",)),
        ("b.db", True, ("trades",), ("a.db",)),
    ]
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_the_old_system_s_ring_of_calls_is_found(legacy: Callable[[str], Audit]) -> None:
    """Lesson 47: main -> trade manager -> active trade supervisor -> main."""
    found = legacy("rec_io_0008c12")

    assert ("active_trade_supervisor", "main_app", "trade_manager") in found.cycles
    places = {(one.caller, one.callee): one.calls for one in found.calls}
    closing_call = places["active_trade_supervisor", "main_app"][-1]
    assert (closing_call.said, closing_call.file, closing_call.line) == (
        "POST /trades",
        "backend/active_trade_supervisor.py",
        1708,
    )


def test_each_address_of_the_old_system_leads_somewhere(legacy: Callable[[str], Audit]) -> None:
    """All but four lines of shell that put the port into a script of Python inside of a script of theirs."""
    found = legacy("rec_io_0008c12")

    nowhere = {(one.file, one.line) for one in found.http_calls if one.to is None}
    assert nowhere == {
        ("scripts/CAPTURE_CURRENT_STATE.sh", 197),
        *(("scripts/RESTORE_TO_CURRENT_STATE.sh", line) for line in (245, 246, 247)),
    }


def test_the_old_trades_may_stand_in_several_files(legacy: Callable[[str], Audit]) -> None:
    """The folder of a user falls back to the one of before there were users (backend/util/paths.py 40-48)."""
    found = legacy("rec_io_0008c12")

    copies = {one.path: one.copies for one in found.databases}
    assert "backend/data/trade_history/trades.db" in copies["backend/data/users/user_0001/trade_history/trades.db"]


ROUTES = "DOOR_PORT = 4000\nfrom flask import Flask\napp = Flask('x')\n"


@pytest.mark.parametrize(
    ("routes", "call", "is_missing"),
    [
        ("@app.route('/trades')\ndef f(): ...\n", "get('http://localhost:4000/trades?status=open')", False),
        ("@app.route('/trades')\ndef f(): ...\n", "post('http://localhost:4000/trades')", True),
        ("@app.route('/trades', methods=['POST'])\ndef f(): ...\n", "post('http://localhost:4000/trades')", False),
        ("@app.get('/files/{name:path}')\ndef f(): ...\n", "get('http://localhost:4000/files/a/b/c')", False),
        (
            "app.mount('/static', files)\n@app.get('/x')\ndef f(): ...\n",
            "get('http://localhost:4000/static/a.js')",
            False,
        ),
        ("r = APIRouter(prefix='/api')\n@r.get('/x')\ndef f(): ...\n", "get('http://localhost:4000/api/x')", False),
        ("@app.get('/x')\ndef f(): ...\n", "get(f'http://localhost:4000/{kind}')", False),
        ("@app.get('/x/y')\ndef f(): ...\n", "get(f'http://localhost:4000/a/{kind}')", True),
        # Nobody can say which routes there are.
        ("", "get('http://localhost:4000/x')", False),
    ],
)
def test_a_route_that_is_asked_for_and_not_there_is_found(
    audited: Auditing, routes: str, call: str, is_missing: bool
) -> None:
    """Lesson 52"""
    found = audited({"door.py": ROUTES + routes, "desk.py": f"import requests\ndef f(kind):\n    requests.{call}\n"})

    assert ("route-missing" in {one.rule for one in found.findings}) is is_missing


def test_the_routes_that_the_old_services_asked_for_in_vain_are_found(legacy: Callable[[str], Audit]) -> None:
    """Lesson 52: GET /trades/{id} of the trade manager, and with it the fallback of the active trade supervisor's probability."""
    found = legacy("rec_io_0008c12")

    missing = {(one.file, one.line) for one in found.findings if one.rule == "route-missing"}
    assert missing >= {("backend/main.py", 788), ("backend/active_trade_supervisor.py", 1105)}
    assert len([file for file, _ in missing if file.startswith("backend/")]) == 4

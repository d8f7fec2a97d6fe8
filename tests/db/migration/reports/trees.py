"""An audited tree in which everything occurs, and in which the files try to be more than text."""

from pathlib import Path

from db.migration.audit import audit
from db.migration.words import Audit

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"
FILES = {
    "s.conf": "[program:desk]\ncommand=python desk.py\n[program:door]\ncommand=python door.py\n",
    "ports.py": "PORTS = {'desk': 4000, 'door': 5000}\ndef get_port(name):\n    return PORTS[name]\n",
    "desk.py": (
        "import requests, sqlite3\nfrom ports import get_port\n"
        "def f():\n    requests.post(f\"http://localhost:{get_port('door')}/knock\")\n"
        "    conn = sqlite3.connect('a/x.db')\n    conn.execute('INSERT OR IGNORE INTO trades (id) VALUES (?)', (1,))\n"
    ),
    "door.py": (
        "import requests, sqlite3\nrequests.get('http://localhost:4000/x', timeout=1)\nrequests.get('https://venue.example/y', timeout=1)\n"
        f"# ```` | `{HOSTILE}\nconn = sqlite3.connect('b/x.db')  # {HOSTILE} ````\n"
        "def g(c):\n    c.execute('SELECT a FROM trades')\n"
    ),
    "a folder/x y#z.py": "import sqlite3\nconn = sqlite3.connect('c.db')\n",
    "broken.py": "def f(:\n",
}


def a_tree(folder: Path) -> Audit:
    """Write the tree into a folder and audit it."""
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return audit(folder)

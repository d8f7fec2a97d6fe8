"""Files that no audit can read, or not wholly: each is told, and the rest is audited."""

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bus.messages.plain import to_json
from db.migration.audit import audit
from db.migration.rules import statements
from db.migration.rules.catalog import RULES
from db.migration.sources import BYTES_MAX
from db.migration.sql import statements_in
from db.migration.stating import statement_of
from db.migration.texts import Text

GOOD = "import sqlite3\nsqlite3.connect('x.db')\n"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"def f(:\n", "no Python: line 1"),
        (b"x = '\0'\n", "binary"),
        (b"#" * (BYTES_MAX + 1), "larger than"),
        (b"x = 1 # \xff\xfe\n", "not UTF-8"),
        (b"# -*- coding: klingon -*-\nx = 1\n", "not UTF-8"),
        (b"x = " + b"(" * 5000 + b")" * 5000, "no Python"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_beside_those_that_can(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "bad.py").write_bytes(content)
    (tmp_path / "good.py").write_text(GOOD)

    found = audit(tmp_path)

    assert [one.file for one in found.unread] == ["bad.py"]
    assert found.unread[0].reason.startswith(reason)
    assert [one.file for one in found.connections] == ["good.py"]


def test_a_circle_of_links_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "good.py").write_text(GOOD)
    (tmp_path / "again").symlink_to(tmp_path)

    found = audit(tmp_path)

    assert [(one.file, one.reason) for one in found.unread] == [("again", "a symbolic link, not followed")]
    assert len(found.connections) == 1


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.py")

    assert [one.reason for one in audit(tmp_path).unread] == ["not a regular file"]


def test_a_name_that_is_no_text_is_told_in_text(tmp_path: Path) -> None:
    (Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.py"))).write_text("x = (\n")

    (one,) = audit(tmp_path).unread

    assert one.file.encode()


@pytest.mark.parametrize(
    "source",
    [
        "x = x\ny = x + 'a'\ndef f(c):\n    c.execute(y)\n",
        "def f():\n    return f()\nimport sqlite3\nsqlite3.connect(f())\n",
        "a = b\nb = a\na.connect()\n",
        "x = " + " + ".join(["'a'"] * 900) + "\n",
        "".join(f"{one} = f'{{a}}{{b}}{{c}}{{d}}{{e}}.db'\n" for one in "abcde"),
        "".join(f"a{n} = f'{{a{n + 1}}}{{a{n + 1}}}{{a{n + 1}}}{{a{n + 1}}}.db'\n" for n in range(24)),
        "def f():\n    return f'{g()}{g()}{g()}{g()}'\ndef g():\n    return f'{f()}{f()}{f()}{f()}'\nx = f'{f()}.db'\n",
        "import os\nos.environ[" + "-" * 80 + "1]\n",
    ],
    ids=("itself", "recursion", "circle", "long", "each other", "doubled", "functions", "nested"),
)
def test_names_that_lead_round_in_a_circle_end(tmp_path: Path, source: str) -> None:
    (tmp_path / "a.py").write_text(source)

    assert audit(tmp_path).unread == ()


def test_half_a_pair_of_surrogates_can_be_told(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("import sqlite3\nsqlite3.connect('\\ud8ff.db')\n")

    assert to_json(audit(tmp_path))


WORDS = [
    "SELECT",
    "FROM",
    "t",
    "WHERE",
    "a",
    "=",
    "?",
    "(",
    ")",
    ",",
    "*",
    "'",
    '"',
    "GROUP",
    "BY",
    "HAVING",
    "ORDER",
    "LIKE",
    "NULL",
    "datetime('now')",
    "strftime('%s','now')",
    ":x",
    "hole_0",
    "1",
    "INSERT",
    "OR",
    "REPLACE",
    "INTO",
    "VALUES",
    "CREATE",
    "TABLE",
    "UNIQUE",
    "PRIMARY",
    "KEY",
    "UPDATE",
    "SET",
    "ALTER",
    "ADD",
    "COLUMN",
    "ATTACH",
    "AS",
    "PRAGMA",
    "table_info(t)",
]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=14))
def test_no_words_of_sql_in_any_order_end_an_audit(words: list[str]) -> None:
    text = " ".join(words)

    where: dict[str, object] = {"file": "a.py", "line": 1}
    stated = [(statement_of(sql, Text(text), where, None, executed=True), sql) for sql in statements_in(text)]
    assert {one.rule for one in statements.findings(stated)} <= set(RULES)

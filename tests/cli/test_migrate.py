"""`migrate audit` at the command line."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import run
from tests.house.source import ROOT

SOURCE = "import sqlite3\ndef f():\n    conn = sqlite3.connect('x.db')\n    conn.execute('SELECT a FROM trades')\n"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "a.py").write_text(SOURCE)
    return tmp_path


@pytest.mark.parametrize("flags", [["--json"], ["--format", "json"]])
def test_an_audit_is_one_document(tree: Path, capfdbinary: pytest.CaptureFixture[bytes], flags: list[str]) -> None:
    assert run.main(["migrate", "audit", str(tree), *flags]) == 0

    document = json.loads(capfdbinary.readouterr().out)
    assert [(one["file"], one["line"]) for one in document["connections"]] == [("a.py", 3)]


def test_an_audit_for_people_shows_who_uses_which_table(tree: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run.main(["migrate", "audit", str(tree)]) == 0

    assert "trades" in capfd.readouterr().out


def test_a_path_that_is_not_there_is_wrong_use(tree: Path) -> None:
    assert run.main(["migrate", "audit", str(tree / "nowhere")]) == 2


def test_no_other_command_waits_for_the_parser_of_sql() -> None:
    look = "import sys, run; sys.exit('sqlglot' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", look], cwd=ROOT, check=False).returncode == 0


def test_a_rule_that_finds_something_fails_the_audit_that_names_it(tree: Path) -> None:
    assert run.main(["migrate", "audit", str(tree), "--fail-on", "direct-sqlite"]) == 1
    assert run.main(["migrate", "audit", str(tree), "--fail-on", "ports-disagree"]) == 0


@pytest.mark.parametrize(("most", "code"), [("1", 1), ("2", 0)])
def test_more_findings_than_are_allowed_fail_the_audit(tree: Path, most: str, code: int) -> None:
    """The source opens a file itself, and leaves it open."""
    assert run.main(["migrate", "audit", str(tree), "--fail-on", most]) == code


def test_against_a_baseline_only_what_is_new_fails(tree: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    run.main(["migrate", "audit", str(tree), "--json"])
    baseline = tree / "before.json"
    baseline.write_bytes(capfdbinary.readouterr().out)
    (tree / "a.py").write_text("# a line more\n" + SOURCE)

    assert run.main(["migrate", "audit", str(tree), "--baseline", str(baseline)]) == 0

    (tree / "a.py").write_text(SOURCE + SOURCE.replace("def f", "def g"))
    assert run.main(["migrate", "audit", str(tree), "--baseline", str(baseline)]) == 1


@pytest.mark.parametrize(
    "flags", [["--fail-on", "direct-sqlit"], ["--baseline", "/nowhere"], ["--baseline", "pyproject.toml"]]
)
def test_what_cannot_be_meant_is_wrong_use(tree: Path, flags: list[str]) -> None:
    assert run.main(["migrate", "audit", str(tree), *flags]) == 2


@pytest.mark.parametrize(
    ("form", "begins"), [("sarif", '{"$schema"'), ("md", "# Audit of"), ("html", "<!doctype html>")]
)
def test_an_audit_is_printed_in_each_form(
    tree: Path, capfd: pytest.CaptureFixture[str], form: str, begins: str
) -> None:
    assert run.main(["migrate", "audit", str(tree), "--format", form]) == 0

    assert capfd.readouterr().out.startswith(begins)


def test_the_environment_is_written_beside_the_audit(tree: Path, tmp_path: Path) -> None:
    folder = tmp_path / "emitted"

    assert run.main(["migrate", "audit", str(tree), "--emit-environment", str(folder)]) == 0
    assert (folder / "conflicts.md").read_text().endswith("None.\n")


def test_the_environment_overwrites_nothing(tree: Path) -> None:
    assert run.main(["migrate", "audit", str(tree), "--emit-environment", str(tree)]) == 2


def test_a_context_manager_that_is_used_as_a_connection_fails_the_audit_that_names_it(tree: Path) -> None:
    """Lesson 66: the old move failed by this, in a file beside the one that defines it."""
    helper = (
        "import sqlite3, contextlib\n@contextlib.contextmanager\ndef opened():\n    yield sqlite3.connect('x.db')\n"
    )
    (tree / "helper.py").write_text(helper)
    gate = ["migrate", "audit", str(tree), "--fail-on", "generator-as-connection"]

    (tree / "b.py").write_text(
        "from helper import opened\nwith opened() as conn:\n    conn.execute('SELECT a FROM t')\n"
    )
    assert run.main(gate) == 0
    (tree / "b.py").write_text("from helper import opened\nconn = opened()\nconn.execute('SELECT a FROM t')\n")
    assert run.main(gate) == 1

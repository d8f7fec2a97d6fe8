"""config/supervisord.conf starts a program that exists, and stops it as it wants to be stopped."""

import configparser
import re
from pathlib import Path

import pytest

import run
from config.settings import load
from tests.cli.conftest import Ended

ROOT = Path(run.__file__).parent


def the_program() -> configparser.SectionProxy:
    parser = configparser.RawConfigParser(inline_comment_prefixes=(" ;",))
    parser.read(ROOT / "config" / "supervisord.conf")
    return parser["program:watchkeeper"]


def test_the_program_that_is_started_exists(capfd: pytest.CaptureFixture[str]) -> None:
    """Lesson 65: a name that nobody knows is an error before it is started."""
    python, script, *words = the_program()["command"].replace("%(here)s", str(ROOT / "config")).split()

    code = run.main([*words, "--help"])

    assert (Path(python).parents[2].resolve() / script).samefile(run.__file__)
    assert python.endswith(".venv/bin/python")
    assert Ended(code, *capfd.readouterr()).code == 0


def test_it_is_given_more_time_than_it_needs_to_drain() -> None:
    """Fault 48 (its part of order 1): the process ends by itself before it is killed."""
    assert int(the_program()["stopwaitsecs"]) >= load({}).actors.stop_timeout_s + 5 + 5


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("autorestart", "true"), ("startsecs", "10"), ("startretries", "1000"), ("stopsignal", "TERM"), ("stopasgroup", "true"),
        ("killasgroup", "true"),
    ],
)  # fmt: skip
def test_it_is_started_again_and_stopped_with_its_children(key: str, value: str) -> None:
    assert the_program()[key] == value


def test_no_secret_and_no_unknown_name_stands_in_its_environment(tmp_path: Path) -> None:
    """Fault 50: secrets come by file. Lesson 66 (its part of order 1): what it is given are settings that exist."""
    given = dict(re.findall(r'(\w+)="([^"]*)"', the_program()["environment"]))
    ours = {name: value for name, value in given.items() if name.startswith("WATCHKEEPER_")}
    empty = tmp_path / "empty.toml"
    empty.write_text("")

    assert set(ours) == {"WATCHKEEPER_CONFIG"}
    assert load({"WATCHKEEPER_CONFIG": str(empty)}).origins

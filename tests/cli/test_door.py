"""The front door: exit codes, help, and what goes where."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import run
from config.version import VERSION
from tests.cli.conftest import Type

ROOT = Path(run.__file__).parent
COMMANDS = [
    ["check"],
    *(["trade", verb] for verb in ("list", "show", "open", "close", "adopt", "export")),
    *(["stop", verb] for verb in ("arm", "disarm", "set", "waive")),
    *(["settings", verb] for verb in ("get", "set", "history")),
    *(["system", verb] for verb in ("halt", "reduce-only", "resume", "status")),
    *(["db", verb] for verb in ("create", "upgrade", "downgrade", "status", "roles")),
    ["events", "tail"],
]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_has_help_with_config_and_json(words: list[str], type_command: Type) -> None:
    ended = type_command(*words, "--help")

    assert ended.code == 0
    assert "--config" in ended.out
    assert "--json" in ended.out


def test_the_version_is_that_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    assert project["version"] == VERSION


@pytest.mark.parametrize(
    "words", [["trade", "opn"], ["trade", "show"], ["trade", "list", "--states", "open"], ["nonsense"]]
)
def test_wrong_use_ends_with_2_and_says_what_is_wrong(words: list[str], type_command: Type) -> None:
    ended = type_command(*words)

    assert ended.code == 2
    assert "Error" in ended.err
    assert ended.out == ""


def test_wrong_configuration_ends_with_2_naming_key_value_origin_and_range(type_command: Type) -> None:
    """Lesson 9"""
    ended = type_command("check", WATCHKEEPER_HTTP_PORT="65536")

    assert ended.code == 2
    assert "http.port = '65536' (from environment WATCHKEEPER_HTTP_PORT)" in ended.err
    assert "from 0 to 65535" in ended.err


def test_a_configuration_file_that_is_missing_ends_with_2(type_command: Type, tmp_path: Path) -> None:
    ended = type_command("check", "--config", str(tmp_path / "missing.toml"))

    assert ended.code == 2
    assert "missing.toml: cannot be read" in ended.err


def test_without_an_address_a_command_says_which_variable_to_set(type_command: Type) -> None:
    ended = type_command("trade", "list")

    assert ended.code == 2
    assert "set WATCHKEEPER_NATS_URL" in ended.err


def test_a_server_that_is_away_ends_with_69_and_shows_no_password(type_command: Type) -> None:
    ended = type_command("system", "status", "--json", WATCHKEEPER_NATS_URL="nats://user:canary@127.0.0.1:1")

    assert ended.code == 69
    assert "nats://user:****@127.0.0.1:1" in ended.err
    assert "canary" not in ended.err + ended.out


def test_an_internal_fault_ends_with_70_and_shows_no_password(
    type_command: Type, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fault() -> None:
        raise RuntimeError("cannot use nats://user:canary@host")

    monkeypatch.setattr(run, "tree", lambda _: fault())

    ended = type_command("check")

    assert ended.code == 70
    assert "RuntimeError" in ended.err
    assert "canary" not in ended.err


def test_the_door_is_a_program_of_its_own() -> None:
    ended = subprocess.run(
        [sys.executable, "run.py", "--version"], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )

    assert ended.returncode == 0
    assert ended.stdout.strip() == VERSION

"""The environment that an audit writes for the old services: exact where one value is known, and a list where somebody has to choose."""

import configparser
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from db.migration.audit import audit
from db.migration.environment import CONFLICTS, VARIABLES, Emitted, emit, write
from tests.db.migration.conftest import LEGACY

CONF = '[program:desk]\ncommand=python desk.py --at "%(here)s"\nenvironment=PATH="venv/bin",MODE="live"\nstopasgroup=true\n'
USES = "import os\nA = os.environ['MODE']\nB = os.environ['HOST']\nC = os.getenv('TOKEN_KEY')\n"

Emitting = Callable[[dict[str, str]], Emitted]


@pytest.fixture
def emitted(tmp_path: Path) -> Emitting:
    def run(files: dict[str, str]) -> Emitted:
        for name, text in files.items():
            (tmp_path / name).write_text(text)
        return emit(audit(tmp_path), tmp_path)

    return run


def test_a_variable_of_one_value_reaches_a_shell_as_it_is(emitted: Emitting, tmp_path: Path) -> None:
    """Lesson 66: the environment did not reach the processes. Fault 50: a value with a quote and a percent sign arrives exactly."""
    value = 'it\'s 100% "here" \\ # no comment'
    made = emitted({"s.conf": CONF, "desk.py": "import os\nA = os.environ['MOTTO']\n", ".env": f"MOTTO={value}\n"})
    write(made, tmp_path / "out")

    command = f"set -a; . {tmp_path / 'out' / VARIABLES}; set +a; python3 -c 'import os; print(os.environ[\"MOTTO\"])'"
    assert subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True).stdout == f"{value}\n"


def test_two_values_are_listed_and_none_is_chosen(emitted: Emitting) -> None:
    made = emitted({"s.conf": CONF, "desk.py": USES, ".env": "MODE=paper\n"})

    assert "\nMODE=" not in made.files[VARIABLES]
    (told,) = (one for one in made.conflicts if "`MODE`" in one)
    assert told == "`MODE` is one of several: `paper` in .env:1; `live` in s.conf:3"


def test_a_variable_that_nobody_sets_is_listed_with_who_uses_it(emitted: Emitting) -> None:
    made = emitted({"s.conf": CONF, "desk.py": USES})

    assert "# HOST=    no value was found; used in desk.py:3" in made.files[VARIABLES]
    assert "`HOST` has no value anywhere; used in desk.py:3" in made.conflicts


def test_no_secret_is_copied(emitted: Emitting) -> None:
    made = emitted({"s.conf": CONF, "desk.py": USES, ".env": "TOKEN_KEY=k8Zp2LmQ9x\n"})

    assert "k8Zp2LmQ9x" not in repr(made)
    assert "`TOKEN_KEY` is a secret and not copied: it stands in .env:1" in made.conflicts


def test_a_value_that_a_shell_makes_is_not_taken_for_its_words(emitted: Emitting) -> None:
    made = emitted({"s.conf": CONF, "desk.py": USES, "run.sh": "export HOST=$(hostname)\n"})

    assert "\nHOST=" not in made.files[VARIABLES]
    assert "`HOST` is made by a shell: `$(hostname)` in run.sh:1" in made.conflicts


def test_an_include_is_the_program_as_it_was_without_what_the_file_has(emitted: Emitting) -> None:
    made = emitted({"s.conf": CONF, "desk.py": USES})

    parser = configparser.RawConfigParser()
    parser.read_string(made.files["programs/desk.conf"])
    assert dict(parser.items("program:desk")) == {
        "command": 'python desk.py --at "%(here)s"',
        "environment": 'PATH="venv/bin"',
        "stopasgroup": "true",
    }


def test_two_configurations_of_one_program_are_a_conflict(emitted: Emitting) -> None:
    made = emitted({"s.conf": CONF, "other.conf": CONF.replace("stopasgroup=true", "stopasgroup=false"), "desk.py": ""})

    assert "program `desk`, `stopasgroup`: `false` in other.conf; `true` in s.conf" in made.conflicts
    assert "stopasgroup=" not in made.files["programs/desk.conf"]


def test_a_folder_with_something_in_it_is_left_as_it_is(emitted: Emitting, tmp_path: Path) -> None:
    made = emitted({"s.conf": CONF, "desk.py": USES})

    with pytest.raises(FileExistsError):
        write(made, tmp_path)
    assert not (tmp_path / CONFLICTS).exists()


def test_the_old_services_get_one_environment_with_their_ten_programs(legacy_tree: Path) -> None:
    """Lesson 66: TRADING_SYSTEM_HOST was passed to one of ten programs, and read by those that all ten import."""
    made = emit(audit(legacy_tree), legacy_tree)

    assert "\nTRADING_SYSTEM_HOST=localhost\n" in made.files[VARIABLES]
    assert len([name for name in made.files if name.startswith("programs/")]) == 10


@pytest.fixture
def legacy_tree(tmp_path: Path) -> Path:
    archive = LEGACY / "rec_io_0008c12.tar.gz"
    if not archive.exists():
        pytest.skip(f"the recorded source tree is not on this machine ({archive})")
    with tarfile.open(archive) as packed:
        packed.extractall(tmp_path, filter="data")
    return tmp_path

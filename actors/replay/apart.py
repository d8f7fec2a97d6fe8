"""A process apart for a replay: started by `run.py replay` and `explain`, with nothing of theirs but the task (`actors.replay.process`)."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NoReturn

import msgspec

from config.outcomes import Exit

PROCESS: Final = "actors.replay.process"
NOTHING_RECORDED: Final = 3
"""How the process of an explanation ends that another source may still give."""
_OURS: Final = "WATCHKEEPER_"


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be replayed, as one argument of the process. Instants are nanoseconds. at_ns: of an explanation, None: the end.

    sets, sweep: of a what-if, as `actors.replay.changes` reads them. steps: stop at each word; stops_at: only where this rule decides.
    report: where a page with a picture goes. checkpoint_every: nothing is told, checkpoints are made.
    """

    place: str
    since_ns: int = 0
    until_ns: int = 2**63 - 1
    trade_id: str | None = None
    json: bool = False
    explains: bool = False
    sets: tuple[str, ...] = ()
    sweep: str | None = None
    steps: bool = False
    stops_at: str | None = None
    at_ns: int | None = None
    report: str | None = None
    checkpoint_every: int = 0


def become(task: Task) -> NoReturn:
    """Turn this process into one that replays: with an interpreter, an environment and a memory without secrets."""
    os.execve(sys.executable, _command(task), environment())  # noqa: S606  # our own module, with our own words


def tells(task: Task) -> Exit | None:
    """Let such a process work, and return how it ended; None if nothing is recorded there, which it has said."""
    code = subprocess.run(_command(task), env=environment(), check=False).returncode  # noqa: S603  # as above
    if code == NOTHING_RECORDED:
        return None
    return Exit(code) if code in set(Exit) else Exit.INTERNAL_FAULT


def command_of(module: str, words: Sequence[str]) -> list[str]:
    """Return how one of our modules is run."""
    return [sys.executable, "-m", module, *words]


def environment() -> dict[str, str]:
    """Return ours without what Watchkeeper is told in it, such as its secrets."""
    without = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    return without | {"PYTHONPATH": str(Path(__file__).parents[2])}


def _command(task: Task) -> list[str]:
    return command_of(PROCESS, [msgspec.json.encode(task).decode()])

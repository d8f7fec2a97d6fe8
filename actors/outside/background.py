"""Work that would stand in the way of ticks, done by a process of its own (`config.background`), without our secrets."""

import subprocess
from collections.abc import Sequence
from typing import NamedTuple

from actors.replay.apart import command_of, environment


class Worked(NamedTuple):
    """How it ended, and what it said."""

    code: int
    told: bytes
    complained: str


def work(module: str, words: Sequence[str]) -> Worked:
    """Let one of our modules work, and return once it has ended. It ends with us: its input, on which nothing is ever said, then ends."""
    with subprocess.Popen(  # noqa: S603  # our own module, with our own words
        command_of(module, words),
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as working:
        assert working.stdout is not None
        assert working.stderr is not None
        # What it complains of is a line or two, if anything: less than a pipe holds.
        told, complained = working.stdout.read(), working.stderr.read()
    return Worked(working.returncode, told, complained.decode(errors="replace"))

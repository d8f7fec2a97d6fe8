"""The process of a replay: `run.py replay` becomes this, and nothing of what reaches NATS, PostgreSQL or a venue comes along.

So a recording, whoever wrote it, has no effect outside: there is no wire here to say anything on. An import contract holds that.
"""

import os
import sys
from pathlib import Path
from typing import Final, NoReturn

import msgspec

from actors.replay import replay_screen
from actors.replay.replaying import Wanted, replay
from bus.messages.plain import to_json
from bus.recorder.reading import NoRecording
from config.command_line import Exit, complain, print_document
from config.pictures import show
from config.settings import retold

_OURS: Final = "WATCHKEEPER_"


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be replayed, as one argument of the process. Instants are nanoseconds."""

    place: str
    since_ns: int = 0
    until_ns: int = 2**63 - 1
    trade_id: str | None = None
    json: bool = False


def become(task: Task) -> NoReturn:
    """Turn this process into one that replays: with an interpreter, an environment and a memory without secrets."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    root = str(Path(__file__).parents[2])
    command = [sys.executable, "-m", __name__, msgspec.json.encode(task).decode()]
    os.execve(sys.executable, command, environment | {"PYTHONPATH": root})  # noqa: S606  # our own module, with our own words


def main(argument: str) -> Exit:
    """Replay, and say what came of it."""
    task = msgspec.json.decode(argument, type=Task)
    wanted = Wanted(since_ns=task.since_ns, until_ns=task.until_ns, trade_id=task.trade_id)
    try:
        found = replay(Path(task.place), wanted, retold)
    except NoRecording as error:
        complain(str(error))
        return Exit.WRONG_USE
    if not found.compared and not found.gaps:
        complain(f"{task.place} holds nothing to compare there")
        return Exit.NO
    if task.json:
        print_document(to_json(found))
    else:
        show(replay_screen.render(found))
    return Exit.NO if found.different else Exit.DONE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

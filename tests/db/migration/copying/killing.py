"""A copy that is killed (kill -9) at a place: `python -m tests.db.migration.copying.killing PLACE MOMENT TIME PLAN FOLDER DSN`.

PLACE is a method of what copies, MOMENT is `before` or `after`, TIME the how-manieth time that it is called. Production code knows
nothing of this.
"""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from psycopg import Transaction

from db.migration.copying import copy as copying
from db.migration.copying import crew
from db.migration.copying.finishing import Finish
from db.migration.copying.lanes import Rows
from db.migration.copying.standing import Standing
from db.migration.copying.worker import Worker
from db.migration.plan_file import read
from tests.db.migration.copying.conftest import Silent

OWNERS: Final[dict[str, tuple[object, str]]] = {
    "snapshots": (copying, "stand"),
    "lay out": (copying, "_lay_out"),
    "begin": (Standing, "begin"),
    "note table": (Standing, "add_table"),
    "work": (copying, "work_together"),
    "worker": (crew, "Worker"),
    "take piece": (Standing, "take_piece"),
    "make rows": (Rows, "together"),
    "quarantine": (Standing, "quarantine"),
    "note piece": (Standing, "piece_is_done"),
    "piece": (Worker, "copy_piece"),
    "step": (Finish, "_once"),
    "make key": (Finish, "_make"),
    "note step": (Standing, "step_is_done"),
    "sweep": (Finish, "_sweep"),
    "turn back": (Standing, "turn_back"),
    "sequence": (Finish, "_set_sequence"),
    "views": (Finish, "_make_views"),
    "count": (Finish, "_count"),
    "note whole": (Standing, "is_whole"),
    "publish": (Finish, "_publish"),
    "commit": (Transaction, "__exit__"),
}
PIECE_ROWS: Final = 4


def watch(place: str, moment: str, time: int) -> None:
    """Let the process die there."""
    owner, name = OWNERS[place]
    usual: Callable[..., Any] = getattr(owner, name)
    called = 0

    def watched(*arguments: Any, **named: Any) -> Any:
        nonlocal called
        called += 1
        is_due = called == time
        if is_due and moment == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        returned = usual(*arguments, **named)
        if is_due:
            os.kill(os.getpid(), signal.SIGKILL)
        return returned

    setattr(owner, name, watched)


if __name__ == "__main__":
    watch(sys.argv[1], sys.argv[2], int(sys.argv[3]))
    copying.copy(
        read(Path(sys.argv[4])), sys.argv[6], Path(sys.argv[5]), watching=Silent(), workers=1, piece_rows=PIECE_ROWS
    )

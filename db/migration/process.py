"""The process of a copy: `run.py migrate copy` and `verify` become this, so that nothing else of Watchkeeper takes memory.

What it may take is a figure of the benchmark: 64 MiB, of which the front door alone would take nearly all.
"""

import gc
import os
import sys
from pathlib import Path
from typing import Final, Literal, NoReturn

import msgspec
import psycopg

from bus.messages.plain import from_json, to_json
from config.fields import mask_password
from config.outcomes import Exit, complain, print_document
from db.migration.copying.checks import CopyRefused
from db.migration.copying.copy import copy
from db.migration.copying.finishing import CountsDiffer
from db.migration.documents import Copied
from db.migration.going import going
from db.migration.plan_file import PlanRefused, read
from db.migration.snapshots import folder_of
from db.migration.sqlite_files import SourceRefused
from db.migration.verifying.rights import VerifyRefused
from db.migration.verifying.words import Verified
from db.migration.words import Audit

DSN: Final = "WATCHKEEPER_POSTGRES_DSN"
_GARBAGE_WAITS: Final = 20_000
"""Objects before a collection, as in run.py."""


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be done, as one argument of the process; the way to PostgreSQL stands in its environment."""

    verb: Literal["copy", "verify"]
    plan: str
    workers: int = 1
    afresh: bool = False
    queries: str | None = None
    json: bool = False


def become(task: Task, dsn: str) -> NoReturn:
    """Turn this process into one that does it."""
    root = str(Path(__file__).parents[2])
    command = [sys.executable, "-m", __name__, msgspec.json.encode(task).decode()]
    sys.stdout.flush()
    os.execve(sys.executable, command, os.environ | {"PYTHONPATH": root, DSN: dsn})  # noqa: S606  # our own module, with our own words


def main(task: Task, dsn: str) -> Exit:
    """Do it; returns how it ended."""
    try:
        return _copy(task, dsn) if task.verb == "copy" else _verify(task, dsn)
    except (PlanRefused, SourceRefused, CopyRefused, CountsDiffer, VerifyRefused) as error:
        complain(str(error))
        return Exit.NO
    except psycopg.OperationalError as error:
        complain(f"PostgreSQL is away ({mask_password(str(error).strip())}): once it is back, run it again")
        return Exit.NO_ANSWER
    except psycopg.Error as error:
        complain(
            f"PostgreSQL refused ({str(error).strip()}); nothing can be seen of a copy that is not whole. Correct the plan, and copy --afresh"
        )
        return Exit.NO


def _copy(task: Task, dsn: str) -> Exit:
    plan = Path(task.plan)
    with going() as watching:
        done = copy(read(plan), dsn, folder_of(plan), watching=watching, workers=task.workers, afresh=task.afresh)
    _answer(done, json=task.json)
    return Exit.DONE


def _verify(task: Task, dsn: str) -> Exit:
    plan = Path(task.plan)
    audit = None if task.queries is None else _audit(Path(task.queries))
    # A copy needs nothing of it.
    from db.migration.verifying.verify import verify  # noqa: PLC0415

    with going() as watching:
        found = verify(read(plan), dsn, folder_of(plan), watching=watching, audit=audit, workers=task.workers)
    _answer(found, json=task.json)
    return Exit.DONE if found.passed else Exit.NO


def _answer(document: Copied | Verified, *, json: bool) -> None:
    if json:
        print_document(to_json(document))
        return
    # Pictures take memory and time that the rows need.
    from config.pictures import show  # noqa: PLC0415
    from db.migration import moving_screen  # noqa: PLC0415

    show(moving_screen.copied(document) if isinstance(document, Copied) else moving_screen.verified(document))


def _audit(path: Path) -> Audit:
    try:
        return from_json(Audit, path.read_bytes())
    except (OSError, msgspec.DecodeError) as error:
        raise VerifyRefused(f"--queries {path}: no JSON of an audit: {error}") from error


if __name__ == "__main__":
    # Millions of rows come and go, and none is part of a cycle: to look for those takes a twentieth of the time.
    gc.set_threshold(_GARBAGE_WAITS)
    sys.exit(main(msgspec.json.decode(sys.argv[1], type=Task), os.environ[DSN]))

"""`run.py migrate copy|verify|status`: what moves data, and looks at it."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Final

from cyclopts import Parameter

from bus.messages.plain import to_json
from config.command_line import TEXT, Exit, Refused, ReportFlags, WrongUse, print_document
from config.pictures import show

_WORKERS_MAX: Final = 16


def copy_command(
    plan: Path,
    *,
    workers: Annotated[int, Parameter(help="Processes that copy beside each other.")] = 2,
    afresh: Annotated[bool, Parameter(help="Throw away what an unfinished copy has made, and begin again.")] = False,
    flags: ReportFlags = TEXT,
) -> Exit:
    """Copy the databases of a plan into PostgreSQL; nothing can be seen there before it is whole.

    Run again after whatever interrupted it, it goes on from there. The sources are never changed: they are read from snapshots, which
    are kept beside the plan.

    Parameters
    ----------
    plan
        The file that `migrate plan` has written, with its questions answered.
    """
    if not plan.is_file():
        raise WrongUse(f"{plan}: there is no such plan")
    if not 1 <= workers <= _WORKERS_MAX:
        raise WrongUse(f"--workers is a number from 1 to {_WORKERS_MAX}")
    from db.commands import into_database  # noqa: PLC0415  # no other command waits for it
    from db.migration.process import Task, become  # noqa: PLC0415  # as above

    become(Task(verb="copy", plan=str(plan), workers=workers, afresh=afresh, json=flags.json), into_database(flags))


def verify_command(
    plan: Path,
    *,
    workers: Annotated[int, Parameter(help="Processes that compare beside each other.")] = 2,
    queries: Annotated[
        Path | None,
        Parameter(help="The JSON of an audit: each SELECT that it found is run on SQLite and on PostgreSQL as well."),
    ] = None,
    flags: ReportFlags = TEXT,
) -> Exit:
    """Compare PostgreSQL with what the plan makes of its sources: every field of every row, and everything around them.

    Each value is taken back by the inverse of its conversion, bit for bit. Every difference is shown with key, column and both values;
    exit 1 if there is any. Nothing is changed.

    Parameters
    ----------
    plan
        The file by which `migrate copy` has copied.
    """
    for path in (plan, queries):
        if path is not None and not path.is_file():
            raise WrongUse(f"{path}: there is no such file")
    if not 1 <= workers <= _WORKERS_MAX:
        raise WrongUse(f"--workers is a number from 1 to {_WORKERS_MAX}")
    from db.commands import into_database  # noqa: PLC0415  # no other command waits for it
    from db.migration.process import Task, become  # noqa: PLC0415  # as above

    asked = None if queries is None else str(queries)
    task = Task(verb="verify", plan=str(plan), workers=workers, queries=asked, json=flags.json)
    become(task, into_database(flags))


def status_command(plan: Path | None = None, *, flags: ReportFlags = TEXT) -> Exit:
    """Show how far the copies into this database are: each table, and what stands in quarantine.

    Parameters
    ----------
    plan
        Tells which of the copies are this plan's.
    """
    if plan is not None and not plan.is_file():
        raise WrongUse(f"{plan}: there is no such plan")
    from db.commands import answering, into_database  # noqa: PLC0415  # as above
    from db.migration import moving_screen  # noqa: PLC0415  # as above
    from db.migration.looking import look  # noqa: PLC0415
    from db.migration.plan_file import PlanRefused  # noqa: PLC0415  # as above

    try:
        with answering():
            found = look(into_database(flags), plan)
    except PlanRefused as error:
        raise Refused(str(error)) from error
    if flags.json:
        print_document(to_json(found))
    else:
        show(moving_screen.standing(found))
    return Exit.DONE


COMMANDS: Final[dict[str, Callable[..., Any]]] = {
    "copy": copy_command,
    "verify": verify_command,
    "status": status_command,
}

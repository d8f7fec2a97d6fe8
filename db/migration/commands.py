"""`run.py migrate`: from SQLite to PostgreSQL. What reads and parses is imported by the command that needs it."""

from pathlib import Path
from typing import Annotated, Final, Literal

from cyclopts import App, Parameter

from bus.messages.plain import to_json
from config.command_line import TEXT, Exit, ReportFlags, WrongUse, print_document
from config.pictures import show
from db.migration.words import Audit

app = App(name="migrate", help="Move a system from SQLite to PostgreSQL.")
DOCUMENTS: Final[dict[str, type]] = {"migrate audit": Audit}


@app.command(name="audit")
def audit_command(
    path: Path,
    *,
    form: Annotated[Literal["text", "json"], Parameter(name="--format", help="json is --json.")] = "text",
    flags: ReportFlags = TEXT,
) -> Exit:
    """List all that touches a database in a code base: connections, statements, tables, variables, ports, paths, HTTP calls, loops.

    Reads Python, shell scripts, SQL, supervisor configurations, .env files and crontabs; runs nothing, follows no link.

    Parameters
    ----------
    path
        A folder, or one file.
    """
    if not path.exists():
        raise WrongUse(f"{path}: there is no such file or folder")
    # sqlglot takes a second to import, which `serve` and every other command would wait for.
    from db.migration import screen  # noqa: PLC0415
    from db.migration.audit import audit  # noqa: PLC0415

    found = audit(path)
    if flags.json or form == "json":
        print_document(to_json(found))
    else:
        show(screen.render(found))
    return Exit.DONE

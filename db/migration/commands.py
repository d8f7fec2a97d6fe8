"""`run.py migrate`: from SQLite to PostgreSQL. What reads and parses is imported by the command that needs it."""

from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec
from cyclopts import App, Parameter

from bus.messages.plain import from_json, to_json
from config.command_line import TEXT, Exit, ReportFlags, WrongUse, complain, print_document
from config.pictures import show
from db.migration.ratchet import failures, read_limits, without_known
from db.migration.rules.catalog import RULES
from db.migration.words import Audit

app = App(name="migrate", help="Move a system from SQLite to PostgreSQL.")
DOCUMENTS: Final[dict[str, type]] = {"migrate audit": Audit}
_FAIL_ON: Final = (
    f"Exit 1 if a rule finds anything, or if there are more than N findings; repeatable. Rules: {', '.join(RULES)}."
)


@app.command(name="audit")
def audit_command(
    path: Path,
    *,
    form: Annotated[Literal["text", "json"], Parameter(name="--format", help="json is --json.")] = "text",
    fail_on: Annotated[tuple[str, ...], Parameter(help=_FAIL_ON)] = (),
    baseline: Annotated[
        Path | None,
        Parameter(
            help="The JSON of an earlier audit: only findings that it has not count and are shown; exit 1 if there are any."
        ),
    ] = None,
    flags: ReportFlags = TEXT,
) -> Exit:
    """List all that touches a database in a code base, and what of it breaks when that moves from SQLite to PostgreSQL.

    Reads Python, shell scripts, SQL, supervisor configurations, .env files and crontabs; runs nothing, follows no link.

    Parameters
    ----------
    path
        A folder, or one file.
    """
    if not path.exists():
        raise WrongUse(f"{path}: there is no such file or folder")
    try:
        rules, most = read_limits(fail_on)
        known = None if baseline is None else from_json(Audit, baseline.read_bytes())
    except (OSError, msgspec.DecodeError) as error:
        raise WrongUse(f"--baseline {baseline}: no JSON of an audit: {error}") from error
    except ValueError as error:
        raise WrongUse(str(error)) from error
    # sqlglot takes a second to import, which `serve` and every other command would wait for.
    from db.migration import screen  # noqa: PLC0415
    from db.migration.audit import audit  # noqa: PLC0415

    found = audit(path)
    if known is not None:
        found = without_known(found, known)
        # Unless something else is said, whatever is new fails.
        most = 0 if most is None and not rules else most
    if flags.json or form == "json":
        print_document(to_json(found))
    else:
        show(screen.render(found))
    failed = failures(found, rules, most)
    for said in failed:
        complain(said)
    return Exit.NO if failed else Exit.DONE

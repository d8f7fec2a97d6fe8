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

_FORMAT: Final = (
    "json is --json; sarif is SARIF 2.1.0, md is Markdown, html one page that loads nothing: all on stdout."
)
Form = Literal["text", "json", "sarif", "md", "html"]


@app.command(name="audit")
def audit_command(
    path: Path,
    *,
    form: Annotated[Form, Parameter(name="--format", help=_FORMAT)] = "text",
    fail_on: Annotated[tuple[str, ...], Parameter(help=_FAIL_ON)] = (),
    baseline: Annotated[
        Path | None,
        Parameter(
            help="The JSON of an earlier audit: only findings that it has not count and are shown; exit 1 if there are any."
        ),
    ] = None,
    emit_environment: Annotated[
        Path | None,
        Parameter(
            help="Also write, into this new or empty folder, one file of variables and an include of supervisord for each service; conflicts are listed, not chosen."
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
    from db.migration.audit import audit  # noqa: PLC0415

    found = audit(path)
    if emit_environment is not None:
        _emit(found, path, emit_environment)
    if known is not None:
        found = without_known(found, known)
        # Unless something else is said, whatever is new fails.
        most = 0 if most is None and not rules else most
    _print(found, "json" if flags.json else form)
    failed = failures(found, rules, most)
    for said in failed:
        complain(said)
    return Exit.NO if failed else Exit.DONE


def _print(found: Audit, form: Form) -> None:
    from db.migration import screen  # noqa: PLC0415  # as above: it is the audit's
    from db.migration.reports import markdown, page, sarif  # noqa: PLC0415

    match form:
        case "text":
            show(screen.render(found))
        case "json":
            print_document(to_json(found))
        case "sarif":
            print_document(sarif.document(found))
        case "md":
            print_document(markdown.document(found))
        case "html":
            print_document(page.document(found))


def _emit(found: Audit, root: Path, folder: Path) -> None:
    from db.migration import environment  # noqa: PLC0415  # as above: it is the audit's

    made = environment.emit(found, root)
    try:
        environment.write(made, folder)
    except OSError as error:
        raise WrongUse(f"--emit-environment {folder}: {error}") from error
    complain(
        f"{len(made.files)} files in {folder}; {len(made.conflicts)} things to choose: {folder / environment.CONFLICTS}"
    )

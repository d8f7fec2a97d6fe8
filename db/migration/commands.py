"""`run.py migrate`: from SQLite to PostgreSQL. What reads and parses is imported by the command that needs it."""

from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec
from cyclopts import App, Parameter

from bus.messages.plain import from_json, to_json
from config.command_line import TEXT, Exit, Refused, ReportFlags, WrongUse, complain, print_document
from config.pictures import show
from db.migration import moving_commands
from db.migration.documents import Copied, MigrationStanding
from db.migration.plan_words import Plan
from db.migration.profile_words import Profile
from db.migration.ratchet import failures, read_limits, without_known
from db.migration.rules.catalog import RULES
from db.migration.sqlite_files import SourceRefused
from db.migration.verifying.words import Verified
from db.migration.words import Audit

app = App(name="migrate", help="Move a system from SQLite to PostgreSQL.")
DOCUMENTS: Final[dict[str, type]] = {
    "migrate audit": Audit,
    "migrate profile": Profile,
    "migrate plan": Plan,
    "migrate copy": Copied,
    "migrate verify": Verified,
    "migrate status": MigrationStanding,
}
for _name, _command in moving_commands.COMMANDS.items():
    app.command(_command, name=_name)
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


@app.command(name="profile")
def profile_command(*databases: Path, flags: ReportFlags = TEXT) -> Exit:
    """Say what every column of a SQLite database really holds. Each value is read, from a snapshot; the database is not changed.

    Parameters
    ----------
    databases
        Files of SQLite, of any system.
    """
    _some(databases)
    from db.migration import profile_screen  # noqa: PLC0415  # as for the audit
    from db.migration.profile import profile  # noqa: PLC0415

    try:
        found = profile(databases)
    except SourceRefused as error:
        raise Refused(str(error)) from error
    if flags.json:
        print_document(msgspec.json.encode(found))
    else:
        show(profile_screen.render(found))
    return Exit.DONE


@app.command(name="plan")
def plan_command(
    *databases: Path,
    output: Annotated[Path, Parameter(name=["--output", "-o"], help="The plan is written here; for you to edit.")],
    doc: Annotated[Path | None, Parameter(help="Write what becomes of each column here as well, in Markdown.")] = None,
    ready: Annotated[
        Literal["rec_io"] | None,
        Parameter(
            help="These are the databases of this system: what they mean is known, and fills Watchkeeper's own tables as well."
        ),
    ] = None,
    settings: Annotated[
        tuple[Path, ...], Parameter(help="Preference files of that system, which become settings; repeatable.")
    ] = (),
    answer: Annotated[
        tuple[str, ...], Parameter(help="NAME=VALUE: the answer to a question of the plan; repeatable.")
    ] = (),
    flags: ReportFlags = TEXT,
) -> Exit:
    """Propose what SQLite databases become in PostgreSQL, with each conversion proven on every value; nothing is moved.

    Parameters
    ----------
    databases
        Files of SQLite, of any system.
    """
    _some(databases)
    for file in (output, doc):
        if file is not None and (file.is_dir() or not file.absolute().parent.is_dir()):
            raise WrongUse(f"{file}: name a file in a folder that is there")
    if output.exists():
        raise Refused(f"{output} is there already and may hold a person's work: remove it, or name another file")
    if settings and ready is None:
        raise WrongUse("--settings: only preference files of a system that is known are read; name it by --ready")
    answers = _answers(answer)
    made = _planned(databases, answers, flags.settings().postgres.schema if ready else "", settings)
    if unknown := answers.keys() - {one.name for one in made.questions}:
        asked = ", ".join(one.name for one in made.questions) or "nothing"
        raise WrongUse(f"--answer {', '.join(sorted(unknown))}: the plan does not ask that; it asks {asked}")
    from db.migration import plan_document, plan_file, profile_screen  # noqa: PLC0415  # as for the audit

    output.write_text(plan_file.write(made, output.absolute().parent), "utf-8")
    if doc is not None:
        doc.write_text(plan_document.document(made), "utf-8")
    if flags.json:
        print_document(msgspec.json.encode(made))
    else:
        show(profile_screen.render_plan(made))
    return Exit.DONE


def _planned(databases: tuple[Path, ...], answers: dict[str, str], own_schema: str, settings: tuple[Path, ...]) -> Plan:
    """Plan. own_schema: of Watchkeeper's own tables, where the ready plan is meant."""
    from db.migration import plan_file  # noqa: PLC0415  # as for the audit
    from db.migration.planning import plan  # noqa: PLC0415
    from db.migration.preferences import PreferencesRefused, with_preferences  # noqa: PLC0415
    from db.migration.ready_plan import ready_plan  # noqa: PLC0415

    zones = {name: value for name, value in answers.items() if name.count(".") == 2}
    if wrong := [zone for zone in zones.values() if not plan_file.is_zone(zone)]:
        raise WrongUse(f"--answer: {', '.join(wrong)} is no zone such as America/New_York or UTC")
    try:
        if not own_schema:
            return plan(databases, answers)
        return with_preferences(ready_plan(databases, answers, own_schema), settings, answers)
    except (SourceRefused, PreferencesRefused) as error:
        raise Refused(str(error)) from error


def _some(databases: tuple[Path, ...]) -> None:
    if not databases:
        raise WrongUse("name at least one SQLite database")


def _answers(given: tuple[str, ...]) -> dict[str, str]:
    answers: dict[str, str] = {}
    for one in given:
        name, found, value = one.partition("=")
        if not found or not value:
            raise WrongUse(f"--answer {one}: write NAME=VALUE, such as trades.trades.date=America/New_York")
        answers[name] = value
    return answers

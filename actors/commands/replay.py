"""`replay` and `explain`: what was recorded, heard again by a process apart; here is only what is typed, and what is wrong with it."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final

from cyclopts import Parameter

from actors.replay.apart import Task, become, tells
from bus.commands.recordings import instant_of, place_of
from bus.messages.accounts import DRAWDOWN
from bus.messages.envelope import Message
from bus.messages.explain import Capsule, CapsuleGet, Explained
from bus.messages.plain import from_json, to_json
from bus.messages.replay import Replayed, Stopped
from bus.messages.stops import Rule
from bus.messages.system import Reply
from bus.messages.what_if import Sweep, WhatIf
from config.command_line import TEXT, Common, Exit, Flags, Refused, ReportFlags, Reporting, WrongUse, print_document

DOCUMENTS: Final[dict[str, type]] = {
    "explain": Explained,
    "replay": Replayed,
    "replay --step": Stopped,
    "replay --set": WhatIf,
    "replay --sweep": Sweep,
}
Ask = Callable[[Common, str, Message], Reply]
"""Asks a running Watchkeeper on a subject."""


def replay(
    recording: Annotated[
        Path | None, Parameter(help="A folder of segments or one of them; unless given, recorder.folder.")
    ] = None,
    *,
    since: Annotated[
        str | None, Parameter(name="--from", help="Compare from this instant on, such as 2026-07-14T12:00:00Z.")
    ] = None,
    until: Annotated[str | None, Parameter(name="--to", help="Stop at this instant.")] = None,
    trade_id: Annotated[str | None, Parameter(name="--trade", help="Compare what names this trade alone.")] = None,
    sets: Annotated[
        tuple[str, ...],
        Parameter(
            name="--set", help="What if: KEY=VALUE for every trade, such as probability.floor_percent=30; repeatable."
        ),
    ] = (),
    sweep: Annotated[
        str | None,
        Parameter(help="What if, for each value: KEY=A..B:STEP, such as probability.floor_percent=20..50:5."),
    ] = None,
    step: Annotated[
        bool,
        Parameter(
            help="Stop at each word and show the trades that it concerns before and after it; goes back as well."
        ),
    ] = False,
    stops_at: Annotated[
        str | None, Parameter(name="--break", help="Step, and stop only where this rule fires or is held back.")
    ] = None,
    report: Annotated[
        Path | None,
        Parameter(help="Draw the run, the trade or the sweep into this file of HTML, which needs no network."),
    ] = None,
    flags: ReportFlags = TEXT,
) -> Exit:
    """Let what decides hear a recording again, and compare what it says with what it said; reaches no server.

    With --set or --sweep: what would have become of its trades under other settings, all fills simulated anew.

    Exit 0: nothing is decided otherwise. 1: something is, and is shown, or nothing there could be compared. 2: no recording is there, or
    one of another program or version. A gap, such as a torn tail, a damaged block or two recordings in one folder, is said with what
    was skipped for it; what is left is compared, and decides how it ends.
    """
    steps = step or stops_at is not None
    if steps and (sets or sweep is not None):
        raise WrongUse("--step shows what was recorded, --set and --sweep what would have been: not both at once")
    if stops_at is not None and stops_at not in (*Rule, DRAWDOWN):
        raise WrongUse(f"--break {stops_at}: the rules are {', '.join((*Rule, DRAWDOWN))}")
    # Imported here: what says which settings there are imports all that reads them.
    from actors.replay.changes import read_changes, read_sweep  # noqa: PLC0415

    try:
        read_changes(sets)
        if sweep is not None:
            read_sweep(sweep)
    except ValueError as error:
        raise WrongUse(str(error)) from error
    if report is not None and steps:
        raise WrongUse("--report draws a run, or a what-if: leave --step and --break out")
    become(
        Task(
            place=_place(recording, flags),
            since_ns=0 if since is None else instant_of("--from", since),
            until_ns=2**63 - 1 if until is None else instant_of("--to", until),
            trade_id=trade_id,
            json=flags.json,
            sets=sets,
            sweep=sweep,
            steps=steps,
            stops_at=stops_at,
            report=_report(report),
        )
    )


def explaining(ask: Ask) -> Callable[..., Exit]:
    """Return `explain`."""

    def explain(
        trade_id: str,
        *,
        at: Annotated[str | None, Parameter(help="As things stood at this instant; at the end unless given.")] = None,
        recording: Annotated[Path | None, Parameter(help="As for replay.")] = None,
        report: Annotated[
            Path | None, Parameter(help="Draw the trade into this file of HTML, which needs no network.")
        ] = None,
        flags: ReportFlags = TEXT,
    ) -> Exit:
        """Say why a stop of a trade fired, or why it did not: each rule, how far away it was, and what it read.

        From the recording, by a process that reaches no server. Where that tells nothing of the trade, from what is kept of every trade
        that has ended: the nearest that each rule came, what was decided, when it was unprotected.
        """
        at_ns = None if at is None else instant_of("--at", at)
        if recording is not None or flags.settings().recorder.folder or not flags.settings().nats.url:
            place = _place(recording, flags)
            page = _report(report)
            ended = tells(
                Task(place=place, trade_id=trade_id, json=flags.json, explains=True, at_ns=at_ns, report=page)
            )
            if ended is not None or not flags.settings().nats.url:
                return Exit.NO if ended is None else ended
        ended = _from_capsule(ask, trade_id, flags)
        if report is None:
            return ended
        raise Refused(f"{report} was not written: a picture is drawn from a recording")

    return explain


def _from_capsule(ask: Ask, trade_id: str, flags: Reporting) -> Exit:
    reply = ask(flags, "history.request.capsule", CapsuleGet(trade_id=trade_id))
    if not reply.ok or reply.result is None:
        raise Refused(f"nothing is kept of {trade_id}: no such trade has been open and has ended")
    # Imported here: a recording tells, nearly always.
    from actors.replay import explain_screen  # noqa: PLC0415
    from actors.rules.stops.explaining import told_by  # noqa: PLC0415
    from config.pictures import show  # noqa: PLC0415

    found = told_by(from_json(Capsule, to_json(reply.result)))
    if flags.json:
        print_document(to_json(found))
    else:
        show(explain_screen.render(found))
    return Exit.DONE


def _place(given: Path | None, flags: Flags) -> str:
    return str(place_of(given, flags))


def _report(given: Path | None) -> str | None:
    if given is None:
        return None
    if not given.absolute().parent.is_dir() or given.is_dir():
        raise WrongUse(f"--report {given}: name a file in a folder that is there")
    return str(given.absolute())

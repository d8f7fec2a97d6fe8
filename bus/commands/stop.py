"""`stop arm|disarm|set|waive`."""

from typing import Annotated, Final

from cyclopts import App, Parameter
from rich.console import RenderableType

from bus.commands.answers import PLAIN_REASON, By, Reason, Result, asked, assignments, built, report, requester
from bus.messages.stops import StopArm, StopDisarm, StopSet, StopWaive
from bus.messages.system import Reply
from config.command_line import TEXT, Exit, ReportFlags, WrongUse
from config.pictures import card

app = App(name="stop", help="Arm, disarm and change the stops of one trade.")
DOCUMENTS: Final[dict[str, type]] = dict.fromkeys(("stop arm", "stop disarm", "stop set", "stop waive"), Reply)


@app.command
def arm(
    trade_id: str, rule: str, /, *settings: str, reason: Reason = PLAIN_REASON, by: By = None, flags: ReportFlags = TEXT
) -> Exit:
    """Turn a rule on for a trade, with these settings: `stop arm t1 probability floor_percent=30`."""
    said = {"trade_id": trade_id, "rule": rule, "reason": reason, "requested_by": requester(by)}
    message = built(StopArm, {**said, "settings": assignments(settings)})
    return report(asked(flags, "stop.request.arm", message), flags, _picture)


@app.command
def disarm(trade_id: str, rule: str, /, *, reason: Reason, by: By = None, flags: ReportFlags = TEXT) -> Exit:
    """Turn a rule off for a trade. It says why, because the trade has one protection less."""
    said = {"trade_id": trade_id, "rule": rule, "reason": reason, "requested_by": requester(by)}
    return report(asked(flags, "stop.request.disarm", built(StopDisarm, said)), flags, _picture)


@app.command(name="set")
def set_stop(
    trade_id: str,
    /,
    *settings: str,
    rule: Annotated[
        str | None, Parameter(help="Whose settings they are; without it keys are whole: probability.floor_percent=30")
    ] = None,
    reason: Reason = PLAIN_REASON,
    by: By = None,
    flags: ReportFlags = TEXT,
) -> Exit:
    """Change settings of a trade's own layer."""
    if not settings:
        raise WrongUse("say what to change: SETTING=VALUE")
    said = {"trade_id": trade_id, "rule": rule, "reason": reason, "requested_by": requester(by)}
    message = built(StopSet, {**said, "settings": assignments(settings)})
    return report(asked(flags, "stop.request.set", message), flags, _picture)


@app.command
def waive(
    trade_id: str,
    /,
    *,
    reason: Reason,
    until: Annotated[str | None, Parameter(help="Until when, RFC 3339 in UTC; for ever unless given.")] = None,
    by: By = None,
    flags: ReportFlags = TEXT,
) -> Exit:
    """Let a trade stand without a stop, in your name."""
    said = {"trade_id": trade_id, "reason": reason, "requested_by": requester(by), "until": until}
    return report(asked(flags, "stop.request.waive", built(StopWaive, said)), flags, _picture)


def _picture(result: Result) -> RenderableType:
    if not isinstance(result, dict):
        return "Done."
    names = ("trade_id", "state", "coverage", "coverage_why", "stops", "waiver", "settings_version")
    return card("Stops", {name: result.get(name) for name in names})

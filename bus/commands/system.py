"""`system halt|reduce-only|resume|rebase|status`."""

from typing import Annotated, Any, Final

from cyclopts import App, Parameter
from rich.console import Group, RenderableType

from bus.commands.answers import PLAIN_REASON, By, Reason, Result, asked, built, connected, report, requester
from bus.messages.plain import to_json
from bus.messages.system import Reply, Status, SystemCommand
from config.command_line import TEXT, Exit, NoAnswer, ReportFlags, complain, print_document
from config.pictures import card, show, table

app = App(name="system", help="See how Watchkeeper stands; halt and resume it.")

_Account = Annotated[str | None, Parameter(help="Only this account; all of them unless given.")]
_LEADER: Final = "leader"


class Standing(Status, frozen=True, kw_only=True, omit_defaults=True):
    """What `system status --json` prints: how the leader stands, else who is nearest to it. others: everybody else who answered."""

    others: tuple[Status, ...] = ()


DOCUMENTS: Final[dict[str, type]] = {
    **dict.fromkeys(("system halt", "system reduce-only", "system resume", "system rebase"), Reply),
    "system status": Standing,
}


@app.command
def halt(*, account: _Account = None, reason: Reason = PLAIN_REASON, by: By = None, flags: ReportFlags = TEXT) -> Exit:
    """Take no new risk until resumed. Stops and closes go on."""
    return _order("halt", account, reason, by, flags)


@app.command
def reduce_only(
    *, account: _Account = None, reason: Reason = PLAIN_REASON, by: By = None, flags: ReportFlags = TEXT
) -> Exit:
    """Take only orders that reduce risk, for one account or all."""
    return _order("reduce_only", account, reason, by, flags)


@app.command
def resume(*, account: _Account = None, reason: Reason, by: By = None, flags: ReportFlags = TEXT) -> Exit:
    """End a halt or reduce-only."""
    return _order("resume", account, reason, by, flags)


@app.command
def rebase(*, account: _Account = None, reason: Reason, by: By = None, flags: ReportFlags = TEXT) -> Exit:
    """Let the drawdown rule begin anew: what an account is worth now is its high. It resumes nothing."""
    return _order("rebase", account, reason, by, flags)


@app.command
def status(*, flags: ReportFlags = TEXT) -> Exit:
    """Show how it stands. Exit 0: the leader is ready. 1: it is not. 69: nobody answers."""
    with connected(flags) as client:
        replies = client.gather("system.request.status", SystemCommand(requested_by=requester(None)))
    standing = [reply.result for reply in replies if reply.ok and isinstance(reply.result, dict)]
    if not standing:
        raise NoAnswer(_refused(replies) or "nobody answers: start `run.py serve`, or see whether nats.prefix is right")
    # The leader speaks for the house; without one, whoever is nearest to it.
    standing.sort(key=lambda each: (each.get("role") != _LEADER, not each.get("ready"), each.get("instance", "")))
    chosen, *others = standing
    ready = bool(chosen.get("ready")) and chosen.get("role") == _LEADER
    if flags.json:
        print_document(to_json({**chosen, "ready": ready, **({"others": others} if others else {})}))
    else:
        show(Group(*(_picture(each) for each in standing)))
    if not ready:
        complain("not ready: " + ("; ".join(chosen.get("why_not_ready", ())) or f"{chosen.get('role')} only"))
    return Exit.DONE if ready else Exit.NO


def _order(verb: str, account: str | None, reason: str, by: str | None, flags: ReportFlags = TEXT) -> Exit:
    message = built(SystemCommand, {"account": account, "reason": reason, "requested_by": requester(by)})
    return report(asked(flags, f"system.request.{verb}", message), flags, _event_picture)


def _refused(replies: list[Reply]) -> str | None:
    return next((reply.error.message for reply in replies if reply.error is not None), None)


def _event_picture(result: Result) -> RenderableType:
    return card("System", result) if isinstance(result, dict) else "Done."


def _picture(status: dict[str, Any]) -> RenderableType:
    facts = {name: value for name, value in status.items() if name not in ("actors", "accounts", "equity")}
    actors = [[actor.get(name) for name in _ACTOR_COLUMNS] for actor in status.get("actors", ())]
    accounts = [
        [one["account"], one["venue"], one.get("reconciled_ts"), "; ".join(one.get("unresolved", ()))]
        for one in status.get("accounts", ())
    ]
    equity = [[account.get(name) for name in _EQUITY_COLUMNS] for account in status.get("equity", ())]
    shown = [table("Equity", _EQUITY_COLUMNS, equity)] if equity else []
    return Group(
        card(f"Watchkeeper {status.get('instance', '')}", facts),
        *shown,
        table("Accounts", ("account", "venue", "reconciled since", "unresolved"), accounts),
        table("Actors", _ACTOR_COLUMNS, actors),
    )


_EQUITY_COLUMNS: Final = ("account", "drawdown", "cash", "equity_low", "equity_high", "high", "limit", "why")
_ACTOR_COLUMNS: Final = ("name", "alive", "inbox", "restarts", "handled")

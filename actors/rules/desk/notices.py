"""The words for people about what the desk does not apply, and about what was set for all trades."""

from collections import OrderedDict
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from actors.rules.memory import remember
from actors.rules.settings.reachability import Unreachable
from bus.messages.accounts import DrawdownFired
from bus.messages.envelope import Malformed, Received
from bus.messages.notices import Notice, Severity
from bus.messages.orders import OrderReport, OrderSubmit, VenueAnswer, VenueFill
from bus.messages.plain import number_text
from bus.messages.recording import RangeKind, RangesRecorded
from bus.messages.settings import SettingsChanged
from bus.messages.system import Error, SystemEvent
from bus.messages.trades import TradeAdopt
from bus.messages.units import NS_PER_S, ZERO

_WINDOW_NS: Final = 10 * NS_PER_S
_KINDS_MAX: Final = 1_000


class StormGuard:
    """Lets one notice of a kind and subject pass in ten seconds; each input still has its quarantine row."""

    def __init__(self) -> None:
        self._last_ns: OrderedDict[str, int] = OrderedDict()

    def passes(self, key: str, now_ns: int) -> bool:
        """Whether a notice may be said now. Changes nothing."""
        last_ns = self._last_ns.get(key)
        return last_ns is None or now_ns - last_ns >= _WINDOW_NS

    def note(self, key: str, now_ns: int) -> None:
        """Remember that it was said."""
        remember(self._last_ns, key, now_ns, _KINDS_MAX)


def family(subject: str) -> str:
    """Return the first two tokens of a subject: what storms are folded by."""
    return ".".join(subject.split(".")[:2])


def malformed(word: Malformed) -> Notice:
    """An input that nobody could read."""
    return _notice(
        "malformed",
        Severity.WARNING,
        f"{family(word.subject)}:{word.received_ns}",
        title=f"A malformed message came on {word.subject}",
        body=f"{word.reason}. Its raw bytes are in quarantine; nothing was applied. Its sender must be corrected.",
        now_ns=word.received_ns,
        dedupe=family(word.subject),
    )


def conflict(word: Received[Any]) -> Notice:
    """The same key with another body."""
    return _notice(
        "conflict",
        Severity.WARNING,
        f"{word.key}:{word.digest}",
        title=f"{word.key} came again with another body",
        body=f"The first one stands. The second one, on {word.subject}, is in quarantine; its sender must be corrected.",
        now_ns=word.received_ns,
        dedupe=family(word.subject),
    )


def unknown_order(word: Received[OrderReport]) -> Notice:
    """A venue reports an order that we know nothing of; critical if it was filled."""
    report = word.message
    is_filled = bool(report.fill_quantity or report.cumulative_quantity)
    return _notice(
        "unknown_order",
        Severity.CRITICAL if is_filled else Severity.WARNING,
        word.key,
        title=f"The venue reports {report.client_order_id}, an order that no trade has",
        body=(
            f"Status {report.status}, filled {report.fill_quantity or report.cumulative_quantity or 0}. It is in quarantine; "
            "nothing was applied. Look at the venue's positions; a position that is yours is taken over with "
            "`python run.py trade adopt`."
        ),
        now_ns=word.received_ns,
        dedupe=report.client_order_id,
    )


def fills_of_nobody(answer: VenueAnswer, fills: Sequence[VenueFill]) -> Notice:
    """A venue tells fills of an order that has an id of ours and that no trade has."""
    total = sum((fill.quantity for fill in fills), ZERO)
    return _notice(
        "unknown_order",
        Severity.CRITICAL,
        f"{answer.client_order_id}:{fills[-1].fill_id}",
        title=f"The venue has filled {answer.client_order_id}, an order that no trade has",
        body=f"{total:f} {fills[0].side} {fills[0].ticker} in account {answer.account}. Nothing was applied. Look at the venue's "
        "positions; a position that is yours is taken over with `python run.py trade adopt`.",
        now_ns=answer.now_ns,
        dedupe=answer.client_order_id,
    )


def orders_of_nobody(orders: Sequence[OrderSubmit], now_ns: int) -> Notice:
    """ORDERS holds closes of trades that the record does not know: each trade was lost with the process that took it."""
    named = ", ".join(f"{order.client_order_id} ({order.action} {order.quantity:f} {order.ticker})" for order in orders)
    return _notice(
        "unknown_order",
        Severity.CRITICAL,
        f"start:{orders[-1].client_order_id}:{len(orders)}",
        title=f"{len(orders)} orders left for trades that are not on record",
        body=f"{named[:1500]}. Nobody was told that these trades were taken. Look at the venue's positions; a position that "
        "is yours is taken over with `python run.py trade adopt`.",
        now_ns=now_ns,
        dedupe="orders_of_nobody",
    )


def not_adopted(word: TradeAdopt, error: Error, now_ns: int) -> Notice:
    """A position of nobody could not be adopted."""
    return _notice(
        "unmanaged_position",
        Severity.CRITICAL,
        f"{word.trade_id}:{error.code}",
        title=f"{word.account} holds {word.quantity:f} {word.side} {word.ticker} that nobody told us of",
        body=f"reconcile.adopt_unknown would adopt it at {word.entry_price:f}, but: {error.message} Nothing watches it. If it is "
        "yours, type: python run.py trade adopt; if not, close it at the venue.",
        now_ns=now_ns,
        dedupe=f"{word.account}:{word.side}:{word.ticker}",
    )


def refused(word: Received[Any], error: Error) -> Notice:
    """A command that nobody waits for the answer of was refused."""
    return _notice(
        "command_refused",
        Severity.WARNING,
        word.key,
        title=f"A command on {word.subject} was refused: {error.code}",
        body=error.message,
        now_ns=word.received_ns,
        dedupe=f"{word.subject}:{error.code}",
    )


def settings_changed(changed: SettingsChanged, affected: int) -> Notice:
    """Somebody has changed settings that may hold for many trades."""
    where = f"{changed.layer} {changed.name}".strip()
    return _notice(
        "settings_changed",
        Severity.INFO,
        str(changed.version),
        title=f"{changed.requested_by} changed the settings of {where}",
        body=f"Version {changed.version}: {', '.join(sorted({*changed.before, *changed.after}))}. {affected} open trades "
        f"follow. Reason: {changed.reason}",
        now_ns=changed.ts,
        dedupe=str(changed.version),
    )


def beyond_reach(found: Sequence[Unreachable], recorded: RangesRecorded, now_ns: int) -> Notice:
    """Thresholds of rules that are on, and that nothing in the recorded days has reached; `found` has at least one."""
    first = found[0]
    others = f", and {len(found) - 1} more" if len(found) > 1 else ""
    days = Decimal(recorded.end_ns - recorded.begin_ns) / (86_400 * NS_PER_S)
    lines = "; ".join(
        f"{one.key} = {number_text(one.value)} ({f'{one.layer} {one.name}'.strip()}): "
        f"the {_INPUTS[one.input]} stood between {number_text(one.low)} and {number_text(one.high)}"
        for one in found
    )
    return _notice(
        "beyond_reach",
        Severity.WARNING,
        str(now_ns),
        title=f"{first.key} = {number_text(first.value)} could not have fired{others}",
        body=f"In the recorded {days:.1f} days: {lines[:1500]}. A stop that cannot be reached protects nothing: look at its unit, then "
        f"`python run.py settings set {first.key}=...`.",
        now_ns=now_ns,
        dedupe="beyond_reach",
    )


_INPUTS: Final = {
    RangeKind.MOMENTUM: "momentum",
    RangeKind.PROBABILITY: "probability of yes",
    RangeKind.EVENT_EXIT: "exit price",
    RangeKind.LINEAR_EXIT: "price",
}


def settings_unreadable(unreadable: tuple[str, ...], now_ns: int) -> Notice:
    """The record holds settings that cannot be read: nothing new is opened."""
    return _notice(
        "settings_unreadable",
        Severity.CRITICAL,
        str(now_ns),
        title=f"{len(unreadable)} settings cannot be read",
        body=f"{'; '.join(unreadable)[:1500]}. No new trades are taken; open ones keep the stops that they carry. "
        "Set each again, or remove it: `python run.py settings set KEY=VALUE`, then start again.",
        now_ns=now_ns,
        dedupe="settings_unreadable",
    )


def drawdown(fired: DrawdownFired, count: int) -> Notice:
    """An account has lost so much of its high that everything of it is closed."""
    account = fired.account
    return _notice(
        "drawdown",
        Severity.CRITICAL,
        f"{account}:{fired.number}",
        title=f"Drawdown of {account}: {count} trades are being closed, and it only reduces",
        body=f"{equity_in_words(fired)}. Everything of it is closed; no new trades are taken. To begin again from what is left:"
        f" python run.py system rebase --account {account} --reason ..., then python run.py system resume --account {account}"
        " --reason ...",
        now_ns=fired.now_ns,
        dedupe=account,
    )


def equity_in_words(fired: DrawdownFired) -> str:
    """Return what fired it, for people."""
    equity = fired.inputs.get("equity") or fired.inputs["equity_high"]
    values = (equity.value, fired.inputs["limit"].value, fired.inputs["high"].value)
    shown = ["unknown" if value is None else f"{value:.2f}" for value in values]
    return f"its equity of {shown[0]} dollars is at or below the limit of {shown[1]}; its high was {shown[2]}"


def system_changed(event: SystemEvent, cause: str) -> Notice:
    """A person has halted, limited or resumed trading, or lets drawdown begin anew. cause: the input that asked for it."""
    ends = event.kind in ("resume", "rebase")
    return _notice(
        event.kind if ends else "halt",
        Severity.INFO if ends else Severity.WARNING,
        # Not the instant: what is read at once is heard at one instant.
        f"{event.kind}:{cause}",
        title=f"{event.requested_by}: {event.kind} for {event.account or 'every account'}",
        body=f"Reason: {event.body.rstrip('.') or 'none given'}. Closes are never held back.",
        now_ns=event.ts,
        dedupe=f"{event.kind}:{event.account or ''}",
    )


def _notice(kind: str, severity: Severity, cause: str, *, title: str, body: str, now_ns: int, dedupe: str) -> Notice:
    return Notice(
        notice_id=f"{kind}:{cause}",
        kind=kind,
        severity=severity,
        title=title[:2000],
        body=body[:2000],
        dedupe_key=f"{kind}:{dedupe}",
        ts=now_ns,
    )

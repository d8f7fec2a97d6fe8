"""What is said in the house, as marks of a picture: one function for each kind of word. Prices stand as they were written."""

from collections.abc import Iterator
from typing import Final

from actors.rules.pictures.drawn import Mark, Role, clock_text, span_text
from bus.messages.market import Lifecycle
from bus.messages.notices import Notice, Severity
from bus.messages.orders import OrderCancel, OrderReport, OrderSubmit, ReportStatus
from bus.messages.plain import instant_text, number_text
from bus.messages.recording import EntriesLost, LifeEnded
from bus.messages.records import RecordAway, RecordBack
from bus.messages.stops import Guard, Input, StopArm, StopDecision, StopDisarm, StopSet, StopWaive
from bus.messages.trades import Fill, Purpose, Side, Trade, TradeAdopt, TradeClose, TradeOpen
from bus.messages.units import Number

Request = TradeOpen | TradeClose | StopArm | StopDisarm | StopSet | StopWaive
"""What somebody may ask about a trade."""
STOPS: Final = "stops"
ORDERS: Final = "orders"
FILLS: Final = "fills"
NOTICES: Final = "notices"
MARKET: Final = "market"
PEOPLE: Final = "requests"
SYSTEM: Final = "system"
DIFFERENCES: Final = "differences"
_SEVERITY: Final = {Severity.INFO: Role.INFO, Severity.WARNING: Role.WARNING, Severity.CRITICAL: Role.CRITICAL}
_FILLED: Final = (ReportStatus.FILLED, ReportStatus.PARTIALLY_FILLED)


def of_decision(decision: StopDecision, at_ns: int) -> Mark:
    """Return a stop that fired, or that guards held back, with all that it saw."""
    failed = [guard.name for guard in decision.guards if not guard.passed]
    how = "fired" if decision.fired else f"held back by {', '.join(failed) or 'nothing'}"
    return Mark(
        at_ns=at_ns,
        role=Role.FIRED if decision.fired else Role.HELD,
        title=f"{decision.trade_id}: {decision.rule} {how}",
        details=(
            decision.decision_id,
            *(_input(name, one) for name, one in decision.inputs.items()),
            *map(_guard, decision.guards),
        ),
        row=STOPS,
    )


def of_order(order: OrderSubmit, at_ns: int) -> Mark:
    """Return an order that was decided."""
    is_entry = order.purpose is Purpose.ENTRY
    limit = "" if order.limit_price is None else f" at {number_text(order.limit_price)}"
    return Mark(
        at_ns=at_ns,
        role=Role.ENTRY_ORDER if is_entry else Role.CLOSE_ORDER,
        title=f"{order.client_order_id}: {order.action} {number_text(order.quantity)} {order.side}{limit}",
        details=(
            f"{order.order_type} {order.time_in_force}, to be sent by {clock_text(order.expires_ts)}",
            f"because of {order.decision_id or order.cause}",
        ),
        row=ORDERS,
        value=order.limit_price,
    )


def of_cancel(cancel: OrderCancel, at_ns: int) -> Mark:
    """Return an order that is to be cancelled."""
    return Mark(
        at_ns=at_ns, role=Role.REPORT, title=f"cancel {cancel.client_order_id}", details=(cancel.reason,), row=ORDERS
    )


def of_report(report: OrderReport, at_ns: int) -> Mark | None:
    """Return what a venue says of an order; None: a fill, which stands in its trade."""
    if report.status in _FILLED:
        return None
    return Mark(
        at_ns=at_ns,
        role=Role.REPORT if report.status is ReportStatus.ACCEPTED else Role.WARNING,
        title=f"{report.client_order_id}: {report.status}",
        details=() if report.reason is None else (report.reason,),
        row=ORDERS,
    )


def of_fills(before: Trade | None, trade: Trade, at_ns: int) -> Iterator[Mark]:
    """Yield the fills that a trade has and had not."""
    known = {fill.fill_id for fill in before.fills} if before is not None else set[str]()
    for fill in trade.fills:
        if fill.fill_id not in known:
            yield _fill(trade, fill, at_ns)


def _fill(trade: Trade, fill: Fill, at_ns: int) -> Mark:
    buys = (fill.purpose is Purpose.ENTRY) is not (trade.side is Side.SHORT)
    verb = "bought" if buys else "sold"
    return Mark(
        at_ns=at_ns,
        role=Role.BOUGHT if fill.purpose is Purpose.ENTRY else Role.CLOSED,
        title=f"{trade.trade_id}: {verb} {number_text(fill.quantity)} {trade.side} at ${number_text(fill.price)}",
        details=(
            f"{fill.purpose} fill {fill.fill_id} of {fill.client_order_id}",
            f"fees ${number_text(fill.fees)}",
            f"at the venue {clock_text(fill.ts)}",
        ),
        row=FILLS,
        value=fill.price,
    )


def of_notice(notice: Notice, at_ns: int) -> Mark:
    """Return what people were told."""
    return Mark(
        at_ns=at_ns,
        role=_SEVERITY[notice.severity],
        title=notice.title,
        details=(f"{notice.severity} {notice.kind}", notice.body),
        row=NOTICES,
    )


def of_lifecycle(message: Lifecycle, at_ns: int) -> Mark:
    """Return what happened to a market."""
    said = {"result": message.result, "payout": message.payout, "closes": _instant(message.close_ts)}
    return Mark(
        at_ns=at_ns,
        role=Role.MARKET,
        title=f"{message.ticker}: {message.event.replace('_', ' ')}",
        details=tuple(f"{name} {value}" for name, value in said.items() if value is not None),
        row=MARKET,
    )


def of_request(message: Request, at_ns: int) -> Mark:
    """Return what somebody asked about a trade."""
    reason: str | None = None
    match message:
        case TradeOpen():
            verb = "adopt" if isinstance(message, TradeAdopt) else "open"
            title = f"{verb} {message.trade_id}: {number_text(message.quantity)} {message.side} {message.ticker}"
        case TradeClose(reason=reason):
            part = "" if message.quantity is None else f" {number_text(message.quantity)}"
            title = f"close {message.trade_id}{part}"
        case StopArm(reason=reason, rule=rule) | StopDisarm(reason=reason, rule=rule):
            verb = "arm" if isinstance(message, StopArm) else "disarm"
            title = f"{verb} {rule} of {message.trade_id}"
        case StopSet(reason=reason, settings=settings):
            changed = ", ".join(f"{key} = {value}" for key, value in settings.items())
            title = f"set {changed} of {message.trade_id}"
        case StopWaive(reason=reason):
            title = f"waive {message.trade_id}"
    by = message.requested_by
    details = [*(() if reason is None else (reason,)), *(() if by is None else (f"asked by {by}",))]
    return Mark(at_ns=at_ns, role=Role.PERSON, title=title, details=tuple(details), row=PEOPLE)


def of_system(word: object, at_ns: int) -> Mark | None:
    """Return what happened to the process or to its record; None: this is no such word."""
    match word:
        case LifeEnded():
            title, role = "process ends, in order", Role.SYSTEM
        case EntriesLost(count=count):
            title, role = f"the recorder lost {count:,} entries", Role.WARNING
        case RecordAway(error=error):
            title, role = f"PostgreSQL is away: {error[:200]}", Role.CRITICAL
        case RecordBack():
            title, role = "PostgreSQL is back, and everything is written", Role.SYSTEM
        case _:
            return None
    return Mark(at_ns=at_ns, role=role, title=title, row=SYSTEM)


def _input(name: str, one: Input) -> str:
    age = "" if one.age_ms is None else f", {span_text(one.age_ms * 1_000_000)} old"
    return f"{name.replace('_', ' ')} {_number(one.value)}{age}" + (f", from {one.source}" if one.source else "")


def _guard(guard: Guard) -> str:
    limit = "" if guard.limit is None else f" ({_number(guard.value)}, limit {_number(guard.limit)})"
    return f"{'✓' if guard.passed else '✗'} {guard.name.replace('_', ' ')}{limit}"


def _number(value: Number | None) -> str:
    return "unknown" if value is None else number_text(value.normalize())


def _instant(at_ns: int | None) -> str | None:
    return None if at_ns is None else instant_text(at_ns)

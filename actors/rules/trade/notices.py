"""The words for people about a trade's life (SPEC 1.5). Their ids are functions of their cause, so a second saying is one.

A critical notice says the trade, side, quantity and worst loss left, what Watchkeeper is doing about it, and the one command
to type.
"""

from decimal import ROUND_UP, Decimal
from typing import Final

from actors.rules.trade.fills import EXACT, part
from actors.rules.trade.steps import Context
from bus.messages.market import Result
from bus.messages.notices import Notice, Severity
from bus.messages.orders import OrderSubmit, Settlement
from bus.messages.trades import Attempt, Fill, Side, Trade
from bus.messages.units import NS_PER_MS, ZERO

_CENT: Final = Decimal("0.01")


def worst_loss(trade: Trade) -> str:
    """Return in words the most that the open part can still lose: what it cost; of a short nobody knows."""
    if not trade.open_quantity:
        return "nothing"
    if trade.side is Side.SHORT:
        return "unlimited"
    cost = part(trade.entry_cost, trade.open_quantity, trade.filled_quantity)
    return f"${cost.quantize(_CENT, ROUND_UP, EXACT)}"


def _say(
    kind: str, severity: Severity, trade: Trade, context: Context, *, title: str, body: str, which: str = ""
) -> Notice:
    return Notice(
        notice_id=":".join(token for token in (kind, trade.trade_id, which) if token),
        kind=kind,
        severity=severity,
        title=title[:2000],
        body=body[:2000],
        dedupe_key=f"{kind}:{trade.trade_id}",
        ts=context.now_ns,
        trade_id=trade.trade_id,
    )


def _warn(
    kind: str, trade: Trade, context: Context, what: str, doing: str, *, which: str = "", command: str | None = None
) -> Notice:
    """Return a critical notice with all that SPEC 1.5 asks of one."""
    typed = command or f"python run.py trade show {trade.trade_id}"
    body = (
        f"Trade {trade.trade_id}: {trade.side} {trade.open_quantity:f} {trade.ticker}, account {trade.account}"
        f" ({trade.mode}). Worst loss left: {worst_loss(trade)}. {what} {doing} Type: {typed}"
    )
    return _say(kind, Severity.CRITICAL, trade, context, title=f"{trade.trade_id}: {what}", body=body, which=which)


def opened(trade: Trade, context: Context, *, adopted: bool = False) -> Notice:
    """A position is held."""
    how = "Adopted" if adopted else "Opened"
    text = f"{how} {trade.side} {trade.open_quantity:f} {trade.ticker} at {_price(trade.entry_price)}."
    return _say("trade_opened", Severity.INFO, trade, context, title=f"Trade {trade.trade_id} is open", body=text)


def rejected(trade: Trade, context: Context) -> Notice:
    """Nothing was bought."""
    why = trade.close_reason or next((a.evidence for a in trade.attempts if a.evidence), None) or "no reason given"
    text = f"{trade.side} {trade.quantity:f} {trade.ticker} was not opened: {why}."
    return _say(
        "trade_rejected", Severity.WARNING, trade, context, title=f"Trade {trade.trade_id} was rejected", body=text
    )


def closed(trade: Trade, context: Context) -> Notice:
    """Nothing is left of it."""
    text = (
        f"Closed {trade.side} {trade.closed_quantity:f} {trade.ticker} at {_price(trade.exit_price)}"
        f" because of {trade.rule or trade.close_reason or 'its fills'}. PnL {trade.pnl:f} dollars, after fees of {trade.fees:f}."
    )
    return _say("trade_closed", Severity.INFO, trade, context, title=f"Trade {trade.trade_id} is closed", body=text)


def expired(trade: Trade, context: Context) -> Notice:
    """Its market has closed with something open."""
    text = f"{trade.ticker} has closed with {trade.open_quantity:f} {trade.side} open; the venue's result decides."
    return _say("trade_expired", Severity.INFO, trade, context, title=f"Trade {trade.trade_id} has expired", body=text)


def settled(trade: Trade, context: Context) -> Notice:
    """The venue has paid."""
    text = f"{trade.ticker} ended {trade.result}: {trade.outcome}. PnL {trade.pnl:f} dollars, after fees of {trade.fees:f}."
    return _say("trade_settled", Severity.INFO, trade, context, title=f"Trade {trade.trade_id} is settled", body=text)


def stop_fired(trade: Trade, rule: str, context: Context) -> Notice:
    """A rule closes a trade."""
    text = f"The {rule} stop closes {trade.side} {trade.open_quantity:f} {trade.ticker}."
    return _say(
        "stop_fired", Severity.WARNING, trade, context, title=f"Stop {rule} fired on {trade.trade_id}", body=text,
        which=context.cause,
    )  # fmt: skip


def close_retried(trade: Trade, attempt: Attempt, due_ns: int, context: Context) -> Notice:
    """An attempt has ended and something is left."""
    wait_ms = (due_ns - context.now_ns) // NS_PER_MS
    text = (
        f"{attempt.client_order_id} ended ({attempt.evidence}) with {attempt.filled:f} of {attempt.quantity:f} filled;"
        f" {trade.open_quantity:f} are open. The next attempt leaves in {wait_ms} ms."
    )
    return _say(
        "close_retried", Severity.WARNING, trade, context, title=f"The close of {trade.trade_id} is tried again", body=text,
        which=attempt.client_order_id,
    )  # fmt: skip


def close_failing(trade: Trade, attempt: Attempt, context: Context) -> Notice:
    """So many attempts have failed that a person should look."""
    return _warn(
        "close_failing", trade, context,
        f"{attempt.nth} close attempts have failed, the last one ended with {attempt.evidence}.",
        "It is tried again every 30 s until the close time; the trade counts as unprotected(close_failing).",
        which=attempt.client_order_id,
        command=f"python run.py trade close {trade.trade_id}",
    )  # fmt: skip


def too_late(trade: Trade, context: Context) -> Notice:
    """A close is wanted, and no order may leave any more."""
    return _warn(
        "close_failed", trade, context,
        "A close is wanted, but no order may leave this close to the close time.",
        "What is open is left to settlement.",
        which=str(trade.close_ts),
    )  # fmt: skip


def dust(trade: Trade, context: Context) -> Notice:
    """What is left cannot be sent."""
    text = (
        f"{trade.open_quantity:f} {trade.side} {trade.ticker} is less than one lot ({trade.lot_size}):"
        " no order can close it, it is left to settlement."
    )
    return _say("dust", Severity.WARNING, trade, context, title=f"Trade {trade.trade_id} leaves dust", body=text)


def unknown_order(trade: Trade, context: Context) -> Notice:
    """Nobody knows what became of an order."""
    return _warn(
        "unknown_order", trade, context,
        "Nobody knows what became of an order of it.",
        "The venue is asked until there is evidence; no other order of this trade leaves before.",
        which=context.cause,
    )  # fmt: skip


def reconciled(trade: Trade, context: Context) -> Notice:
    """Evidence has ended an unknown."""
    text = f"The venue's evidence is in: {trade.open_quantity:f} {trade.side} {trade.ticker} open, state {trade.state}."
    return _say(
        "reconciled", Severity.INFO, trade, context, title=f"Trade {trade.trade_id} is known again", body=text,
        which=context.cause,
    )  # fmt: skip


def late_fill(trade: Trade, fill: Fill, context: Context) -> Notice:
    """A fill came after its order, or its trade, had ended."""
    doing = "It became a trade of its own, which is being closed." if trade.state.is_terminal else "It is booked."
    return _warn(
        "late_fill", trade, context,
        f"A late fill of {fill.client_order_id}: {fill.quantity:f} at {_price(fill.price)}.",
        doing,
        which=fill.fill_id,
    )  # fmt: skip


def overfill(trade: Trade, excess: Decimal, fill: Fill, context: Context) -> Notice:
    """A venue filled more than was ordered, or than was open."""
    return _warn(
        "overfill", trade, context,
        f"{fill.client_order_id} filled {excess:f} too many.",
        "The excess is booked and closed reduce-only.",
        which=fill.fill_id,
    )  # fmt: skip


def order_refused(trade: Trade, attempt: Attempt, error: str, context: Context) -> Notice:
    """The ORDERS stream does not take a close."""
    return _warn(
        "order_refused", trade, context,
        f"ORDERS has not taken {attempt.client_order_id}: {error}.",
        "It is published again under the same id until it is stored; the trade is unprotected meanwhile.",
        which=attempt.client_order_id,
        command="python run.py system status",
    )  # fmt: skip


def other_order(trade: Trade, order: OrderSubmit, context: Context) -> Notice:
    """Another order than ours stands in ORDERS under the same id."""
    return _warn(
        "unknown_order", trade, context,
        f"Another order stands in ORDERS under {order.client_order_id}: {order.action} {order.quantity:f} at {_price(order.limit_price)}.",
        "That one is in effect, whoever sent it; its reports count.",
        which=order.client_order_id,
    )  # fmt: skip


def position_mismatch(trade: Trade, context: Context) -> Notice:
    """The venue holds less than the trade thinks."""
    return _warn(
        "position_mismatch", trade, context,
        "A close is wanted, but the venue holds nothing of that side to close.",
        "Nothing is sent beyond what the venue holds; it is tried again as soon as the position allows.",
        which=context.cause,
    )  # fmt: skip


def closed_outside(trade: Trade, quantity: Decimal, unpriced: Decimal, context: Context) -> Notice:
    """Somebody else has closed it at the venue, or a part of it."""
    what = f"{quantity:f} {trade.side} {trade.ticker} of it were closed at the venue by somebody else."
    price = f"By the venue's fills the exit price is {_price(trade.exit_price)}; PnL {trade.pnl:f} dollars."
    text = f"{what} {_unless_unpriced(price, trade, unpriced)} {trade.open_quantity:f} are open. No order of ours was sent for it."
    return _say(
        "position_mismatch", Severity.CRITICAL if unpriced else Severity.WARNING, trade, context,
        title=f"{trade.trade_id} was closed at the venue by somebody else", body=text, which=context.cause,
    )  # fmt: skip


def netted(trade: Trade, quantity: Decimal, unpriced: Decimal, context: Context) -> Notice:
    """It and a trade of ours of the other side have closed each other, or parts of each other."""
    what = f"{quantity:f} {trade.side} {trade.ticker} of it and as much of the other side have closed each other: the venue holds neither."
    price = (
        f"At the price of the younger entry the exit price is {_price(trade.exit_price)}; PnL {trade.pnl:f} dollars."
    )
    return _say(
        "position_mismatch", Severity.WARNING, trade, context,
        title=f"{trade.trade_id} and a trade of the other side have closed each other",
        body=f"{what} {_unless_unpriced(price, trade, unpriced)} {trade.open_quantity:f} are open.", which=context.cause,
    )  # fmt: skip


def _unless_unpriced(price: str, trade: Trade, unpriced: Decimal) -> str:
    if not unpriced:
        return price
    return f"Nobody knows the price of {unpriced:f}: the PnL of {trade.pnl:f} dollars leaves them out."


def result_mismatch(trade: Trade, other: Result, context: Context) -> Notice:
    """Two sources name two results."""
    return _warn(
        "result_mismatch", trade, context,
        f"Its result was {trade.result}, now somebody says {other}.",
        "The first one stands; a correction by the venue is booked as an adjustment.",
        which=other.value,
    )  # fmt: skip


def result_unknown(trade: Trade, said: str, context: Context) -> Notice:
    """A settlement that cannot be computed."""
    return _warn(
        "result_unknown", trade, context,
        f"It cannot be settled by {said!r}.",
        "It waits for a result with a payout.",
        which=said,
    )  # fmt: skip


def revenue_mismatch(settlement: Settlement, expected: Decimal, context: Context) -> Notice:
    """The venue paid something else than our trades add up to."""
    text = (
        f"Account {settlement.account}, {settlement.ticker}: the venue paid ${settlement.revenue:f}, our trades add up to"
        f" ${expected:f}. Nothing was changed. Type: python run.py trade list --account {settlement.account}"
    )
    key = f"position_mismatch:{settlement.account}:{settlement.ticker}"
    return Notice(
        notice_id=f"{key}:{settlement.ts}",
        kind="position_mismatch",
        severity=Severity.CRITICAL,
        title=f"The settlement of {settlement.ticker} does not add up",
        body=text,
        dedupe_key=key,
        ts=context.now_ns,
    )


def _price(price: Decimal | None) -> str:
    return "no price" if price is None else f"{(price or ZERO):f}"

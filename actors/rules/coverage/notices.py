"""What people are told when trades lose their protection, or have it again (SPEC 1.5). A storm is one notice with a list."""

from collections.abc import Sequence
from typing import Final

from actors.rules.trade.notices import worst_loss
from bus.messages.notices import Notice, Severity
from bus.messages.trades import Trade

_LISTED: Final = 20
_TEXT_MAX: Final = 2000
_DOING: Final = {
    "no_stop": "No rule is armed on it; it is only marked.",
    "halted": "What fired stays latched and is sent when the market resumes.",
    "close_failing": "The close is tried again every 30 s until the market closes.",
    "order_refused": "The close is published again until the stream takes it.",
    "unknown": "The order's fate is looked up at the venue; nothing else is sent before there is evidence.",
    "never_fed": "Its stops are armed as soon as their inputs arrive.",
    "empty_book": "Its stops fire as soon as somebody quotes again.",
}
_WAITING: Final = "Its stops fire as soon as their inputs are good again."


def unprotected(trades: Sequence[Trade], why: str, now_ns: int) -> Notice:
    """A trade, or many at once for one reason, have lost their protection."""
    return _storm(trades, why, now_ns) if len(trades) > 1 else _one(trades[0], why, now_ns)


def protected_again(trades: Sequence[Trade], now_ns: int) -> Notice:
    """Trades that were unprotected are so no longer."""
    first = trades[0]
    several = len(trades) > 1
    return Notice(
        notice_id=f"protected_again:{first.trade_id}:{now_ns}",
        kind="protected_again",
        severity=Severity.INFO,
        title=f"{len(trades)} trades are protected again" if several else f"{first.trade_id} is protected again",
        body=_listed(trades),
        dedupe_key="protected_again" if several else f"protected_again:{first.trade_id}",
        ts=now_ns,
        trade_id=None if several else first.trade_id,
    )


def _one(trade: Trade, why: str, now_ns: int) -> Notice:
    body = (
        f"Trade {trade.trade_id}: {trade.side} {trade.open_quantity:f} {trade.ticker}, account {trade.account}"
        f" ({trade.mode}), is unprotected: {why}. Worst loss left: {worst_loss(trade)}. {_DOING.get(why, _WAITING)}"
        f' Type: python run.py trade close {trade.trade_id} --reason "{why}"'
    )
    return Notice(
        notice_id=f"unprotected:{trade.trade_id}:{now_ns}",
        kind="unprotected",
        severity=Severity.CRITICAL,
        title=f"{trade.trade_id} is unprotected: {why}"[:_TEXT_MAX],
        body=body[:_TEXT_MAX],
        dedupe_key=f"unprotected:{trade.trade_id}",
        ts=now_ns,
        trade_id=trade.trade_id,
    )


def _storm(trades: Sequence[Trade], why: str, now_ns: int) -> Notice:
    body = (
        f"{len(trades)} trades are unprotected: {why}. {_DOING.get(why, _WAITING)}"
        f" Type: python run.py trade list. They are: {_listed(trades)}"
    )
    return Notice(
        notice_id=f"unprotected:{trades[0].trade_id}:{now_ns}",
        kind="unprotected",
        severity=Severity.CRITICAL,
        title=f"{len(trades)} trades are unprotected: {why}"[:_TEXT_MAX],
        body=body[:_TEXT_MAX],
        dedupe_key=f"unprotected:{why}",
        ts=now_ns,
    )


def _listed(trades: Sequence[Trade]) -> str:
    shown = "; ".join(
        f"{trade.trade_id} {trade.side} {trade.open_quantity:f}, worst loss {worst_loss(trade)}"
        for trade in trades[:_LISTED]
    )
    more = f"; and {len(trades) - _LISTED} more" if len(trades) > _LISTED else ""
    return (shown[: _TEXT_MAX - 400] + more)[:_TEXT_MAX]

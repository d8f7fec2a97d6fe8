"""Whether one open trade is protected (SPEC 1.4): exactly one of armed, closing, waived, unprotected, and why.

A person's waiver is asked after the close in effect and before the stops: who waived a trade does not want its alarms.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from actors.rules.catalog import RULES
from actors.rules.market.freshness import setting_ns
from actors.rules.trade import closes
from bus.messages.stops import Rule
from bus.messages.trades import AttemptState, Coverage, Mode, StopSpec, Trade, TradeState
from bus.messages.units import NS_PER_S


class Verdict(NamedTuple):
    """The coverage, its reason, and the next instant at which it may change without a word about the market or the trade."""

    coverage: Coverage
    why: str
    until_ns: int | None = None


def verdict(trade: Trade, reasons: Mapping[str, str | None], now_ns: int) -> Verdict:
    """Return how `trade`, which has an open quantity, is covered at `now_ns`.

    reasons: by rule that reads the market, why it could not fire; None: it could.
    """
    if trade.state is TradeState.EXPIRED:
        return Verdict(Coverage.CLOSING, "awaiting_settlement")
    if trade.dust:
        return Verdict(Coverage.CLOSING, "dust")
    if closes.is_under_way(trade):
        return _closing(trade)
    waived = _waived(trade, now_ns)
    if waived is not None:
        return waived
    if trade.state is TradeState.UNKNOWN:
        return Verdict(Coverage.UNPROTECTED, "unknown")
    if trade.halted:
        return Verdict(Coverage.UNPROTECTED, "halted")
    return _by_stops(trade, reasons, now_ns)


def _closing(trade: Trade) -> Verdict:
    if trade.halted:
        return Verdict(Coverage.UNPROTECTED, "halted")
    if closes.is_failing(trade):
        return Verdict(Coverage.UNPROTECTED, "close_failing")
    if any(attempt.refused and attempt.state is not AttemptState.DEAD for attempt in trade.attempts):
        return Verdict(Coverage.UNPROTECTED, "order_refused")
    if trade.state is TradeState.UNKNOWN:
        return Verdict(Coverage.UNPROTECTED, "unknown")
    return Verdict(Coverage.CLOSING, trade.rule or trade.close_reason or "closing")


def _waived(trade: Trade, now_ns: int) -> Verdict | None:
    waiver = trade.waiver
    if waiver is None or (waiver.until_ns is not None and now_ns >= waiver.until_ns):
        bare = trade.mode is Mode.PAPER and not any(spec.rule != Rule.STALE for spec in trade.stops)
        return Verdict(Coverage.WAIVED, "paper") if bare else None
    if waiver.by == "paper":
        return Verdict(Coverage.WAIVED, "paper", waiver.until_ns)
    until = "" if waiver.until_ns is None else f", until {_instant(waiver.until_ns)}"
    return Verdict(Coverage.WAIVED, f"by {waiver.by}: {waiver.reason}{until}", waiver.until_ns)


def _by_stops(trade: Trade, reasons: Mapping[str, str | None], now_ns: int) -> Verdict:
    live: list[str] = []
    idle: list[str] = []
    changes: list[int] = []
    for spec in trade.stops:
        if spec.rule == Rule.STALE:
            continue
        reason = _time_reason(trade, spec) if spec.rule == Rule.TIME else reasons.get(spec.rule)
        if reason is None:
            reason, due_ns = _held_by_clock(trade, spec, now_ns)
            changes += [] if due_ns is None else [due_ns]
        if reason is None:
            live.append(spec.rule)
        else:
            idle.append(reason)
    until_ns = min(changes, default=None)
    if live:
        return Verdict(Coverage.ARMED, ", ".join(live), until_ns)
    return Verdict(Coverage.UNPROTECTED, idle[0] if idle else "no_stop", until_ns)


def _time_reason(trade: Trade, spec: StopSpec) -> str | None:
    by_age = setting_ns(spec.settings, "max_age_s") is not None and trade.entry_ts is not None
    by_close = setting_ns(spec.settings, "close_before_s") is not None and trade.close_ts is not None
    return None if by_age or by_close else "no_close_time"


def _held_by_clock(trade: Trade, spec: StopSpec, now_ns: int) -> tuple[str | None, int | None]:
    """Return the guard of age or time to close that holds the rule back, and when that changes."""
    guards = RULES[Rule(spec.rule)].guards
    age_ns = setting_ns(spec.settings, "min_age_s") if "min_age_s" in guards else None
    if age_ns and trade.entry_ts is not None and now_ns < trade.entry_ts + age_ns:
        return "held_by_min_age_s", trade.entry_ts + age_ns
    left_ns = setting_ns(spec.settings, "min_time_to_close_s") if "min_time_to_close_s" in guards else None
    if left_ns and trade.close_ts is not None:
        held_from_ns = trade.close_ts - left_ns + 1
        if now_ns >= held_from_ns:
            return "held_by_min_time_to_close_s", None
        return None, held_from_ns
    return None, None


def _instant(ns: int) -> str:
    return datetime.fromtimestamp(ns // NS_PER_S, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

"""What people are told when coverage itself cannot be trusted, or when too much time was spent unprotected."""

from collections.abc import Mapping, Sequence
from typing import Final

from bus.messages.notices import Notice, Severity
from bus.messages.trades import Trade
from bus.messages.units import NS_PER_S

_LISTED: Final = 20


def mismatch(found: Sequence[tuple[Trade, str]], now_ns: int) -> Notice:
    """What TradeWatcher says of trades is not what TradeDesk holds: nobody can rely on their stops. `found` is not empty."""
    first = found[0][0]
    listed = "; ".join(f"{trade.trade_id}: {fault}" for trade, fault in found[:_LISTED])
    more = f"; and {len(found) - _LISTED} more" if len(found) > _LISTED else ""
    return Notice(
        notice_id=f"coverage_mismatch:{first.trade_id}:{now_ns}",
        kind="coverage_mismatch",
        severity=Severity.CRITICAL,
        title=f"{len(found)} open trades may be unprotected: their coverage cannot be right",
        body=f"{listed}{more}. Look at them: python run.py trade show TRADE_ID. To be safe, close them, or restart the process: it"
        " begins from the record."[:2000],
        dedupe_key="coverage_mismatch",
        ts=now_ns,
        trade_id=first.trade_id if len(found) == 1 else None,
    )


def objective_missed(spent_ns: int, allowed_ns: int, now: Mapping[str, int], now_ns: int) -> Notice:
    """More time was spent unprotected in the last hour than is allowed."""
    reasons = ", ".join(f"{count} {why}" for why, count in sorted(now.items())) or "none any more"
    return _objective(
        Severity.WARNING,
        "Too much time unprotected",
        f"{_seconds(spent_ns)} unprotected trade-seconds in the last hour; {_seconds(allowed_ns)} are allowed. Unprotected now: "
        f"{reasons}.",
        now_ns,
    )


def objective_met(spent_ns: int, allowed_ns: int, now: Mapping[str, int], now_ns: int) -> Notice:
    """The last hour is within what is allowed again."""
    body = f"{_seconds(spent_ns)} unprotected trade-seconds in the last hour; {_seconds(allowed_ns)} are allowed."
    return _objective(
        Severity.INFO, "Time unprotected is within its limit again", f"{body} Now: {sum(now.values())}.", now_ns
    )


def _objective(severity: Severity, title: str, body: str, now_ns: int) -> Notice:
    return Notice(
        notice_id=f"coverage_slo:{severity}:{now_ns}",
        kind="coverage_slo",
        severity=severity,
        title=title,
        body=body,
        dedupe_key=f"coverage_slo:{severity}",
        ts=now_ns,
    )


def _seconds(ns: int) -> int:
    return ns // NS_PER_S

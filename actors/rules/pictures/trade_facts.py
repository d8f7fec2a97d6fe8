"""What stands above the picture of a trade, in words."""

from decimal import Decimal

from actors.rules.catalog import RULES
from actors.rules.pictures.drawn import Role, Span, clock_text, money_text, span_text
from bus.messages.plain import number_text
from bus.messages.stops import Rule
from bus.messages.trades import StopSpec, Trade


def facts(trade: Trade, covered: list[Span], imagined: str | None) -> dict[str, str]:
    """Return what stands above its picture: name -> text. covered: its coverage over time. imagined: what else might have become of it."""
    unprotected_ns = sum(span.end_ns - span.begin_ns for span in covered if span.role is Role.UNPROTECTED)
    facts = {
        "account": f"{trade.account} ({trade.mode}, {trade.venue})",
        "entry": _at(trade.entry_price, trade.entry_ts),
        "exit": _at(trade.exit_price, trade.exit_ts),
        "PnL": f"{money_text(trade.pnl)}, fees {money_text(trade.fees)}",
        "still open": number_text(trade.open_quantity) if trade.open_quantity else None,
        "stops": "; ".join(_stop(spec) for spec in trade.stops) or "none",
        "unprotected": span_text(unprotected_ns) if unprotected_ns else "never",
        "what if": imagined,
        "settings": f"version {trade.settings_version}",
    }
    return {name: text for name, text in facts.items() if text is not None}


def ending(trade: Trade) -> str:
    """Return in words how it stands, and by what."""
    by = trade.rule or trade.close_reason or trade.outcome
    return trade.state.replace("_", " ") + (f" by {by}" if by else "")


def _at(price: Decimal | None, at_ns: int | None) -> str | None:
    if price is None:
        return None
    return f"${number_text(price)}" + ("" if at_ns is None else f", {clock_text(at_ns)}")


def _stop(spec: StopSpec) -> str:
    guards = RULES[Rule(spec.rule)].guards
    own = [f"{key.replace('_', ' ')} {value}" for key, value in spec.settings.items() if key not in guards]
    return spec.rule + (f" ({', '.join(own)})" if own else "")

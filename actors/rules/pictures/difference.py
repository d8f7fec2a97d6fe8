"""Two runs of one recording on one axis: what became of its trades, and what would have become of them under other settings."""

from collections.abc import Iterator, Sequence
from typing import Final

from actors.rules.pictures.drawn import (
    Line,
    Mark,
    Panel,
    Point,
    Role,
    Span,
    Table,
    changes,
    cut,
    money_text,
)
from actors.rules.pictures.outcome_words import CHANGES, change_text, outcome_text
from actors.rules.pictures.thinning import thin_all
from bus.messages.units import ZERO, Money
from bus.messages.what_if import Change, Outcome, TradeCompared, WhatIf

_SHOWN: Final = 40
"""Trades that have a row of their own: those on which the effect is largest."""
_ROWS_MAX: Final = 2000


def panels(found: WhatIf, end_ns: int) -> Iterator[Panel]:
    """Yield what both runs brought, the effect on each trade, and the trades on which it is largest. end_ns: of the picture."""
    both = [
        Line(name="recorded", role=Role.VALUE, points=_gained([trade.recorded for trade in found.trades], end_ns)),
        Line(name="what if", role=Role.OTHER_RUN, points=_gained([trade.now for trade in found.trades], end_ns)),
    ]
    yield Panel(key="both", name="PnL as recorded, and what if", unit="$", lines=thin_all(both), tall=True)
    otherwise = [trade for trade in found.trades if trade.change is not Change.SAME]
    effects = tuple(_effect(trade, end_ns) for trade in otherwise if trade.effect is not None)
    if effects:
        yield Panel(key="effects", name="Effect on each trade", unit="$", marks=effects)
    largest = sorted(otherwise, key=lambda trade: -abs(trade.effect or ZERO))[:_SHOWN]
    if largest:
        count = f", the {_SHOWN} with the largest effect" if len(otherwise) > _SHOWN else ""
        yield Panel(
            key="otherwise",
            name=f"Trades that go otherwise{count}",
            rows=tuple(trade.trade_id for trade in largest),
            spans=tuple(span for trade in largest for span in _between(trade, end_ns)),
            marks=tuple(mark for trade in largest for mark in _ends(trade, end_ns)),
        )


def table(found: WhatIf) -> Table:
    """Return all trades that go otherwise."""
    columns = ("trade", "ticker", "side", "change", "effect", "recorded", "what if")
    rows = tuple(
        (
            trade.trade_id,
            trade.ticker,
            trade.side.value,
            change_text(trade),
            "unknown" if trade.effect is None else money_text(trade.effect),
            outcome_text(trade.recorded),
            outcome_text(trade.now),
        )
        for trade in found.trades
        if trade.change is not Change.SAME
    )
    return cut(Table(title="Trades that go otherwise", columns=columns, rows=rows), _ROWS_MAX)


def facts(found: WhatIf) -> dict[str, str]:
    """Return what was changed, and what that would have brought in sum."""
    totals = found.totals
    return {
        "what if": ", ".join(f"{key} = {value}" for key, value in found.ground.settings.items()),
        "effect": money_text(totals.effect),
        "as recorded": f"{money_text(totals.recorded)}, with what is open at the last quote",
        "as it would have been": money_text(totals.now),
        "compared": ", ".join(f"{count:,} {CHANGES[change]}" for change, count in totals.changes.items()),
    }


def _gained(outcomes: Sequence[Outcome | None], end_ns: int) -> tuple[Point, ...]:
    """Return the sum of what the trades brought until then; those that end nowhere count at the end, by the last quote."""
    brought = [
        (_end_ns(outcome, end_ns), outcome.worth) for outcome in outcomes if outcome and outcome.worth is not None
    ]
    total, points = ZERO, list[Point]()
    for at_ns, worth in sorted(brought, key=lambda each: each[0]):
        total += worth
        points.append(Point(at_ns, total))
    return (*changes(points), Point(end_ns, total))


def _effect(trade: TradeCompared, end_ns: int) -> Mark:
    assert trade.effect is not None
    at_ns = min(_end_ns(outcome, end_ns) for outcome in (trade.recorded, trade.now))
    return Mark(at_ns=at_ns, role=_role(trade.effect), title=_title(trade), details=_details(trade), value=trade.effect)


def _between(trade: TradeCompared, end_ns: int) -> Iterator[Span]:
    ends = sorted(_end_ns(outcome, end_ns) for outcome in (trade.recorded, trade.now))
    role = Role.LEVEL if trade.effect is None else _role(trade.effect)
    yield Span(
        begin_ns=ends[0], end_ns=ends[1], role=role, title=_title(trade), row=trade.trade_id, details=_details(trade)
    )


def _ends(trade: TradeCompared, end_ns: int) -> Iterator[Mark]:
    for outcome, role, name in ((trade.recorded, Role.VALUE, "recorded"), (trade.now, Role.OTHER_RUN, "what if")):
        if outcome is not None:
            yield Mark(
                at_ns=_end_ns(outcome, end_ns),
                role=role,
                title=f"{trade.trade_id}, {name}",
                details=(outcome_text(outcome),),
                row=trade.trade_id,
            )


def _end_ns(outcome: Outcome | None, end_ns: int) -> int:
    return end_ns if outcome is None or outcome.exit_ts is None else min(outcome.exit_ts, end_ns)


def _role(effect: Money) -> Role:
    return Role.GAIN if effect > 0 else Role.LOSS if effect < 0 else Role.LEVEL


def _title(trade: TradeCompared) -> str:
    effect = "unknown effect" if trade.effect is None else money_text(trade.effect)
    return f"{trade.trade_id}: {change_text(trade)}, {effect}"


def _details(trade: TradeCompared) -> tuple[str, ...]:
    return f"recorded: {outcome_text(trade.recorded)}", f"what if: {outcome_text(trade.now)}"

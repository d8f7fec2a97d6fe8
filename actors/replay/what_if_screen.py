"""What a person sees of a what-if: which trades would have gone otherwise, and what that would have been worth; of a sweep, by value.

A PnL here is with what is still open, at the last quote.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from rich.console import Group, RenderableType
from rich.text import Text

from actors.replay.replay_screen import gap_lines
from actors.rules.pictures.outcome_words import CHANGES, change_text, outcome_text
from bus.messages.plain import instant_text
from bus.messages.units import Money
from bus.messages.what_if import Change, Ground, Sweep, Totals, TradeCompared, WhatIf
from config.pictures import card, pairs, table

_SHOWN: Final = 50
_BAR: Final = 24
"""Characters on either side of no effect."""
_COLUMNS: Final = ("trade", "ticker", "side", "change", "effect", "recorded", "what if")


def render(found: WhatIf) -> RenderableType:
    """Return the whole."""
    totals = found.totals
    changed = [trade for trade in found.trades if trade.change is not Change.SAME]
    parts: list[RenderableType] = [*_ground(found.ground, "What if"), Text("")]
    if changed:
        parts.append(table("Trades that go otherwise", _COLUMNS, [_row(trade) for trade in changed[:_SHOWN]]))
    if len(changed) > _SHOWN:
        parts.append(Text(f"... and {len(changed) - _SHOWN:,} more; --json shows all"))
    parts += [Text(""), card("Sum", _sum(totals))]
    return Group(*parts)


def render_sweep(found: Sweep) -> RenderableType:
    """Return the table of all values, with a bar for each."""
    kinds = [change for change in Change if any(row.totals.changes.get(change) for row in found.rows)]
    columns = (found.key, *(CHANGES[change] for change in kinds), "PnL", "effect", "less | more than recorded")
    most = max((abs(row.totals.effect) for row in found.rows), default=Decimal(0))
    rows = [
        (
            row.value,
            *(row.totals.changes.get(change, 0) for change in kinds),
            _dollars(row.totals.now),
            _signed(row.totals.effect),
            _bar(row.totals.effect, most),
        )
        for row in found.rows
    ]
    recorded = {"PnL recorded": _dollars(found.rows[0].totals.recorded)} if found.rows else {}
    unpriced = max((row.totals.unpriced for row in found.rows), default=0)
    parts: list[RenderableType] = [*_ground(found.ground, "Sweep", recorded | _left_out(unpriced)), Text("")]
    return Group(*parts, table("What if", columns, rows))


def _ground(ground: Ground, title: str, more: dict[str, object] | None = None) -> Iterator[RenderableType]:
    facts = {
        "settings": pairs(ground.settings) or None,
        "recording": ground.place,
        "from": None if ground.begin is None else instant_text(ground.begin),
        "to": None if ground.end is None else instant_text(ground.end),
        "heard again": f"{ground.inputs:,} inputs" + (f" of {ground.lives:,} processes" if ground.lives > 1 else ""),
        "skipped": f"{ground.skipped:,} inputs before the first beginning" if ground.skipped else None,
        "lost": f"{ground.lost:,} entries, by the recorder itself" if ground.lost else None,
        "fills": f"simulated, also those of {', '.join(ground.simulated)}" if ground.simulated else "simulated",
    }
    yield card(title, facts | (more or {}))
    yield from gap_lines(ground.gaps)


def _row(trade: TradeCompared) -> tuple[object, ...]:
    return (
        trade.trade_id,
        trade.ticker,
        trade.side.value,
        change_text(trade),
        "unknown" if trade.effect is None else _signed(trade.effect),
        outcome_text(trade.recorded),
        outcome_text(trade.now),
    )


def _sum(totals: Totals) -> dict[str, object]:
    changes = ", ".join(f"{count:,} {CHANGES[change]}" for change, count in totals.changes.items())
    return {
        "trades": f"{totals.trades:,}: {changes}" if changes else "none",
        "PnL recorded": _dollars(totals.recorded),
        "PnL what if": _dollars(totals.now),
        "effect": _signed(totals.effect),
    } | _left_out(totals.unpriced)


def _left_out(unpriced: int) -> dict[str, object]:
    return {"left out": f"{unpriced:,} trades that are open where nobody quotes" if unpriced else None}


def _dollars(amount: Money) -> str:
    return f"{amount.normalize() + Decimal(0):f}"


def _signed(amount: Money) -> str:
    return ("+" if amount > 0 else "") + _dollars(amount)


def _bar(effect: Money, most: Money) -> str:
    """Return a bar from the middle: to the right for more, to the left for less."""
    length = 0 if not most else int((abs(effect) / most * _BAR).to_integral_value())
    less, more = ("█" * length, "") if effect < 0 else ("", "█" * length)
    return f"{less:>{_BAR}}|{more}"

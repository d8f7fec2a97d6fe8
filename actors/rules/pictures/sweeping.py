"""A sweep as a picture: what all trades would have brought under each value of one setting, beside what was recorded."""

from collections.abc import Iterator
from decimal import Decimal

from actors.rules.pictures.drawn import (
    Line,
    Mark,
    Panel,
    Picture,
    Point,
    Role,
    Table,
    clock_text,
    money_text,
    place_ns,
)
from actors.rules.pictures.outcome_words import CHANGES
from bus.messages.plain import number_text
from bus.messages.what_if import Change, Sweep, Swept


def picture(found: Sweep) -> Picture:
    """Return the picture; its axis has the values, not time. found: of one value at least."""
    values = tuple(_text(row.value) for row in found.rows)
    return Picture(
        title=f"What if: {found.key}",
        subtitle=found.ground.place,
        begin_ns=0,
        end_ns=place_ns(max(1, len(values) - 1)),
        facts=_facts(found),
        panels=(
            Panel(key="pnl", name="PnL by value, and as recorded", unit="$", lines=_lines(found), tall=True),
            Panel(key="effect", name="Effect of each value", unit="$", marks=tuple(_effects(found))),
        ),
        tables=(_table(found),),
        warnings=tuple(f"gap: {gap}" for gap in found.ground.gaps),
        values=values,
    )


def _facts(found: Sweep) -> dict[str, str]:
    ground, best = found.ground, max(found.rows, key=lambda row: row.totals.effect)
    facts = {
        "best": f"{_text(best.value)}: {money_text(best.totals.now)}",
        "as recorded": f"{money_text(best.totals.recorded)}, with what is open at the last quote",
        "beside it": ", ".join(f"{key} = {_text(value)}" for key, value in ground.settings.items()),
        "from": "" if ground.begin is None else clock_text(ground.begin),
        "to": "" if ground.end is None else clock_text(ground.end),
    }
    return {name: text for name, text in facts.items() if text}


def _lines(found: Sweep) -> tuple[Line, ...]:
    now = tuple(Point(place_ns(number), row.totals.now) for number, row in enumerate(found.rows))
    then = tuple(Point(place_ns(number), row.totals.recorded) for number, row in enumerate(found.rows))
    return (
        Line(name="recorded", role=Role.VALUE, points=then, limit=True),
        Line(name="what if", role=Role.OTHER_RUN, points=now),
    )


def _effects(found: Sweep) -> Iterator[Mark]:
    for number, row in enumerate(found.rows):
        effect = row.totals.effect
        yield Mark(
            at_ns=place_ns(number),
            role=Role.GAIN if effect > 0 else Role.LOSS if effect < 0 else Role.LEVEL,
            title=f"{money_text(effect)} beside what was recorded",
            details=(_changes(row),),
            value=effect,
        )


def _changes(row: Swept) -> str:
    return ", ".join(f"{count:,} {CHANGES[change]}" for change, count in row.totals.changes.items()) or "no trade"


def _table(found: Sweep) -> Table:
    kinds = [change for change in Change if any(row.totals.changes.get(change) for row in found.rows)]
    rows = tuple(
        (
            _text(row.value),
            *(f"{row.totals.changes.get(change, 0):,}" for change in kinds),
            money_text(row.totals.now),
            money_text(row.totals.effect),
        )
        for row in found.rows
    )
    return Table(title="What if", columns=(found.key, *(CHANGES[kind] for kind in kinds), "PnL", "effect"), rows=rows)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return number_text(value) if isinstance(value, Decimal) else str(value)

"""The tables of docs/specification.md as Markdown, read from the very tables that the rules use. `make docs` writes them."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Final

from actors.rules.catalog import RULES, SETTINGS, Kind, Setting
from actors.rules.trade.edges import EDGES
from bus.messages.trades import TradeState

Value = Decimal | str | bool
"""A setting's value in version 1."""

_UNITS: Final = {
    Kind.DOLLARS: "dollars",
    Kind.PERCENT: "percent",
    Kind.POINTS: "points",
    Kind.SECONDS: "seconds",
    Kind.COUNT: "a count",
    Kind.SWITCH: "true, false",
}


def states() -> str:
    """Return which state may follow which, and when."""
    rows = [(f"`{before}`", f"`{after}`", why) for before, edges in EDGES.items() for after, why in edges.items()]
    ends = [
        (f"`{state}`", "", "the end: nothing but an adjustment can follow") for state in TradeState if state.is_terminal
    ]
    return markdown(("from", "to", "when"), [*rows, *ends])


def rules() -> str:
    """Return each rule: when it fires, what it reads, which guards may hold it back."""
    rows = [
        (
            f"`{facts.rule}`",
            facts.fires_when,
            ", ".join(facts.inputs),
            ", ".join(f"`{guard}`" for guard in facts.guards) or "none",
            {(True, True): "both", (True, False): "event", (False, True): "linear"}[(facts.event, facts.linear)],
        )
        for facts in RULES.values()
    ]
    return markdown(("rule", "fires when", "reads", "guards", "instruments"), rows)


def guards() -> str:
    """Return each guard: what it means, its unit and limits, which rules it may hold back."""
    by_guard: dict[str, list[str]] = {}
    for facts in RULES.values():
        for guard in facts.guards:
            by_guard.setdefault(guard, []).append(str(facts.rule))
    rows = [
        (f"`{guard}`", setting.meaning, allowed(setting), ", ".join(holders))
        for guard, holders in by_guard.items()
        for setting in (SETTINGS[f"{holders[0]}.{guard}"],)
    ]
    return markdown(("guard", "meaning", "allowed", "holds back"), rows)


def settings(values: dict[str, Value]) -> str:
    """Return every stop setting with its value in version 1, `values`; those without one are off."""
    rows = [
        (f"`{key}`", setting.meaning, allowed(setting), shown(values[key]) if key in values else "off")
        for key, setting in SETTINGS.items()
    ]
    return markdown(("setting", "meaning", "allowed", "version 1"), rows)


def allowed(setting: Setting) -> str:
    """Return what a setting may be, in words."""
    if setting.words:
        return ", ".join(setting.words)
    unit = _UNITS[setting.kind]
    if setting.low is None or setting.high is None:
        return unit
    return f"{unit}, {_number(setting.low)} to {_number(setting.high)}"


def shown(value: Value) -> str:
    """Return a value as it is written in settings."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _number(number: Decimal) -> str:
    return f"{number:,f}".removesuffix(".0")


def markdown(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table; a `|` in a cell does not end it."""

    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"

    return "\n".join((line(columns), "|" + "---|" * len(columns), *(line(row) for row in rows)))


TABLES: Final[dict[str, Callable[[dict[str, Value]], str]]] = {
    "states": lambda _: states(),
    "rules": lambda _: rules(),
    "guards": lambda _: guards(),
    "settings": settings,
}
"""By the name that stands in the document's markers."""

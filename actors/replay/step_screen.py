"""What a person sees of one stop of `replay --step`: the word, what it led to, and each trade that it concerns, before and after."""

from collections.abc import Iterable, Iterator
from typing import Final

from rich.console import Group, RenderableType
from rich.text import Text

from actors.replay.replay_screen import line_of, lines_of, said_otherwise
from bus.messages.explain import RuleStanding
from bus.messages.plain import instant_text, number_text
from bus.messages.replay import ReplayedWord, Stopped, TradeLook
from bus.messages.trades import Trade
from config.pictures import table

HELP: Final = "Enter or n: the next stop; b: the one before; NUMBER: the first stop at or behind that entry; w: its words whole; q: the end"
_LINE_MAX: Final = 200
_SHOWN: Final = 4
_COLUMNS: Final = ("", "", "before", "after")


def render(stop: Stopped) -> RenderableType:
    """Return a stop."""
    head = f"stop {stop.stop:,}, entry {stop.number:,}, {instant_text(stop.at)}, {stop.actor}"
    parts: list[RenderableType] = [Text(head, style="bold"), _word("heard", stop.heard)]
    if stop.said is None:
        parts.append(Text("nothing could decide it again: what it builds on is missing", style="yellow"))
    parts += [_word("says ", word) for word in stop.said or ()]
    if stop.recorded is not None:
        parts += [
            Text("This is not what was recorded:", style="bold red"),
            *said_otherwise(stop.recorded, stop.said or ()),
        ]
    names = list(dict.fromkeys((*stop.before, *stop.after)))
    for name in names[:_SHOWN]:
        parts += [Text(""), _trade(name, stop.before.get(name), stop.after.get(name))]
    if len(names) > _SHOWN:
        parts.append(Text(f"... and {len(names) - _SHOWN} trades more that it concerns; --json shows them"))
    return Group(*parts, Text(""))


def render_whole(stop: Stopped) -> RenderableType:
    """Return its words, whole."""
    return Group(
        Text("heard", style="bold"),
        *_whole([stop.heard]),
        Text("says", style="bold"),
        *_whole(stop.said or ()),
        Text(""),
    )


def _whole(words: Iterable[ReplayedWord]) -> Iterator[Text]:
    return map(Text, lines_of(words))


def _word(what: str, word: ReplayedWord) -> Text:
    content = line_of(word)
    return Text(f"{what} {word.name} {content[:_LINE_MAX]}{'...' if len(content) > _LINE_MAX else ''}")


def _trade(name: str, before: TradeLook | None, after: TradeLook | None) -> RenderableType:
    was, is_ = _facts(before), _facts(after)
    rows = [
        ("*" if was.get(key) != is_.get(key) else "", key, was.get(key), is_.get(key))
        for key in dict.fromkeys((*was, *is_))
    ]
    return table(f"{name} (* has changed)", _COLUMNS, rows)


def _facts(look: TradeLook | None) -> dict[str, str]:
    """Return how a trade stands, in words."""
    if look is None:
        return {}
    return {name: text for name, text in _of_trade(look.trade) if text} | {
        f"rule {rule.rule}": _of_rule(rule) for rule in look.rules
    }


def _of_trade(trade: Trade) -> Iterator[tuple[str, str]]:
    yield "state", trade.state.value
    yield "version", str(trade.version)
    yield "open", number_text(trade.open_quantity)
    yield "entry", "" if trade.entry_price is None else number_text(trade.entry_price)
    yield "closing because", trade.close_reason or ""
    for attempt in trade.attempts[-2:]:
        limit = "" if attempt.limit_price is None else f" at {number_text(attempt.limit_price)}"
        filled = f"{number_text(attempt.filled)} of {number_text(attempt.quantity)}"
        yield attempt.client_order_id, f"{attempt.state.value}{limit}, {filled} filled"
    yield "exit", "" if trade.exit_price is None else number_text(trade.exit_price)
    yield "pnl", number_text(trade.pnl)
    yield "coverage", "" if trade.coverage is None else f"{trade.coverage.value}: {trade.coverage_why}"


def _of_rule(rule: RuleStanding) -> str:
    holds = {True: "holds", False: "does not hold", None: f"unknown: {rule.unknown_because or 'a part of it'}"}[
        rule.holds
    ]
    away = "".join(f", {name} {number_text(far.normalize())} away" for name, far in rule.away.items() if far > 0)
    held = [guard.name for guard in rule.guards if not guard.passed]
    guards = f", held back by {', '.join(held)}" if held and rule.holds else ""
    confirms = f", confirmed {rule.confirms} times" if rule.confirms else ""
    reads = "".join(
        f", {name} {'unknown' if one.value is None else number_text(one.value.normalize())}"
        for name, one in rule.inputs.items()
    )
    return f"{holds}{reads}{away}{confirms}{guards}"

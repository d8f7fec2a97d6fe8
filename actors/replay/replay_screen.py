"""What a person sees of a replay: what was told again, what is different and where, what is missing."""

import difflib
from collections.abc import Iterable, Iterator, Sequence

import msgspec
from rich.console import Group, RenderableType
from rich.text import Text

from bus.messages.plain import instant_text
from bus.messages.replay import ReplayDifference, Replayed, ReplayedWord
from config.pictures import card

_CONTEXT_LINES = 2
_SHOWN = 3
_GAPS = 10


def render(found: Replayed) -> RenderableType:
    """Return the whole."""
    facts = {
        "recording": found.place,
        "from": None if found.begin is None else instant_text(found.begin),
        "to": None if found.end is None else instant_text(found.end),
        "lives": f"{found.lives:,}" + (f", of which {found.killed:,} without an end in order" if found.killed else ""),
        "heard": f"{found.entries:,} words",
        "decided again": f"{found.compared:,}: " + ", ".join(f"{name} {n:,}" for name, n in found.by_actor.items()),
        "skipped": f"{found.skipped:,}, because what they build on is missing" if found.skipped else None,
        "lost": f"{found.lost:,} entries, by the recorder itself" if found.lost else None,
        "different": f"{found.different:,}",
    }
    parts: list[RenderableType] = [card("Replay", facts)]
    parts += gap_lines(found.gaps)
    for number, difference in enumerate(found.differences[:_SHOWN], 1):
        parts += [Text(""), *_difference(number, difference)]
    if found.different > _SHOWN:
        parts.append(
            Text(f"... and {found.different - _SHOWN:,} more; --json shows the first {len(found.differences)}")
        )
    return Group(*parts)


def gap_lines(gaps: Sequence[str]) -> Iterator[Text]:
    """Return what the recording lacks, the first of it line by line."""
    for gap in gaps[:_GAPS]:
        yield Text(f"gap: {gap}", style="yellow")
    if len(gaps) > _GAPS:
        yield Text(f"gap: ... and {len(gaps) - _GAPS:,} more; --json shows all of them", style="yellow")


def _difference(number: int, it: ReplayDifference) -> Iterator[Text]:
    yield Text(f"difference {number}: entry {it.number:,}, {instant_text(it.at)}, {it.actor}", style="bold red")
    yield Text(f"heard {it.heard.name} {line_of(it.heard)[:2000]}")
    yield from said_otherwise(it.expected, it.actual)


def said_otherwise(recorded: Iterable[ReplayedWord], now: Iterable[ReplayedWord]) -> Iterator[Text]:
    """Return what was said then and is said now, where it differs."""
    styles = {"-": "red", "+": "green"}
    for line in difflib.unified_diff(
        lines_of(recorded), lines_of(now), "recorded", "now", lineterm="", n=_CONTEXT_LINES
    ):
        yield Text(line, style=styles.get(line[:1], ""))


def lines_of(words: Iterable[ReplayedWord]) -> list[str]:
    """Return words whole, a line for each value."""
    lines: list[str] = []
    for word in words:
        lines += [word.name, *("  " + line for line in _document(word.content).splitlines())]
    return lines


def line_of(word: ReplayedWord) -> str:
    """Return what a word holds on one line."""
    return msgspec.json.encode(word.content, enc_hook=repr).decode()


def _document(content: object) -> str:
    return msgspec.json.format(msgspec.json.encode(content, enc_hook=repr), indent=2).decode()

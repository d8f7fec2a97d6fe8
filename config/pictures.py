"""How an answer is shown to people: tables and lists of facts, on stdout."""

import sys
from collections.abc import Mapping, Sequence

from rich import box
from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

_WIDTH_MAX = 100_000
_LAST_LEAST = 40
"""A last column that wraps stays this wide."""


def show(picture: RenderableType) -> None:
    """Print for people, on stdout.

    No value is cut or folded: on a terminal only a table's last column wraps, and elsewhere, for `grep`, not even that.
    """
    terminal = Console(highlight=False)
    wanted = Measurement.get(terminal, terminal.options.update(max_width=_WIDTH_MAX), picture)
    width = max(terminal.width, wanted.minimum) if terminal.is_terminal else wanted.maximum
    console = Console(highlight=False, width=width)
    with console.capture() as printed:
        console.print(picture)
    sys.stdout.write("".join(f"{line.rstrip()}\n" for line in printed.get().splitlines()))
    sys.stdout.flush()


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> RenderableType:
    """Return a table; missing values stay empty. Without rows: a line that says so."""
    if not rows:
        return Text(f"{title}: none")
    shown = Table(
        title=title, title_justify="left", header_style="bold", box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False
    )
    for number, column in enumerate(columns):
        is_last = number == len(columns) - 1
        # rich takes the longest word for the least width, also where nothing wraps: it would cut what has spaces in it.
        longest = max(cell_len(text) for text in (column, *(plain(row[number]) for row in rows)))
        shown.add_column(column, no_wrap=not is_last, min_width=min(longest, _LAST_LEAST) if is_last else longest)
    for row in rows:
        shown.add_row(*(Text(plain(cell)) for cell in row))
    return shown


def card(title: str, facts: Mapping[str, object]) -> RenderableType:
    """Return facts under each other; missing ones are left out."""
    shown = Table(title=title, title_justify="left", show_header=False, box=None, pad_edge=False)
    shown.add_column(no_wrap=True)
    shown.add_column()
    for name, value in facts.items():
        if text := plain(value):
            shown.add_row(Text(name, style="bold"), Text(text))
    return shown


def plain(value: object) -> str:
    """Return a value as people read it; switches as they are typed, `true` and `false`. Nothing is an empty text."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case Mapping():
            return pairs(value)
        case list() | tuple():
            return "; ".join(plain(inner) for inner in value)
        case _:
            return str(value)


def pairs(values: Mapping[str, object], between: str = ", ") -> str:
    """Return `key value` by key, in the order of the keys."""
    return between.join(_pair(item) for item in sorted(values.items()))


def _pair(item: tuple[str, object]) -> str:
    return " ".join(text for text in map(plain, item) if text)

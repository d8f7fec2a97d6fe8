"""How an answer is shown to people: tables and lists of facts, on stdout."""

from collections.abc import Mapping, Sequence

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text


def show(picture: RenderableType) -> None:
    """Print for people, on stdout."""
    Console(highlight=False, soft_wrap=not isinstance(picture, Table)).print(picture)


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> RenderableType:
    """Return a table; missing values stay empty. Without rows: a line that says so."""
    if not rows:
        return Text(f"{title}: none")
    shown = Table(title=title, title_justify="left", header_style="bold", pad_edge=False)
    for column in columns:
        shown.add_column(column, overflow="fold")
    for row in rows:
        shown.add_row(*(Text("" if cell is None else str(cell)) for cell in row))
    return shown


def card(title: str, facts: Mapping[str, object]) -> RenderableType:
    """Return facts under each other; missing ones are left out."""
    shown = Table(title=title, title_justify="left", show_header=False, box=None, pad_edge=False)
    for name, value in facts.items():
        if value not in (None, "", [], {}):
            shown.add_row(Text(name, style="bold"), Text(_flat(value)))
    return shown


def _flat(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_flat(inner)}" for name, inner in value.items())
    if isinstance(value, list | tuple):
        return "; ".join(_flat(inner) for inner in value)
    return str(value)

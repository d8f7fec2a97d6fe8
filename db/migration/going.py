"""How a copy goes, for people: a line on stderr for what is done. On a terminal there are bars (`moving_screen.Bars`)."""

import sys
from collections.abc import Sequence
from typing import Self


class Going:
    """Writes lines."""

    def __init__(self) -> None:
        self._tables: list[tuple[str, int, int]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """End, with what there is to end."""

    def begins(self, tables: Sequence[tuple[str, int, int]]) -> None:
        """Hear of each table: its name, its rows, and those that are done already."""
        self._tables += tables

    def copied(self, number: int, rows: int) -> None:
        """Hear that so many more rows of a table are done."""
        name, total, done = self._tables[number]
        self._tables[number] = (name, total, done + rows)
        if done + rows == total and rows:
            self.does(f"{name}: {total:,} rows")

    def does(self, what: str) -> None:
        """Hear what is done now, beside the rows."""
        sys.stderr.write(f"{what}\n")


def going() -> Going:
    """Return what tells people who look."""
    if not sys.stderr.isatty():
        return Going()
    from db.migration.moving_screen import Bars  # noqa: PLC0415  # takes memory and time that the rows need

    return Bars()

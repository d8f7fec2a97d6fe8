"""What Watchkeeper's own tables need of the old system's fills: what the plan has found out of each (`matching.py`), by the fill's id."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Literal

import msgspec

from db.migration.cells import Cell
from db.migration.conversions.base import Unconvertible, Value
from db.migration.conversions.old_trades import denoised


class Matched(msgspec.Struct, frozen=True, kw_only=True, tag="matched", tag_field="name", omit_defaults=True):
    """What was found out of a row, by what it is called. Nothing is taken back: the exact copy restores the row.

    matches: by the first cell, the value. unmatched: by the reason, the cells of which nothing was found out: they are refused with it.
    others: what becomes of cells that stand in neither. amount: the values are numbers.
    """

    matches: dict[str, str]
    unmatched: dict[str, tuple[str, ...]] = {}
    others: Literal["refuse", "null"] = "refuse"
    amount: bool = False

    def convert(self, cells: Sequence[Cell]) -> Value:
        """Return what was found out. Raises: Unconvertible."""
        value = self.matches.get(cells[0]) if isinstance(cells[0], str) else None
        if value is not None:
            return Decimal(value) if self.amount else value
        if self.others == "null":
            return None
        raise Unconvertible(
            next((why for why, those in self.unmatched.items() if cells[0] in those), "nothing matches")
        )

    def invert(self, value: Value) -> tuple[Cell, ...]:
        """Return nothing: it is made of what other columns restore."""
        del value
        return ()


class OwnPrice(msgspec.Struct, frozen=True, kw_only=True, tag="own_price", tag_field="name"):
    """The price of the trade's own side, of a fill that tells one for yes and one for no. sides: of the trade, by the fill's id."""

    sides: dict[str, Literal["yes", "no"]]

    def convert(self, cells: Sequence[Cell]) -> Value:
        """Return the price in dollars; NULL for a fill that is not among them. cells: id, price of yes, price of no."""
        fill, yes, no = cells
        side = self.sides.get(fill) if isinstance(fill, str) else None
        return None if side is None else denoised(yes if side == "yes" else no)

    def invert(self, value: Value) -> tuple[Cell, ...]:
        """Return nothing: it is made of what other columns restore."""
        del value
        return ()

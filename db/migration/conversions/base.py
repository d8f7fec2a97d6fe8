"""What all conversions are made of."""

from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import NamedTuple

import msgspec

from db.migration.cells import Cell, storage_class

Value = None | bool | int | float | Decimal | str | bytes | datetime | date | time


class Unconvertible(ValueError):  # noqa: N818  # an outcome: its row goes to quarantine
    """A value has no place in the target. reason: stable words for what is wrong, without the value."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Either(NamedTuple):
    """Two instants, the earlier first, of which nothing tells which one was meant."""

    earlier: datetime
    later: datetime


class OfOne(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A conversion of one cell. nulls: texts that stand for NULL, such as '' or 'NaN'."""

    nulls: tuple[str, ...] = ()

    def convert(self, cells: Sequence[Cell]) -> Value | Either:
        """Return the value. Raises: Unconvertible."""
        cell = cells[0]
        return None if cell is None or (isinstance(cell, str) and cell in self.nulls) else self._there(cell)

    def invert(self, value: Value) -> tuple[Cell, ...]:
        """Return the cell that gives this value, in its usual spelling."""
        return (None if value is None else self._back(value),)

    def _there(self, cell: Cell) -> Value | Either:
        """Convert a cell that is not NULL."""
        raise NotImplementedError

    def _back(self, value: Value) -> Cell:
        """Return what `_there` has made this of."""
        raise NotImplementedError


def no(wanted: str, cell: Cell) -> Unconvertible:
    """Return that a cell of this storage class is not what was wanted."""
    return Unconvertible(f"{storage_class(cell)} where {wanted} is wanted")

"""One value's way into the target and back: the door that everything of a copy passes."""

import json
from collections.abc import Sequence
from typing import NamedTuple

from db.migration.cells import Cell, cell_of, literal, same
from db.migration.conversions.base import Either, Unconvertible, Value
from db.migration.plan_words import Column

NOT_BACK = "a value that its inverse does not give back, without a column for the original"
NO_NULL = "NULL where the target needs a value"
TWO = "a local time that the clock showed twice, without a column for the second instant"


class Moved(NamedTuple):
    """What stands in the target: the value, the later of two possible instants, the original as literals of SQL."""

    value: Value
    later: Value = None
    original: str | None = None


def move(column: Column, cells: Sequence[Cell]) -> Moved:
    """Return what becomes of a row's cells in this column. cells: of its sources, then of its context. Raises: Unconvertible."""
    value, later = column.conversion.convert(cells), None
    if isinstance(value, Either):
        if not column.either:
            raise Unconvertible(TWO)
        value, later = value
    if value is None and not column.nullable:
        raise Unconvertible(NO_NULL)
    sources = cells[: len(column.sources)]
    if all(map(same, column.conversion.invert(value), sources)):
        return Moved(value, later)
    if not column.original:
        raise Unconvertible(NOT_BACK)
    return Moved(value, later, written(sources))


def back(column: Column, moved: Moved) -> tuple[Cell, ...]:
    """Return the cells of the column's sources, bit for bit as they were."""
    return (
        column.conversion.invert(moved.value) if moved.original is None else read(moved.original, len(column.sources))
    )


def written(cells: Sequence[Cell]) -> str:
    """Return cells as the text of an `original` column."""
    return literal(cells[0]) if len(cells) == 1 else json.dumps([literal(cell) for cell in cells], ensure_ascii=False)


def read(original: str, count: int) -> tuple[Cell, ...]:
    """Return the cells that `written` wrote."""
    return (cell_of(original),) if count == 1 else tuple(cell_of(one) for one in json.loads(original))

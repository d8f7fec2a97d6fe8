"""The proof of a plan: each conversion is tried, with its inverse, on every value of the source.

Where an hour was shown twice, the order of ids decides which of the two was meant, if the column's times never go back with rising ids
but once in such an hour: what follows is the second pass.
"""

import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from itertools import pairwise
from typing import Final

from msgspec.structs import replace

from db.migration.cells import Cell
from db.migration.conversions.base import Unconvertible
from db.migration.conversions.instants import SecondPass, Zoned
from db.migration.conversions.moving import move
from db.migration.plan_words import Column, Proof, Table
from db.migration.profile import batches, key_text
from db.migration.sqlite_schema import SqliteTable

_KEYS_MAX: Final = 5
_REMEMBERED_MAX: Final = 5_000
_REMEMBERED_LENGTH_MAX: Final = 200
_REPEATED_MAX: Final = 100_000
"""Rows of one hour that is shown twice, of one column; more of them stay undecided."""
STAND_IN: Final = "UTC"
"""For a zone that nobody has named yet: it has no hour that is shown twice."""


def proven(connection: sqlite3.Connection, source: SqliteTable, table: Table) -> Table:
    """Return the table with the proof of each column, and without the columns beside it that nothing needs."""
    tried = _Trial(source, table)
    for batch in batches(connection, source, table.where):
        tried.see(batch)
    decided = tried.decided()
    if decided is not None:
        return proven(connection, source, decided)
    return replace(table, rows=tried.rows, columns=tuple(tried.columns()))


class _Trial:
    """One pass over the rows of a table."""

    def __init__(self, source: SqliteTable, table: Table) -> None:
        self._source = source
        self._table = table
        self.rows = 0
        self._names = [*source.row_key, *(column.name for column in source.columns)]
        places = {name: place for place, name in enumerate(self._names)}
        self._tried = [
            _Tried(column, [places[name] for name in (*column.sources, *column.context)]) for column in table.columns
        ]

    def see(self, batch: Sequence[tuple[Cell, ...]]) -> None:
        self.rows += len(batch)
        for row in batch:
            for tried in self._tried:
                if (reason := tried.see(row)) is not None:
                    tried.quarantine(reason, self._key(row))

    def _key(self, row: Sequence[Cell]) -> str:
        return key_text(self._source, self._names, row)

    def decided(self) -> Table | None:
        """Return the table with the second passes that the order of ids shows; None if there is nothing new."""
        number = self._source.rowid_column
        if not number:
            return None
        columns = [_with_passes(tried, number) for tried in self._tried]
        if all(new is tried.column for new, tried in zip(columns, self._tried, strict=True)):
            return None
        return replace(self._table, columns=tuple(columns))

    def columns(self) -> Iterator[Column]:
        """Yield the columns with their proofs."""
        for tried in self._tried:
            proof = tried.proof(self.rows)
            original = tried.column.original if proof.kept else ""
            either = tried.column.either if proof.either or _is_open(tried.column.conversion) else ""
            yield replace(tried.column, original=original, either=either, proof=proof)


class _Tried:
    """One column, and what became of its values so far."""

    def __init__(self, column: Column, places: Sequence[int]) -> None:
        self.column = column
        self._trial = replace(column, conversion=_with_stand_in(column.conversion))
        self._places = places
        self._outcomes: Counter[str] = Counter()
        self._reasons: Counter[str] = Counter()
        self._keys: list[str] = []
        self._remembered: dict[tuple[object, ...], tuple[str, datetime | None]] = {}
        self._last: datetime | None = None
        self._goes_back = 0
        self._repeated: list[tuple[int, datetime]] = []

    def see(self, row: Sequence[Cell]) -> str | None:
        """Try one row; returns why it must go to quarantine."""
        cells = tuple(row[place] for place in self._places)
        key = (*map(type, cells), *cells)
        found = self._remembered.get(key)
        if found is None:
            found = self._outcome(cells)
            if len(self._remembered) < _REMEMBERED_MAX and not any(map(_is_not_to_be_remembered, cells)):
                self._remembered[key] = found
        outcome, local = found
        if local is not None:
            self._goes_back += self._last is not None and local < self._last
            self._last = local
            if outcome == "either" and isinstance(row[0], int) and len(self._repeated) < _REPEATED_MAX:
                self._repeated.append((row[0], local))
        if outcome in ("lossless", "kept", "either"):
            self._outcomes[outcome] += 1
            return None
        return outcome

    def _outcome(self, cells: tuple[Cell, ...]) -> tuple[str, datetime | None]:
        """Return what becomes of these cells, and what the clock of their zone showed."""
        try:
            moved = move(self._trial, cells)
        except Unconvertible as error:
            return error.reason, None
        conversion, value = self._trial.conversion, moved.value
        local = (
            conversion.local(value).replace(tzinfo=None, fold=0)
            if isinstance(conversion, Zoned) and value is not None
            else None
        )
        return "either" if moved.later is not None else "lossless" if moved.original is None else "kept", local

    def second_passes(self) -> tuple[SecondPass, ...]:
        """Return those that the order of ids shows."""
        found = tuple(second_passes(self._repeated))
        return found if self._goes_back == len(found) else ()

    def quarantine(self, reason: str, key: str) -> None:
        """Count a row that cannot move."""
        self._reasons[reason] += 1
        if len(self._keys) < _KEYS_MAX:
            self._keys.append(key)

    def proof(self, rows: int) -> Proof:
        """Return the tally."""
        return Proof(
            values=rows,
            lossless=self._outcomes["lossless"],
            kept=self._outcomes["kept"],
            either=self._outcomes["either"],
            quarantined=sum(self._reasons.values()),
            reasons=dict(self._reasons),
            keys=tuple(self._keys),
        )


def _is_not_to_be_remembered(cell: Cell) -> bool:
    """Whether it is too long; or a zero, of which 0.0 and -0.0 would be one."""
    return cell == 0.0 or (isinstance(cell, str | bytes) and len(cell) > _REMEMBERED_LENGTH_MAX)


def _is_open(conversion: object) -> bool:
    """Whether nobody has said the zone yet: then nobody knows whether an hour of these times was shown twice."""
    return isinstance(conversion, Zoned) and conversion.zone.startswith("?")


def _with_stand_in(conversion: object) -> object:
    if isinstance(conversion, Zoned) and conversion.zone.startswith("?"):
        return replace(conversion, zone=STAND_IN)
    return conversion


def _with_passes(tried: _Tried, number: str) -> Column:
    conversion = tried.column.conversion
    if not isinstance(conversion, Zoned) or conversion.second_passes:
        return tried.column
    passes = tried.second_passes()
    if not passes:
        return tried.column
    return replace(
        tried.column,
        context=(*tried.column.context, number),
        conversion=replace(conversion, second_passes=passes),
    )


def second_passes(repeated: Sequence[tuple[int, datetime]]) -> Iterator[SecondPass]:
    """Yield, for each day whose rows decide it, the id from which the second pass has begun.

    repeated: id and local time of rows in an hour that is shown twice, in any order.
    """
    days: dict[date, list[tuple[int, datetime]]] = {}
    for row in sorted(repeated):
        days.setdefault(row[1].date(), []).append(row)
    for day, rows in sorted(days.items()):
        drops = [later[0] for earlier, later in pairwise(rows) if later[1] < earlier[1]]
        if len(drops) == 1:
            yield SecondPass(day=day, from_id=drops[0])

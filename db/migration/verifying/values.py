"""Values as PostgreSQL sends them and as a program reads them; psycopg writes and reads."""

import re
import struct
from collections.abc import Iterator
from datetime import datetime
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal, Inexact
from types import NoneType
from typing import Final

from psycopg import adapters
from psycopg.adapt import Transformer
from psycopg.pq import Format

from db.migration.conversions.base import Value

EXACT: Final = Context(prec=200_000, Emin=MIN_EMIN, Emax=MAX_EMAX, traps=[Inexact])
"""Sums are rounded nowhere, as those of PostgreSQL are not."""
_SCALED: Final = re.compile(r"(?:numeric|decimal)\s*\(\s*\d+\s*,\s*(\d+)\s*\)", re.IGNORECASE)
_REAL: Final = struct.Struct(">d")


class Type:
    """One type of PostgreSQL: writes and reads a value as psycopg does."""

    def __init__(self, oid: int, name: str) -> None:
        known = adapters.types.get(oid)
        self.name = known.name if known else "text"
        context = Transformer()
        self._dumper = adapters.get_dumper_by_oid(oid, Format.BINARY)(NoneType, context)
        self._loader = context.get_loader(oid, Format.BINARY)
        scaled = _SCALED.fullmatch(name.strip())
        self._scale = None if scaled is None else Decimal(1).scaleb(-int(scaled[1]))

    @property
    def adds_up(self) -> bool:
        """Whether a sum says something: of floats it hangs on the order."""
        return self.name in ("int2", "int4", "int8", "numeric")

    def stored(self, value: Value) -> Value:
        """Return the value as the column keeps it: a numeric with a scale has always so many decimals."""
        if self._scale is None or not isinstance(value, Decimal):
            return value
        return value.quantize(self._scale, context=EXACT)

    def write(self, value: Value) -> bytes:
        """Return the field of a value that is not NULL, with its length."""
        if self.name in ("json", "jsonb"):
            raw = (b"\x01" if self.name == "jsonb" else b"") + str(value).encode()
        else:
            raw = bytes(self._dumper.dump(value) or b"")
        return len(raw).to_bytes(4, "big") + raw

    def read(self, field: bytes) -> Value:
        """Return the value of a field without its length."""
        if self.name == "json":
            return field.decode()
        if self.name == "jsonb":
            return field[1:].decode()
        found: Value = self._loader.load(field)
        return found


def fields_of(row: bytes) -> Iterator[bytes | None]:
    """Yield the fields of a row, without their lengths; None for NULL."""
    at = 2
    while at < len(row):
        size = int.from_bytes(row[at : at + 4], "big", signed=True)
        at += 4
        yield None if size < 0 else row[at : at + size]
        at += max(size, 0)


def alike(one: Value, other: Value) -> bool:
    """Return whether two values are the same to a program: their type, the sign of zero and the number of decimals included."""
    if type(one) is not type(other):
        return False
    match one:
        case float():
            assert isinstance(other, float)
            return _REAL.pack(one) == _REAL.pack(other)
        case Decimal():
            assert isinstance(other, Decimal)
            # PostgreSQL has no negative zero; the number of decimals counts.
            return one == other and one.as_tuple().exponent == other.as_tuple().exponent
        case datetime():
            assert isinstance(other, datetime)
            return one == other and (one.tzinfo is None) == (other.tzinfo is None)
        case _:
            return one == other

"""Numbers: none is rounded, none becomes a float that was not one."""

import re
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal, Inexact, InvalidOperation
from math import isfinite
from typing import Final, Literal

from db.migration.cells import Cell, same
from db.migration.conversions.base import OfOne, Unconvertible, Value, no

_EXACT: Final = Context(prec=150_000, Emin=MIN_EMIN, Emax=MAX_EMAX, traps=[Inexact, InvalidOperation])
_DIGITS_MAX: Final = 131_072
"""Before the point, in a numeric of PostgreSQL."""
_DECIMALS_MAX: Final = 16_383
_SPELLED: Final = re.compile(r"([+-]?)(\$?)([0-9]+|[0-9]{1,3}(?:,[0-9]{3})+)(\.[0-9]+)?", re.ASCII)
_POWER: Final = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?[eE][+-]?[0-9]{1,5}", re.ASCII)
Unit = Literal["dollars", "cents"]


class Integer(OfOne, frozen=True, kw_only=True, tag="integer", tag_field="name"):
    """A whole number into smallint, integer or bigint. bits: of the target's type."""

    bits: Literal[16, 32, 64] = 64

    def _there(self, cell: Cell) -> Value:
        if isinstance(cell, float) and cell.is_integer():
            cell = int(cell)
        if not isinstance(cell, int):
            raise no("a whole number", cell)
        if not -(2 ** (self.bits - 1)) <= cell < 2 ** (self.bits - 1):
            raise Unconvertible(f"a whole number of more than {self.bits} bits")
        return cell

    def _back(self, value: Value) -> Cell:
        assert isinstance(value, int)
        return value


class Boolean(OfOne, frozen=True, kw_only=True, tag="boolean", tag_field="name"):
    """A switch into boolean. yes, no: its spellings, the usual one first."""

    yes: tuple[int | str, ...] = (1,)
    no: tuple[int | str, ...] = (0,)

    def _there(self, cell: Cell) -> Value:
        for spellings, value in ((self.yes, True), (self.no, False)):
            if any(same(cell, one) for one in spellings):
                return value
        raise Unconvertible("neither true nor false in any spelling that is known here")

    def _back(self, value: Value) -> Cell:
        return self.yes[0] if value else self.no[0]


class Double(OfOne, frozen=True, kw_only=True, tag="double", tag_field="name"):
    """A float into double precision, bit for bit; a whole number where it has one exactly."""

    def _there(self, cell: Cell) -> Value:
        if isinstance(cell, int) and int(float(cell)) == cell:
            return float(cell)
        if not isinstance(cell, float):
            raise no("a float", cell)
        return cell

    def _back(self, value: Value) -> Cell:
        assert isinstance(value, float)
        return value


class Numeric(OfOne, frozen=True, kw_only=True, tag="numeric", tag_field="name"):
    """A number into numeric: a float by its shortest decimal, which gives the same float again; 2.0 keeps its decimal, 2 has none.

    scale: of a `numeric(p, s)`; a number with more decimals is refused, never rounded. With a scale the number of decimals no longer
    tells floats from whole numbers: `came_from` says which it is.
    """

    scale: int | None = None
    came_from: Literal["real", "integer"] = "real"

    def _there(self, cell: Cell) -> Value:
        return at_scale(decimal_of(cell), self.scale)

    def _back(self, value: Value) -> Cell:
        assert isinstance(value, Decimal)
        whole = value.as_tuple().exponent == 0 if self.scale is None else self.came_from == "integer"
        return int(value) if whole else float(value)


class Money(OfOne, frozen=True, kw_only=True, tag="money", tag_field="name"):
    """An amount into numeric, in dollars; the source has it in `unit`, as a float or a whole number.

    scale: at most so many decimals, in dollars; None: as many as there are.
    """

    unit: Unit = "dollars"
    scale: int | None = None

    def _there(self, cell: Cell) -> Value:
        number = decimal_of(cell)
        return limited(number.scaleb(-2, _EXACT) if self.unit == "cents" else number, self.scale)

    def _back(self, value: Value) -> Cell:
        assert isinstance(value, Decimal)
        number = value.scaleb(2, _EXACT) if self.unit == "cents" else value
        return int(number) if number.as_tuple().exponent == 0 else float(number)


class TextNumber(OfOne, frozen=True, kw_only=True, tag="text_number", tag_field="name"):
    """A number that stands in a text ('+3', '$119,500') into numeric, or where `whole` is set into bigint.

    plus, dollar, commas: how it is usually spelled, for the way back; all spellings are read.
    """

    whole: bool = False
    plus: bool = False
    dollar: bool = False
    commas: bool = False

    def _there(self, cell: Cell) -> Value:
        number = spelled_number(cell) if isinstance(cell, str) else decimal_of(cell)
        if number is None:
            raise Unconvertible("a text that is no number")
        if not self.whole:
            return limited(number, None)
        if number != (whole := int(number)) or not -(2**63) <= whole < 2**63:
            raise Unconvertible("a number that is not whole, or has more than 64 bits")
        return whole

    def _back(self, value: Value) -> Cell:
        assert isinstance(value, int | Decimal)
        text = format(
            abs(value) if isinstance(value, int) else value.copy_abs(),
            f"{',' if self.commas else ''}{'d' if isinstance(value, int) else 'f'}",
        )
        sign = "-" if value < 0 else "+" if self.plus and value else ""
        return f"{sign}{'$' if self.dollar else ''}{text}"


def spelled_number(text: str) -> Decimal | None:
    """Return the number that a text says, with an optional sign, dollar sign and commas between thousands; None if it is none."""
    if found := _SPELLED.fullmatch(text):
        sign, _, whole, decimals = found.groups()
        return Decimal(f"{sign}{whole.replace(',', '')}{decimals or ''}")
    return _plain(Decimal(text)) if _POWER.fullmatch(text) else None


def decimal_of(cell: Cell) -> Decimal:
    """Return the number of a cell: of a float its shortest decimal, with at least one decimal. Raises: Unconvertible."""
    if isinstance(cell, int):
        return Decimal(cell)
    if not isinstance(cell, float):
        raise no("a number", cell)
    if not isfinite(cell):
        raise Unconvertible("an infinite number, which no numeric here may hold")
    number = _plain(Decimal(repr(cell)))
    # PostgreSQL has no negative zero: the inverse of 0.0 then shows that the sign is lost.
    number = number.copy_abs() if number.is_zero() else number
    return number if _decimals(number) else Decimal(f"{number}.0")


def at_scale(number: Decimal, scale: int | None) -> Decimal:
    """Return the number with exactly so many decimals. Raises: Unconvertible if that changes it."""
    number = limited(number, scale)
    return number if scale is None else number.quantize(Decimal(1).scaleb(-scale), context=_EXACT)


def limited(number: Decimal, scale: int | None) -> Decimal:
    """Return the number if a numeric of PostgreSQL has place for it, with at most `scale` decimals that count. Raises: Unconvertible."""
    if number.adjusted() >= _DIGITS_MAX or _decimals(number) > _DECIMALS_MAX:
        raise Unconvertible("a number of more digits than a numeric has")
    if scale is not None:
        try:
            number.quantize(Decimal(1).scaleb(-scale), context=_EXACT)
        except Inexact:
            raise Unconvertible(f"a number of more than {scale} decimals") from None
    return number


def _plain(number: Decimal) -> Decimal:
    """Return the number with an exponent of 0 or less, as PostgreSQL keeps it."""
    exponent = number.as_tuple().exponent
    return number.quantize(Decimal(1), context=_EXACT) if isinstance(exponent, int) and exponent > 0 else number


def _decimals(number: Decimal) -> int:
    exponent = number.as_tuple().exponent
    assert isinstance(exponent, int)
    return -exponent

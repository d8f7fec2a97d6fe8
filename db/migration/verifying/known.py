"""What is expected of a value, and what of that was seen lately."""

from collections.abc import Callable
from decimal import Decimal
from math import copysign
from typing import Final, NamedTuple

from db.migration.cells import Cell
from db.migration.verifying.values import Type

_KNOWN_MAX: Final = 2_000


class Impossible(NamedTuple):
    """A row that cannot be in the target: why."""

    column: str
    reason: str


class NotBack(NamedTuple):
    """A row whose value in the target does not give back what stood in the source: cells, and what comes back, as literals."""

    column: str
    cells: str
    found: str


Piece = bytes | Impossible | NotBack


class Known(dict[object, Piece]):
    """What is expected for cells of one storage class, or for tuples of cells, that were seen lately."""

    def __init__(
        self, make: Callable[[tuple[Cell, ...]], Piece], others: Callable[[Cell], Piece] | None = None
    ) -> None:
        """others: where these are texts, what knows the cells of other classes."""
        super().__init__()
        self._others = others
        self._make = make
        self._zeros: dict[float, Piece] = {}
        self.are_too_many = False

    def __missing__(self, key: object) -> Piece:
        if self._others is not None and isinstance(key, int | float | bytes):
            return self._others(key)
        if isinstance(key, float) and key == 0:
            # Two zeros are one key, and may not be one value.
            sign = copysign(1, key)
            if sign not in self._zeros:
                self._zeros[sign] = self._make((key,))
            return self._zeros[sign]
        piece = self._make(key if isinstance(key, tuple) else (key,))
        if len(self) >= _KNOWN_MAX:
            self.are_too_many = True
            self.clear()
        self[key] = piece
        return piece


class Numbers(dict[bytes, "int | Decimal"]):
    """The numbers that pieces of rows begin with; 0 for NULL."""

    def __init__(self, kind: Type) -> None:
        super().__init__()
        self._kind = kind

    def __missing__(self, piece: bytes) -> int | Decimal:
        size = int.from_bytes(piece[:4], "big", signed=True)
        value = 0 if size < 0 else self._kind.read(piece[4 : 4 + size])
        assert isinstance(value, int | Decimal)
        self.add(piece, value)
        return value

    def add(self, piece: bytes, value: int | Decimal) -> None:
        """Know the number of a piece."""
        if len(self) >= _KNOWN_MAX:
            self.clear()
        self[piece] = value

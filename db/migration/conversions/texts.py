"""Texts, bytes, and what is said in words."""

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Final, NoReturn
from typing import Literal as One

import msgspec

from db.migration.cells import Cell, cell_of, is_utf8, literal
from db.migration.conversions.base import OfOne, Unconvertible, Value, no

_BYTES_MAX: Final = 1_000_000_000
"""Below what one field of PostgreSQL holds (1 GiB, its lengths included)."""


class Text(OfOne, frozen=True, kw_only=True, tag="text", tag_field="name"):
    """A text into text. A number becomes the text that SQLite shows of it; bytes are none."""

    def _there(self, cell: Cell) -> Value:
        return (
            storable(cell if isinstance(cell, str) else literal(cell)) if not isinstance(cell, bytes) else _refuse(cell)
        )

    def _back(self, value: Value) -> Cell:
        assert isinstance(value, str)
        return value


class Literal(OfOne, frozen=True, kw_only=True, tag="literal", tag_field="name"):
    """Anything into text, as a literal of SQL: 1 and '1' stay two, texts with NUL bytes and bytes arrive as well."""

    def _there(self, cell: Cell) -> Value:
        return storable(literal(cell))

    def _back(self, value: Value) -> Cell:
        assert isinstance(value, str)
        return cell_of(value)


class Json(OfOne, frozen=True, kw_only=True, tag="json", tag_field="name"):
    """A JSON text into json, which keeps it letter by letter (jsonb does not)."""

    def _there(self, cell: Cell) -> Value:
        if not isinstance(cell, str):
            raise no("a JSON text", cell)
        check_json(storable(cell))
        return cell

    def _back(self, value: Value) -> Cell:
        assert isinstance(value, str)
        return value


class Blob(OfOne, frozen=True, kw_only=True, tag="blob", tag_field="name"):
    """Bytes into bytea."""

    def _there(self, cell: Cell) -> Value:
        if not isinstance(cell, bytes):
            raise no("bytes", cell)
        if len(cell) > _BYTES_MAX:
            raise Unconvertible("more bytes than one field holds")
        return cell

    def _back(self, value: Value) -> Cell:
        assert isinstance(value, bytes)
        return value


class Words(OfOne, frozen=True, kw_only=True, tag="words", tag_field="name"):
    """A closed list of words into the target's words: `words = { Y = "yes", N = "no" }`.

    others: what becomes of a word that is not listed. Two words of one meaning: the first is the usual one.
    """

    words: dict[str, str]
    others: One["refuse", "same"] = "refuse"

    def _there(self, cell: Cell) -> Value:
        if not isinstance(cell, str):
            raise no("a word", cell)
        if cell not in self.words and self.others == "refuse":
            raise Unconvertible("a word that is not in the list")
        return storable(self.words.get(cell, cell))

    def _back(self, value: Value) -> Cell:
        return next(
            (word for word, meaning in self.words.items() if meaning == value),
            value if isinstance(value, str) else None,
        )


class Prefixed(OfOne, frozen=True, kw_only=True, tag="prefixed", tag_field="name"):
    """A whole number into a text with a prefix: `legacy-17`."""

    prefix: str

    def _there(self, cell: Cell) -> Value:
        if not isinstance(cell, int):
            raise no("a whole number", cell)
        return f"{self.prefix}{cell}"

    def _back(self, value: Value) -> Cell:
        assert isinstance(value, str)
        return int(value.removeprefix(self.prefix))


class Constant(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="constant", tag_field="name"):
    """The same value in every row, of no source column. value: a question's name after `?` until it is answered.

    amount: the value is a number for numeric.
    """

    value: bool | int | str
    amount: bool = False

    def convert(self, cells: Sequence[Cell]) -> Value:
        """Return the value."""
        assert not cells
        return Decimal(self.value) if self.amount else self.value

    def invert(self, value: Value) -> tuple[Cell, ...]:
        """Return nothing: it came from nowhere."""
        assert value == (Decimal(self.value) if self.amount else self.value)
        return ()


def storable(text: str) -> str:
    """Return the text if one of PostgreSQL can hold it. Raises: Unconvertible."""
    if "\0" in text:
        raise Unconvertible("a text with a NUL byte")
    if not is_utf8(text):
        raise Unconvertible("a text that is not UTF-8")
    if len(text) > _BYTES_MAX or (not text.isascii() and len(text.encode()) > _BYTES_MAX):
        raise Unconvertible("a text of more bytes than one field holds")
    return text


def check_json(text: str) -> None:
    """Return if the text is JSON by the letter (no NaN, which Python takes). Raises: Unconvertible."""
    try:
        # Numbers stay texts: json has no limit for them, Python's int has one.
        json.loads(text, parse_constant=_no_constant, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        raise Unconvertible("a text that is no JSON") from None


def _no_constant(word: str) -> NoReturn:
    raise ValueError(word)


def _refuse(cell: Cell) -> NoReturn:
    raise no("a text", cell)

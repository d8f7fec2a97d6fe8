"""The values of SQLite, exactly: five storage classes, texts that are no UTF-8 and texts with NUL bytes among them.

A cell is `None`, `int`, `float`, `str` or `bytes` (a BLOB). Bytes of a text that are no UTF-8 stand in its `str` as lone surrogates
(`surrogateescape`), which no valid text holds: `raw_bytes` gives them back. So a cell is never decoded by guess, and never lost.
"""

import math
import re
import sqlite3
import struct
from typing import Final

Cell = None | int | float | str | bytes

STORAGE_CLASSES: Final = ("null", "integer", "real", "text", "blob")
_CLASS_OF: Final[dict[type, str]] = dict(zip((type(None), int, float, str, bytes), STORAGE_CLASSES, strict=True))
_REAL: Final = struct.Struct(">d")
_NUMBER: Final = re.compile(r"-?[0-9]+")


def read_exactly(connection: sqlite3.Connection) -> sqlite3.Connection:
    """Make a connection give texts as cells, whatever bytes they hold; returns it."""
    connection.text_factory = text_of
    return connection


def text_of(raw: bytes) -> str:
    """Return the text of these bytes; those that are no UTF-8 as lone surrogates."""
    return str(raw, "utf-8", "surrogateescape")


def raw_bytes(text: str) -> bytes:
    """Return the bytes that the text has in the file."""
    return text.encode("utf-8", "surrogateescape")


def is_utf8(text: str) -> bool:
    """Return whether the text is one, and not bytes that somebody stored as one."""
    return text.isascii() or not any("\ud800" <= one <= "\udfff" for one in text)


def storage_class(cell: Cell) -> str:
    """Return what SQLite's `typeof` says."""
    return _CLASS_OF[type(cell)]


def same(one: Cell, other: Cell) -> bool:
    """Return whether two cells are the same bit for bit, storage class and the sign of zero included."""
    if type(one) is not type(other):
        return False
    if isinstance(one, float) and isinstance(other, float):
        return _REAL.pack(one) == _REAL.pack(other)
    return one == other


def literal(cell: Cell) -> str:
    """Return the cell as a literal of SQL, in printable text that UTF-8 holds; `cell_of` reads it back bit for bit."""
    match cell:
        case None:
            return "NULL"
        case int():
            return str(cell)
        case float():
            return "9e999" if cell == math.inf else "-9e999" if cell == -math.inf else repr(cell)
        case bytes():
            return f"X'{cell.hex()}'"
        case str() if "\0" in cell or not is_utf8(cell):
            return f"CAST(X'{raw_bytes(cell).hex()}' AS TEXT)"
        case str():
            return "'" + cell.replace("'", "''") + "'"


def cell_of(text: str) -> Cell:
    """Return the cell that `literal` wrote. Raises: ValueError."""
    if text == "NULL":
        return None
    if len(text) >= 2 and text[0] == text[-1] == "'":
        return text[1:-1].replace("''", "'")
    if text.startswith("X'") and text.endswith("'"):
        return bytes.fromhex(text[2:-1])
    if text.startswith("CAST(X'"):
        return text_of(bytes.fromhex(text.removeprefix("CAST(X'").removesuffix("' AS TEXT)")))
    if _NUMBER.fullmatch(text):
        return int(text)
    return {"9e999": math.inf, "-9e999": -math.inf}.get(text) or float(text)

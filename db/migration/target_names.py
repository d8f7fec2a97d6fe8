"""Names of the target. Plain names become lower case, as PostgreSQL reads them when nobody quotes them; all others stay as they are."""

import hashlib
import re
from collections.abc import Iterable
from typing import Final

_PLAIN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_BYTES_MAX: Final = 63
_OF_EVERY_TABLE: Final = frozenset(("tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"))
"""Columns that PostgreSQL gives to each table itself."""


def target_name(name: str) -> str:
    """Return the name in PostgreSQL: at most 63 bytes, never empty."""
    named = (
        name.lower() if _PLAIN.fullmatch(name) else name.encode("utf-8", "replace").decode("utf-8").replace("\0", "?")
    )
    return shortened(named or "unnamed")


def column_name(name: str) -> str:
    """Return the name of a column: one that no table has by itself."""
    named = target_name(name)
    return f"{named}_" if named in _OF_EVERY_TABLE else named


def shortened(name: str) -> str:
    """Return the name within 63 bytes; a longer one ends in a piece of its hash, so that two stay two."""
    raw = name.encode()
    if len(raw) <= _BYTES_MAX:
        return name
    mark = hashlib.sha256(raw).hexdigest()[:8]
    return f"{raw[: _BYTES_MAX - 9].decode('utf-8', 'ignore')}_{mark}"


def free(name: str, taken: Iterable[str]) -> str:
    """Return the name, or with a number if it is taken."""
    used = set(taken)
    if name not in used:
        return name
    number = 2
    while (other := shortened(f"{name}_{number}")) in used:
        number += 1
    return other


def slug(text: str) -> str:
    """Return a text as a plain name: of a file, for a schema."""
    plain = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
    plain = plain if plain and not plain[0].isdigit() else f"db_{plain}".rstrip("_")
    # PostgreSQL keeps names that begin so for itself.
    return shortened(f"from_{plain}" if plain.startswith("pg_") or plain in ("public", "information_schema") else plain)

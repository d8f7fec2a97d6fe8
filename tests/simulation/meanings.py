"""How a statement of ours gets its meaning for `ModelPostgres`: by its very text."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from bus.messages.plain import read_instant
from tests.simulation.postgres import Session, Tables

Rows = list[tuple[Any, ...]]
Meaning = Callable[[Session, Any], Rows | int]
"""Given the session and the parameters, returns the rows, or how many were written."""

MEANINGS: Final[dict[str, Meaning]] = {}
ENDED: Final = ("rejected", "closed", "settled")


def means(*texts: str) -> Callable[[Meaning], Meaning]:
    """Say what a statement does."""

    def note(meaning: Meaning) -> Meaning:
        MEANINGS.update(dict.fromkeys(texts, meaning))
        return meaning

    return note


def instant(text: str) -> datetime:
    """Return the instant that a row names."""
    return datetime.fromtimestamp(read_instant(text) // 1000 / 1_000_000, UTC)


def tables_of(session: Session) -> Tables:
    """Return the tables that a session works on."""
    return session.server.tables

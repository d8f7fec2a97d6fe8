"""What each of our statements does to the tables of `ModelPostgres`, by its very text."""

from typing import Final

from db import recovery, store
from db import statements as say
from tests.simulation import statements_beside, statements_reading, statements_store, statements_trades
from tests.simulation.meanings import MEANINGS, Rows
from tests.simulation.statements_store import copy

POINTS: Final = {
    say.INSERT_INBOX: "K3",
    say.INSERT_TRADES: "K4",
    say.UPDATE_TRADES: "K4",
    store.MARK_PUBLISHED: "K12",
    recovery.UNPUBLISHED: "K9",
}
"""The kill point around a statement."""

_SAID = (statements_beside, statements_reading, statements_store, statements_trades)
"""Each has noted its meanings by being imported."""

__all__ = ["MEANINGS", "POINTS", "Rows", "copy"]

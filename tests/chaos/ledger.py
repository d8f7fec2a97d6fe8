"""The journal of a round: its chain is unbroken, each trade goes from state to state, and ends once."""

from collections.abc import Iterator, Sequence
from typing import Any

from bus.messages.records import JournalEntry
from bus.messages.trades import TradeState
from db.rows import GENESIS, journal_hash, nanoseconds


def of_journal(rows: Sequence[tuple[Any, ...]]) -> Iterator[str]:
    """Yield what is wrong with the rows of the table `journal`, by number."""
    previous = GENESIS
    stands: dict[str, tuple[TradeState, int]] = {}
    for number, (seq, trade_id, version, from_state, to_state, cause, detail, ts, before, digest) in enumerate(rows, 1):
        entry = JournalEntry(
            trade_id=trade_id,
            version=version,
            from_state=None if from_state is None else TradeState(from_state),
            to_state=TradeState(to_state),
            cause=cause,
            ts=nanoseconds(ts),
            detail=detail,
        )
        if seq != number or bytes(before) != previous or bytes(digest) != journal_hash(previous, seq, entry):
            yield f"S4: the chain of the journal breaks at row {number}: {trade_id} {to_state}"
        previous = bytes(digest)
        state, last = stands.get(trade_id, (None, 0))
        if entry.from_state != state or version < last:
            yield f"S4: {trade_id} was {state} in version {last}, and goes from {from_state} to {to_state} in {version}"
        if state is not None and state.is_terminal:
            yield f"S12: {trade_id} was {state}, and became {to_state}"
        stands[trade_id] = (entry.to_state, version)
    yield from (
        f"S12: {trade_id} is {state} at the end" for trade_id, (state, _) in stands.items() if not state.is_terminal
    )

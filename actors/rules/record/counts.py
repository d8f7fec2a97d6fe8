"""What stops and drawdown rules have counted: of two places that tell of one the later word counts, on record or not.

While PostgreSQL is away nothing of it stands; the snapshot is where the next life finds it.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from msgspec.structs import replace

from bus.messages.accounts import AccountProgress
from bus.messages.records import Kept, Recovered, Snapshot
from bus.messages.stops import StopProgress

_IN_MEMORY: Final = "MARKET"
"""The stream that is another after each restart of NATS, and says nothing of whose the others are."""


class Counts:
    """The latest word on each rule of each trade; of two of one instant the one that was heard last."""

    def __init__(self, progress: Iterable[StopProgress]) -> None:
        self._of: dict[str, dict[str, StopProgress]] = {}
        self.take(progress)

    def take(self, progress: Iterable[StopProgress]) -> None:
        """Hear what was counted."""
        for one in progress:
            rules = self._of.setdefault(one.trade_id, {})
            known = rules.get(one.rule)
            if known is None or known.ts <= one.ts:
                rules[one.rule] = one

    def forget(self, trade_id: str) -> None:
        """That trade has ended."""
        self._of.pop(trade_id, None)

    def all(self) -> tuple[StopProgress, ...]:
        """Return what is known."""
        return tuple(one for rules in self._of.values() for one in rules.values())


class AccountCounts:
    """The latest word on each account: nothing that was counted before a person reset it, and as `Counts` does."""

    def __init__(self, progress: Iterable[AccountProgress]) -> None:
        self._of: dict[str, AccountProgress] = {}
        self.take(progress)

    def take(self, progress: Iterable[AccountProgress]) -> None:
        """Hear what was counted."""
        for one in progress:
            known = self._of.get(one.account)
            if known is None or (known.reset_ns, known.ts) <= (one.reset_ns, one.ts):
                self._of[one.account] = one

    def all(self) -> tuple[AccountProgress, ...]:
        """Return what is known."""
        return tuple(self._of.values())


class LastSnapshot:
    """What a life without the record writes: the snapshot that it began with, which grows no younger, with what stops count since."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._counts = Counts(snapshot.progress)
        self._accounts = AccountCounts(snapshot.account_progress)

    def hear(self, kept: Kept) -> None:
        """Nothing stands before the record is back."""

    def note_ledger(self, last_sequence: int) -> None:
        """What LEDGER tells is news to this snapshot for good."""

    def count(self, progress: Iterable[StopProgress], account_progress: Iterable[AccountProgress]) -> None:
        """Take what stops and drawdown rules have counted."""
        self._counts.take(progress)
        self._accounts.take(account_progress)

    def snapshot(self, now_ns: int) -> Snapshot:  # noqa: ARG002  # as `Mirror.snapshot`
        """Return it."""
        return replace(self._snapshot, progress=self._counts.all(), account_progress=self._accounts.all())


def with_later_counts(recovered: Recovered, snapshot: Snapshot, streams: Mapping[str, str]) -> Recovered:
    """Return the record with what `snapshot` knows better of its trades and accounts; nothing, if that is of other streams than `streams`."""
    kept = {name: created for name, created in snapshot.streams.items() if not name.endswith(_IN_MEMORY)}
    if any(streams.get(name) != created for name, created in kept.items()):
        return recovered
    counts = Counts(snapshot.progress)
    counts.take(recovered.progress)
    living = {trade.trade_id for trade in recovered.trades}
    accounts = AccountCounts(snapshot.account_progress)
    accounts.take(recovered.account_progress)
    return replace(
        recovered,
        progress=tuple(one for one in counts.all() if one.trade_id in living),
        account_progress=accounts.all(),
    )

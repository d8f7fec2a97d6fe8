"""The figure of the group commit: PostgreSQL's own settings, our store, commits of one journal row each."""

import time
from typing import Final

from bus.messages.records import Commit, JournalEntry
from bus.messages.trades import TradeState
from db.access import Access
from db.embedded import EmbeddedPostgres
from db.store import PostgresStore
from tests.bench.documents import GroupCommit
from tests.bench.process import a_database, load_average
from tests.bench.reference import copy_per_s

TARGET_PER_S: Final = 30_000


def group_commit(outstanding: int = 100, rows: int = 60_000) -> GroupCommit:
    """Write `rows` journal rows, `outstanding` of them in each transaction."""
    load = load_average()
    with EmbeddedPostgres() as postgres:
        reference = copy_per_s(postgres.admin_dsn, rows)
        store = PostgresStore(Access(dsn=a_database(postgres)))
        store.open()
        try:
            now_ns = time.time_ns() // 1000 * 1000
            store.take_lead(1, "bench", now_ns)
            groups = [_commits(start, outstanding, now_ns) for start in range(0, rows, outstanding)]
            store.commit(_commits(rows, outstanding, now_ns))
            started = time.monotonic()
            refused = [bad for group in groups for bad in store.commit(group)]
            taken_s = time.monotonic() - started
        finally:
            store.close()
    assert not refused, str(refused[0])
    written = len(groups) * outstanding
    return GroupCommit(
        load=load,
        met=written / taken_s >= TARGET_PER_S,
        copy_per_s=reference,
        outstanding=outstanding,
        rows=written,
        rows_per_s=round(written / taken_s),
    )


def _commits(start: int, count: int, now_ns: int) -> list[Commit]:
    return [
        Commit(sender="bench", cause=f"bench:{number}", now_ns=now_ns, journal=(_entry(number, now_ns),))
        for number in range(start, start + count)
    ]


def _entry(number: int, now_ns: int) -> JournalEntry:
    return JournalEntry(
        trade_id=f"trade-{number:06d}",
        version=2,
        from_state=TradeState.OPEN,
        to_state=TradeState.CLOSING,
        cause=f"trade-{number:06d}-price-1",
        ts=now_ns,
    )

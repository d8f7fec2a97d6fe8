"""The mirror follows the record: what a start without PostgreSQL begins with is what PostgreSQL would have given."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from actors.outside.snapshot_file import LocalSnapshot
from actors.rules.record.mirror import Mirror, bring_up
from bus.messages.failures import SnapshotUnusable
from bus.messages.records import Commit, Kept, LedgerNews, Recovered, Snapshot
from bus.messages.stops import StopCoverage, StopProgress
from bus.messages.trades import Coverage, TradeState
from db.store import PostgresStore
from tests.db.builders import NOW_NS, a_commit, a_fill, a_trade, an_input
from tests.db.test_commit import a_change


def the_commits() -> list[Commit]:
    covered = StopCoverage(trade_id="t-1", coverage=Coverage.ARMED, why="price", since=NOW_NS, ts=NOW_NS)
    return [
        a_commit(a_trade("t-1"), inbox=an_input("k-1"), fills=(a_fill("f-1", "t-1"),)),
        a_commit(a_trade("t-2", state=TradeState.CLOSED), inbox=an_input("k-2")),
        a_commit(coverage=(covered,), progress=(StopProgress(trade_id="t-1", rule="trailing", confirms=2),)),
        a_commit(settings=(a_change(1),)),
    ]


def mirrored(before: Recovered, commits: list[Commit]) -> Snapshot:
    mirror = Mirror(before, epoch=1, streams={"LEDGER": "monday"}, reached={"ORDERS": 4})
    mirror.hear(Kept(commits=tuple(commits), reached={"ORDERS": 9}, now_ns=NOW_NS))
    return mirror.snapshot(NOW_NS)


@pytest.fixture
def snapshot(store: PostgresStore) -> Snapshot:
    before, commits = store.recover(), the_commits()
    assert store.commit(commits) == []
    return mirrored(before, commits)


def test_a_snapshot_read_back_from_disk_is_what_the_record_holds(
    store: PostgresStore, snapshot: Snapshot, tmp_path: Path
) -> None:
    """Fault 18: but new risk is not allowed."""
    file = LocalSnapshot(tmp_path / "snapshot")
    file.write(snapshot)

    found = bring_up(file.read(), LedgerNews())

    assert replace(found, reduce_only=frozenset()) == store.recover()
    assert found.reduce_only == {""}


def test_its_head_is_all_but_the_trades(snapshot: Snapshot, tmp_path: Path) -> None:
    file = LocalSnapshot(tmp_path / "snapshot")
    file.write(snapshot)

    assert file.read_head() == replace(file.read(), trades=(), ended=())


@pytest.mark.parametrize(("version", "state", "living"), [(9, "open", 9), (0, "open", 1), (9, "closed", None)])
def test_what_ledger_tells_of_a_trade_since_counts_if_it_is_newer(
    snapshot: Snapshot, version: int, state: str, living: int | None
) -> None:
    news = LedgerNews(trades=(a_trade("t-1", version=version, state=TradeState(state)),))

    found = {trade.trade_id: trade.version for trade in bring_up(snapshot, news).trades}

    assert found.get("t-1") == living


@pytest.mark.parametrize("cut", [0, 10, 200, -1])
def test_a_snapshot_that_is_cut_short_is_refused(snapshot: Snapshot, tmp_path: Path, cut: int) -> None:
    file, path = LocalSnapshot(tmp_path / "snapshot"), tmp_path / "snapshot"
    file.write(snapshot)
    path.write_bytes(path.read_bytes()[:cut])

    with pytest.raises(SnapshotUnusable):
        file.read()


def test_a_snapshot_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SnapshotUnusable, match="does not exist"):
        LocalSnapshot(tmp_path / "snapshot").read()


@pytest.mark.parametrize(
    ("was", "becomes", "words"),
    [(b"watchkeeper", b"somebody-else", "is not a snapshot"), (b"snapshot 1 ", b"snapshot 2 ", "another version")],
)
def test_a_snapshot_of_somebody_else_or_of_another_version_is_refused(
    snapshot: Snapshot, tmp_path: Path, was: bytes, becomes: bytes, words: str
) -> None:
    file, path = LocalSnapshot(tmp_path / "snapshot"), tmp_path / "snapshot"
    file.write(snapshot)
    path.write_bytes(path.read_bytes().replace(was, becomes, 1))

    with pytest.raises(SnapshotUnusable, match=words):
        file.read()


def test_one_changed_byte_is_noticed(snapshot: Snapshot, tmp_path: Path) -> None:
    file, path = LocalSnapshot(tmp_path / "snapshot"), tmp_path / "snapshot"
    file.write(snapshot)
    path.write_bytes(path.read_bytes().replace(b"armed", b"waived", 1))

    with pytest.raises(SnapshotUnusable, match="damaged"):
        file.read()


def test_a_writing_that_fails_leaves_the_old_one_whole(
    snapshot: Snapshot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = LocalSnapshot(tmp_path / "snapshot")
    file.write(snapshot)

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        file.write(replace(snapshot, epoch=99))

    assert file.read().epoch == snapshot.epoch
    assert [path.name for path in tmp_path.iterdir()] == ["snapshot"]


def test_a_trade_that_ends_takes_what_its_stops_have_counted_along(store: PostgresStore) -> None:
    before, commits = store.recover(), the_commits()
    ended = a_commit(a_trade("t-1", version=2, state=TradeState.CLOSED))

    found = mirrored(before, [*commits, ended])

    assert (found.progress, found.coverage) == ((), ())
    assert {trade.trade_id for trade in found.ended} == {"t-1", "t-2"}


def test_it_remembers_the_newest_inputs_and_forgets_the_oldest(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("actors.rules.record.mirror.REMEMBERED_MAX", 2)

    found = mirrored(store.recover(), [a_commit(inbox=an_input(f"k-{number}")) for number in range(5)])

    assert list(found.seen) == ["k-3", "k-4"]

"""The cash of accounts, and what their drawdown rule knows: kept, given back, reset by a person and by nobody else."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from bus.messages.accounts import AccountProgress, CashFlow, StatedBalance
from bus.messages.orders import Balance
from bus.messages.records import Commit
from bus.messages.system import SystemEvent
from db.store import PostgresStore
from tests.db.builders import NOW_NS, a_commit

D = Decimal
PROGRESS = AccountProgress(
    account="a",
    balance=D("1000.25"),
    balance_ts=NOW_NS,
    flows=(CashFlow(key="f1", ts=NOW_NS, amount=D("-0.000000000001")),),
    aside=StatedBalance(balance=D(7), ts=NOW_NS, heard_ns=NOW_NS),
    high=D("1600.5"),
    pending=D(-3),
    confirms=1,
    counted={"KX.1": NOW_NS},
    fired=True,
    fires=2,
)


def kept(store: PostgresStore, *progress: AccountProgress) -> None:
    assert store.commit([a_commit(account_progress=progress)]) == []


def said(store: PostgresStore, kind: str, account: str | None) -> None:
    event = SystemEvent(kind=kind, body="why", ts=NOW_NS + 1_000_000, account=account, requested_by="eve")
    assert store.commit([Commit(sender="trade_desk", cause=kind, now_ns=NOW_NS, system=(event,))]) == []


def test_what_is_known_of_an_account_comes_back_exactly(store: PostgresStore) -> None:
    other = AccountProgress(account="b", high=D(5))

    kept(store, PROGRESS, other)

    assert store.recover().account_progress == (PROGRESS, other)


def test_the_last_of_a_batch_stands(store: PostgresStore) -> None:
    kept(store, PROGRESS, replace(PROGRESS, high=D(1700)))

    assert [progress.high for progress in store.recover().account_progress] == [D(1700)]


@pytest.mark.parametrize("account", ["a", None])
def test_a_rebase_forgets_the_high_with_its_own_commit(store: PostgresStore, account: str | None) -> None:
    """Fault 1: a kill right after the answer brings the old high never back."""
    kept(store, PROGRESS)

    said(store, "rebase", account)

    (found,) = store.recover().account_progress
    assert (found.high, found.pending, found.fired, found.confirms, found.counted) == (None, None, False, 0, {})
    assert (found.balance, found.fires, found.reset_ns) == (D("1000.25"), 2, NOW_NS + 1_000_000)


def test_a_resume_lets_it_fire_again_and_keeps_the_high(store: PostgresStore) -> None:
    kept(store, PROGRESS)

    said(store, "resume", "a")

    (found,) = store.recover().account_progress
    assert (found.high, found.fired) == (D("1600.5"), False)


def test_a_rebase_of_another_account_changes_nothing(store: PostgresStore) -> None:
    kept(store, PROGRESS)

    said(store, "rebase", "b")

    assert store.recover().account_progress == (PROGRESS,)


def test_what_was_on_its_way_before_a_rebase_does_not_undo_it(store: PostgresStore) -> None:
    kept(store, PROGRESS)
    said(store, "rebase", None)

    kept(store, replace(PROGRESS, high=D(1601)))

    assert [progress.high for progress in store.recover().account_progress] == [None]


def test_the_newest_balance_stands(store: PostgresStore) -> None:
    balances = [Balance(account="a", ts=NOW_NS + ts * 1_000_000, balance=D(ts)) for ts in (2, 3, 1)]

    store.commit([a_commit(balances=tuple(balances[:2])), a_commit(balances=(balances[2],))])

    assert store.recover().balances == (balances[1],)

"""What is written down for a start without PostgreSQL before it stands there."""

import pytest

from actors.snapshot_keeper import counted
from bus.messages.accounts import AccountProgress
from bus.messages.records import Commit
from bus.messages.stops import StopProgress

RULE = StopProgress(trade_id="t1", rule="price")


@pytest.mark.parametrize(
    ("kept", "is_heard"),
    [({"progress": (RULE,)}, True), ({"account_progress": (AccountProgress(account="a"),)}, True), ({}, False)],
)
def test_the_keeper_hears_of_every_commit_that_tells_what_was_counted(kept: dict[str, object], is_heard: bool) -> None:
    """S12"""
    heard: list[object] = []

    counted(heard.append)(Commit(sender="auto_stop", cause="c", now_ns=1, **kept))  # type: ignore[arg-type]

    assert bool(heard) is is_heard

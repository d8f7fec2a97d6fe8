"""What `system.request.status` says of halts and of what was not applied."""

import pytest

from actors.rules.status import StatusBoard
from bus.messages.reconcile import AccountStanding
from bus.messages.records import Commit, Quarantined
from bus.messages.system import SystemEvent


def a_board(*, is_halted: bool = False) -> StatusBoard:
    return StatusBoard(instance="test", epoch=1, version="0", live_enabled=False, is_halted=is_halted)


def an_event(kind: str, account: str | None = None) -> SystemEvent:
    return SystemEvent(kind=kind, body="why", ts=1, account=account, requested_by="eve")


@pytest.mark.parametrize(
    ("before", "kind", "account", "after"),
    [
        (False, "halt", None, True),
        (True, "resume", None, False),
        (True, "resume", "one", True),
        (True, "reduce_only", None, True),
        (False, "reduce_only", "one", False),
    ],
)
def test_only_a_halt_and_a_resume_of_all_change_what_is_halted(
    before: bool, kind: str, account: str | None, after: bool
) -> None:
    board = a_board(is_halted=before)

    board.note(an_event(kind, account))

    assert board.status((), 1).halted is after


@pytest.mark.parametrize(
    ("events", "shown"),
    [
        ([("reduce_only", "a")], ("a", "old")),
        ([("reduce_only", None)], ("*", "old")),
        ([("reduce_only", "a"), ("resume", "old")], ("a",)),
        ([("reduce_only", "a"), ("resume", None)], ()),
        ([("rebase", "old")], ("old",)),
    ],
)
def test_what_only_reduces_is_shown_from_the_start_until_it_is_resumed(
    events: list[tuple[str, str | None]], shown: tuple[str, ...]
) -> None:
    board = StatusBoard(instance="test", epoch=1, version="0", live_enabled=False, reduce_only={"old"})

    for kind, account in events:
        board.note(an_event(kind, account))

    assert board.status((), 1).reduce_only == shown


def test_what_was_quarantined_and_what_the_record_refused_is_counted() -> None:
    board = a_board()
    bad = Quarantined(subject="s", body=b"", reason="r", received_ns=1)

    board.note_kept(Commit(sender="trade_desk", cause="c", now_ns=1, quarantined=(bad, bad)))
    board.note_refused()

    assert board.status((), 1).quarantined == 3


def a_standing(account: str, *unresolved: str, answered: bool = True) -> AccountStanding:
    return AccountStanding(
        venue="sim", account=account, began_ns=10, answered=answered, now_ns=11, unresolved=unresolved,
        reconciled_ns=None if unresolved else 11,
    )  # fmt: skip


def test_what_does_not_agree_is_told_first_and_only_so_much_of_it() -> None:
    board = a_board()
    for number in range(200):
        board.note(a_standing(f"acc-{number:03d}"))
    board.note(a_standing("last", *"abcdef"))

    accounts = board.status((), 20).accounts

    assert (accounts[0].account, accounts[0].unresolved, accounts[0].reconciled_ts) == ("last", ("a", "b", "c"), None)
    assert len(accounts) == 50


def test_one_account_is_told_where_it_is_asked_for() -> None:
    board = a_board()
    for number in range(200):
        board.note(a_standing(f"acc-{number:03d}"))

    accounts = board.status((), 20, "acc-150").accounts

    assert [(one.venue, one.account) for one in accounts] == [("sim", "acc-150")]


def test_it_is_not_ready_while_closes_wait_for_a_venues_first_answer() -> None:
    board = StatusBoard(instance="test", epoch=1, version="0", live_enabled=False, unheard_ns=5)
    board.is_watching = True
    board.note(a_standing("acc", "the venue has not answered yet", answered=False))

    waiting, given_up = board.status((), 14), board.status((), 15)

    assert (waiting.ready, waiting.why_not_ready) == (False, ("sim has not said yet what acc holds",))
    assert given_up.ready

"""What `system.request.status` says of halts and of what was not applied."""

import pytest

from actors.rules.status import StatusBoard
from bus.messages.records import Commit, Quarantined
from bus.messages.system import SystemEvent


def a_board(*, is_halted: bool = False) -> StatusBoard:
    return StatusBoard(instance="test", epoch=1, version="0", live_enabled=False, is_halted=is_halted)


def a_system_commit(kind: str, account: str | None = None) -> Commit:
    event = SystemEvent(kind=kind, body="why", ts=1, account=account, requested_by="eve")
    return Commit(sender="trade_desk", cause="c", now_ns=1, system=(event,))


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

    board.note_kept(a_system_commit(kind, account))

    assert board.status((), 1).halted is after


def test_what_was_quarantined_and_what_the_record_refused_is_counted() -> None:
    board = a_board()
    bad = Quarantined(subject="s", body=b"", reason="r", received_ns=1)

    board.note_kept(Commit(sender="trade_desk", cause="c", now_ns=1, quarantined=(bad, bad)))
    board.note_refused()

    assert board.status((), 1).quarantined == 3

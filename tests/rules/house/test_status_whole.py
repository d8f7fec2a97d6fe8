"""Every part of the status says what was told."""

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from actors.rules.status import StatusBoard
from bus.messages.accounts import EquityStanding
from bus.messages.stops import StopCoverage
from bus.messages.streams import StreamsSeen, StreamStanding
from bus.messages.system import ActorHealth
from bus.messages.trades import Coverage, TradeState
from tests.rules.desk.builders import S
from tests.rules.lifecycle.builders import an_open_life

TRADE = an_open_life().trade
T0 = TRADE.ts
ACTOR = ActorHealth(name="desk", alive=True, inbox=0, restarts=0, handled=9)
FULL = StreamsSeen(
    streams=(StreamStanding(name="LEDGER", created="monday", last_sequence=7, fill_percent=40),), now_ns=T0
)


def a_board(*words: Any, watching: bool = True) -> StatusBoard:  # whatever a board hears
    board = StatusBoard(instance="test", epoch=4, version="2", live_enabled=True)
    board.is_watching = watching
    for word in words:
        board.note(word)
    return board


def uncovered(trade_id: str = "t1") -> StopCoverage:
    return StopCoverage(trade_id=trade_id, coverage=Coverage.UNPROTECTED, why="never_fed", since=T0, ts=T0)


def wire(board: StatusBoard) -> None:
    board.note_wire("refused")


def record(board: StatusBoard) -> None:
    board.note_record("refused")


def told(board: StatusBoard, *changes: Callable[[StatusBoard], None], actors: tuple[ActorHealth, ...] = ()) -> Any:
    for change in changes:
        change(board)
    return board.status(actors, T0 + 3 * S)


def test_it_says_who_speaks_and_when() -> None:
    status = told(a_board())

    assert (status.instance, status.epoch, status.version, status.role) == ("test", 4, "2", "leader")
    assert (status.ts, status.ready, status.live_enabled, status.level) == (T0 + 3 * S, True, True, "none")


def test_while_not_every_input_flows_it_is_not_ready() -> None:
    status = told(a_board(watching=False))

    assert (status.ready, status.why_not_ready) == (False, ("not every input flows yet",))


@pytest.mark.parametrize(
    ("actor", "why"),
    [
        (replace(ACTOR, alive=False), "desk is not alive"),
        (replace(ACTOR, answers=False), "desk has not answered yet"),
    ],
)
def test_an_actor_that_does_not_serve_makes_it_not_ready(actor: ActorHealth, why: str) -> None:
    status = told(a_board(), actors=(ACTOR, actor))

    assert (status.ready, status.why_not_ready, status.actors) == (False, (why,), (ACTOR, actor))


@pytest.mark.parametrize(
    ("change", "level", "databases", "ready"),
    [
        (wire, "cascading", {"nats": "away: refused", "postgres": "up"}, False),
        (record, "critical", {"nats": "up", "postgres": "away: refused"}, True),
    ],
)
def test_a_server_that_is_away_is_named(change: Any, level: str, databases: dict[str, str], ready: bool) -> None:
    status = told(a_board(), change)

    assert (status.level, status.databases, status.ready) == (level, databases, ready)


def test_a_start_without_the_record_is_a_reason_not_to_be_ready() -> None:
    board = a_board()
    board.note_without_record("begun from a snapshot")

    assert told(board).why_not_ready == ("begun from a snapshot",)


def test_open_trades_are_counted_by_state_and_those_that_ended_are_not() -> None:
    other = replace(TRADE, trade_id="t2", state=TradeState.CLOSING)
    gone = replace(TRADE, trade_id="t3")

    status = told(a_board(TRADE, other, gone, replace(gone, state=TradeState.CLOSED)))

    assert status.trades == {"open": 1, "closing": 1}


def test_unprotected_trades_and_their_seconds_are_told_by_reason() -> None:
    status = told(a_board(TRADE, uncovered()))

    assert (status.coverage, status.unprotected) == ({"unprotected": 1}, {"never_fed": 1})
    assert (status.unprotected_trade_seconds, status.unprotected_seconds) == ("3", {"never_fed": "3"})
    assert (status.unprotected_last_hour_seconds, status.unprotected_allowed_seconds) == ("3", "0")


def test_streams_are_told_by_how_full_they_are() -> None:
    board = a_board()
    board.note_streams(FULL)

    assert told(board).stream_fill_percent == {"LEDGER": 40}


def test_accounts_whose_drawdown_fired_are_told_first_and_an_account_that_is_asked_for_alone() -> None:
    standings = [EquityStanding(account=rule, drawdown=rule, ts=T0) for rule in ("off", "armed", "fired", "not_armed")]
    board = a_board(*standings)

    assert [one.account for one in told(board).equity] == ["fired", "not_armed", "armed", "off"]
    assert [one.account for one in board.status((), T0, "armed").equity] == ["armed"]

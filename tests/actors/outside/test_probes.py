"""What a process tells whoever runs it, over loopback HTTP."""

from collections.abc import Iterator
from http.client import HTTPConnection

import msgspec
import pytest

from actors.outside.probes import Probes
from actors.rules.status import StatusBoard
from bus.messages.lead import TicksMissed
from bus.messages.reconcile import AccountStanding
from bus.messages.stops import StopCoverage
from bus.messages.system import ActorHealth
from bus.messages.trades import Coverage
from tests.rules.stops.builders import a_trade, at


@pytest.fixture
def board() -> StatusBoard:
    return StatusBoard(instance="test", epoch=4, version="0", live_enabled=False)


@pytest.fixture
def probes(board: StatusBoard) -> Iterator[Probes]:
    desk = ActorHealth(name="trade_desk", alive=True, inbox=3, restarts=0, handled=9)
    running = Probes("127.0.0.1", 0, lambda: board.status((desk,), 1))
    running.start()
    yield running
    running.stop()


def get(probes: Probes, path: str) -> tuple[int, str]:
    connection = HTTPConnection("127.0.0.1", probes.port, timeout=10)
    connection.request("GET", path)
    response = connection.getresponse()
    body = response.read().decode()
    connection.close()
    return response.status, body


def test_a_process_that_answers_is_live_before_it_is_ready(probes: Probes) -> None:
    assert get(probes, "/live")[0] == 200
    assert get(probes, "/ready")[0] == 503


def test_a_process_is_ready_once_every_input_flows(probes: Probes, board: StatusBoard) -> None:
    board.is_watching = True

    assert get(probes, "/ready")[0] == 200


def test_metrics_tell_how_many_words_wait_for_each_actor(probes: Probes) -> None:
    assert 'watchkeeper_inbox_words{actor="trade_desk"} 3.0' in get(probes, "/metrics")[1]


def test_metrics_tell_for_each_account_what_does_not_agree_and_since_when_all_does(
    probes: Probes, board: StatusBoard
) -> None:
    for account, unresolved, since_ns in (("good", (), 5_000_000_000), ("bad", ("yes K: 3, not 0",), None)):
        board.note(
            AccountStanding(
                venue="sim", account=account, began_ns=1, answered=True, now_ns=1, unresolved=unresolved,
                reconciled_ns=since_ns,
            )
        )  # fmt: skip

    metrics = get(probes, "/metrics")[1]

    assert 'watchkeeper_account_unresolved{account="bad",venue="sim"} 1.0' in metrics
    assert 'watchkeeper_account_reconciled_seconds{account="good",venue="sim"} 5.0' in metrics
    assert 'watchkeeper_account_reconciled_seconds{account="bad",venue="sim"} 0.0' in metrics


def test_another_path_names_those_that_there_are(probes: Probes) -> None:
    assert get(probes, "/health") == (404, "/live /ready /metrics\n")


def test_metrics_tell_how_long_trades_stood_unprotected_and_why(probes: Probes, board: StatusBoard) -> None:
    trade = a_trade()
    word = StopCoverage(trade_id="t1", coverage=Coverage.UNPROTECTED, why="empty_book", since=trade.ts, ts=trade.ts)
    for heard in (trade, word, msgspec.structs.replace(word, coverage=Coverage.ARMED, why="price", ts=at(1.5))):
        board.note(heard)

    metrics = get(probes, "/metrics")[1]

    assert 'watchkeeper_unprotected_trade_seconds_total{reason="empty_book"} 1.5' in metrics
    assert 'watchkeeper_coverage{coverage="armed"} 1.0' in metrics
    assert "watchkeeper_coverage_mismatches_total 0.0" in metrics


def test_metrics_tell_how_much_of_the_market_went_by_unheard(probes: Probes, board: StatusBoard) -> None:
    """Fault 39"""
    for count in (30, 12):
        board.note_missed(TicksMissed(count=count))

    assert "watchkeeper_missed_ticks_total 42.0" in get(probes, "/metrics")[1]

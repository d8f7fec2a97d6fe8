"""What the desk knows of markets, and what a trade takes from there."""

from typing import Any

import pytest

from actors.rules.desk import blotter
from actors.rules.desk.blotter import Blotter
from bus.messages.orders import Settlement
from bus.messages.trades import TradeState
from tests.rules.desk.builders import (
    T0,
    TICKER,
    D,
    S,
    a_command,
    a_desk,
    a_lifecycle,
    a_live_open,
    an_adopt,
    an_open,
    opened,
    received,
    reply_of,
    trade_of,
)
from tests.rules.lifecycle.builders import a_trade

FACTS: list[tuple[str, Any, Any]] = [
    ("symbol", "BTC", "ETH"),
    ("strike_type", "above", "below"),
    ("strike", D(100), D(200)),
    ("cap_strike", D(300), D(400)),
    ("close_ts", T0 + 3600 * S, T0 + 7200 * S),
    ("tick_size", D("0.01"), D("0.001")),
    ("lot_size", D(1), D(5)),
]


def taken(fact: str, *events: dict[str, Any], **asked: Any) -> Any:  # the fact is of any type
    """What an open trade has as `fact` after lifecycle events that bring these facts."""
    desk = a_desk()
    for number, facts in enumerate(events):
        desk.handle(a_command(a_lifecycle("open", ts=T0 + number, **facts)))
    return getattr(reply_of(desk.handle(received(an_open(**asked)))).result, fact)


@pytest.mark.parametrize(("fact", "value", "_"), FACTS)
def test_a_trade_takes_from_its_market_what_its_request_leaves_out(fact: str, value: object, _: object) -> None:
    assert taken(fact, {fact: value}) == value


@pytest.mark.parametrize(("fact", "value", "_"), FACTS)
def test_a_market_keeps_what_later_events_do_not_say(fact: str, value: object, _: object) -> None:
    assert taken(fact, {fact: value}, {}) == value


@pytest.mark.parametrize(("fact", "value", "other"), FACTS)
def test_a_later_event_corrects_a_market(fact: str, value: object, other: object) -> None:
    assert taken(fact, {fact: other}, {fact: value}) == value


@pytest.mark.parametrize(("fact", "value", "other"), FACTS)
def test_what_a_request_says_stands_whatever_the_market_says(fact: str, value: object, other: object) -> None:
    assert taken(fact, {fact: other}, **{fact: value}) == value


@pytest.mark.parametrize(("fact", "value", "_"), FACTS)
def test_without_a_market_a_trade_has_what_its_request_says(fact: str, value: object, _: object) -> None:
    assert taken(fact, **{fact: value}) == value


def test_a_position_adopted_on_a_halted_market_is_halted() -> None:
    desk = a_desk()
    desk.handle(a_command(a_lifecycle("halted")))
    desk.handle(received(an_adopt()))

    assert trade_of(desk).halted


def test_a_live_position_whose_settlement_came_before_it_is_settled_at_once() -> None:
    desk = a_desk()
    word = Settlement(account="real", ticker=TICKER, ts=T0, result="yes", revenue=D(10), fees=D(1))
    desk.handle(a_command(word, subject="settlement.update.real"))

    desk.handle(received(an_adopt(mode="live", venue="plain", account="real")))

    assert (trade_of(desk).state, trade_of(desk).fees) == (TradeState.SETTLED, D(0))


def test_a_settlement_concerns_the_live_trades_of_its_account_alone() -> None:
    desk = opened(a_desk(), a_live_open(no_stop_reason="testing"), an_open("t2"))
    word = Settlement(account="real", ticker=TICKER, ts=T0, result="yes", revenue=D(10), fees=D(1))
    desk.handle(a_command(word, subject="settlement.update.real"))

    assert (trade_of(desk).state, trade_of(desk, "t2").state) == (TradeState.SETTLED, TradeState.OPEN)


def test_a_trade_that_ended_so_long_ago_is_forgotten_but_not_its_id(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blotter, "_ENDED_MAX", 2)
    ended = [a_trade(trade_id=f"t{number}", state=TradeState.CLOSED) for number in range(3)]

    known = Blotter((), ended, ())

    assert [known.find(trade.trade_id) for trade in ended] == [None, *ended[1:]]
    assert known.is_taken("t0")

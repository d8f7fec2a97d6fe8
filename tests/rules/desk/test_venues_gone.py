"""A trade outlives what the settings say of its venue."""

import pytest

from actors.rules.desk.desk import Desk
from bus.messages.orders import Action
from bus.messages.trades import TradeState
from tests.rules.desk.builders import (
    T0,
    VENUES,
    ReadableDesk,
    S,
    a_command,
    a_desk,
    a_fired,
    a_lifecycle,
    a_live_open,
    a_record,
    a_standing,
    an_adopt,
    an_open,
    closes_of,
    opened,
    received,
    trade_of,
)
from tests.rules.desk.test_agreement import a_found


def without_venues(desk: Desk) -> Desk:
    """The desk after a restart with settings that name the paper venue only."""
    venues = {"paper": VENUES["paper"]}
    again = ReadableDesk(a_record(trades=(trade_of(desk),)), epoch=8, instance="test", live_enabled=True, venues=venues)
    again.handle(a_standing("plain", "real"))
    return again


def test_a_trade_whose_venue_is_not_in_the_settings_any_more_is_closed_all_the_same() -> None:
    desk = without_venues(opened(a_desk(), a_live_open()))

    (close,) = closes_of(desk.handle(a_fired()))

    assert (close.action, close.reduce_only, close.epoch) == (Action.SELL, True, 8)


def test_nothing_new_is_opened_there() -> None:
    desk = without_venues(opened(a_desk(), a_live_open()))

    said = desk.handle(received(a_live_open("t2")))

    (answer,) = (word.reply.error for word in said if hasattr(word, "reply"))
    assert answer is not None
    assert answer.code == "venue_unknown"


# Positions that somebody else has opened


def test_a_position_found_in_a_paper_account_is_a_paper_trade() -> None:
    desk = opened(a_desk(), an_open())
    desk.handle(a_found(venue="paper", account="acc"))

    (found,) = (trade for trade in desk._state.blotter.live.values() if trade.requested_by == "watchkeeper")
    assert (found.mode, found.account, found.venue) == ("paper", "acc", "paper")


def test_a_position_found_on_a_market_that_has_closed_waits_for_its_settlement() -> None:
    desk = a_desk()
    desk.handle(a_command(a_lifecycle("close"), received_ns=T0 + 61 * S))
    desk.handle(a_found(now_ns=T0 + 62 * S))

    (found,) = desk._state.blotter.live.values()
    assert found.state is TradeState.EXPIRED


def test_the_fills_that_made_a_position_stand_on_its_trade_as_entries() -> None:
    desk = a_desk()
    desk.handle(a_found())

    (found,) = desk._state.blotter.live.values()
    assert [(fill.fill_id, fill.purpose) for fill in found.fills] == [("m0", "entry"), ("m1", "entry")]


def test_a_found_position_has_the_same_id_in_every_life() -> None:
    """Another id after a restart would adopt it a second time."""
    desk = a_desk()
    desk.handle(a_found())

    assert list(desk._state.blotter.live) == ["m-4b7188eb850b55b1"]


@pytest.mark.parametrize("account", ["real", "other"])
def test_a_venue_that_answers_for_one_account_lets_its_closes_go_and_no_others(account: str) -> None:
    desk = a_desk()
    for trade_id, name in (("t1", "real"), ("t2", "other")):
        desk.handle(received(an_adopt(trade_id, mode="live", venue="plain", account=name)))
    for name in ("real", "other"):
        desk.handle(a_standing("plain", name, answered=False))
    for trade_id in ("t1", "t2"):
        desk.handle(a_fired(trade_id))

    said = desk.handle(a_standing("plain", account))

    touched = {getattr(word, "trade_id", None) for word in said} - {None}
    assert touched <= {"t1" if account == "real" else "t2"}
    assert touched

"""Opening and adopting: what is accepted, what is refused, and what a refusal says."""

from typing import Any

import pytest

from bus.messages.orders import Settlement
from bus.messages.records import Commit
from bus.messages.stops import StopCheckWanted
from bus.messages.timers import TimerFired
from bus.messages.trades import Trade, TradeState
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
    checked,
    code_of,
    commit_of,
    of_kind,
    opened,
    orders_of,
    received,
    reply_of,
    trade_of,
)


def test_an_accepted_open_is_pending_and_its_entry_waits_for_the_commit() -> None:
    said = a_desk().handle(received(an_open()))

    commit = commit_of(said)
    assert commit.trades[0].state is TradeState.PENDING
    assert [order.client_order_id for order in commit.orders] == ["t1-entry-1"]
    assert orders_of(said) == []
    assert not any(out.direct for out in commit.outbox)


def test_the_journal_of_a_new_trade_begins_with_the_request() -> None:
    commit = commit_of(a_desk().handle(received(an_open())))

    assert [(edge.from_state, edge.to_state) for edge in commit.journal] == [
        (None, "requested"),
        ("requested", "pending"),
    ]


def test_the_trade_is_said_after_its_commit() -> None:
    said = a_desk().handle(received(an_open()))

    kinds = [type(word) for word in said]
    assert kinds.index(Commit) < kinds.index(Trade)


def test_the_reply_carries_the_trade_with_instance_and_epoch() -> None:
    """Lesson 54: what was written and what is answered are one."""
    reply = reply_of(a_desk().handle(received(an_open())))

    assert (reply.ok, reply.instance, reply.epoch, reply.ts) == (True, "test", 7, T0)
    assert reply.result.trade_id == "t1"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"mode": "prod"}, "unknown_mode"),
        ({"mode": "live", "account": "real"}, "venue_required"),
        ({"mode": "live", "account": "real", "venue": "nowhere"}, "venue_unknown"),
        ({"mode": "live", "account": "real", "venue": "paper"}, "venue_unknown"),
        ({"expires_ts": T0}, "expired"),
        ({"quantity": D(0)}, "malformed"),
        ({"limit_price": D("1.01")}, "malformed"),
        ({"limit_price": D(0)}, "malformed"),
        ({"close_ts": T0}, "market_closed"),
        ({"mode": "live", "account": "real", "venue": "plain", "stops": []}, "stop_required"),
        ({"stops": [{"rule": "probabilty"}]}, "unknown_setting"),
        ({"stops": [{"rule": "probability", "floor": "25"}]}, "unknown_setting"),
        ({"stops": [{"rule": "probability", "floor_percent": "101"}]}, "setting_range"),
        ({"stops": [{"rule": "price"}]}, "setting_range"),
        ({"side": "long", "stops": [{"rule": "probability"}]}, "malformed"),
    ],
)
def test_a_bad_open_is_refused_and_changes_nothing(changes: dict[str, Any], code: str) -> None:
    """Lesson 60: an unknown mode opens nothing; Lesson 9: nor does an unknown key."""
    said = a_desk().handle(received(an_open(**changes)))

    assert code_of(said) == code
    assert of_kind(said, Commit) == []
    assert of_kind(said, Trade) == []


def test_live_trading_is_off_until_a_person_turns_it_on() -> None:
    """Lesson 60: fail closed."""
    said = a_desk(live_enabled=False).handle(received(a_live_open()))

    assert code_of(said) == "live_disabled"


def test_settings_that_cannot_be_read_let_no_new_trade_in() -> None:
    """Lesson 60: a read failure never means the default."""
    desk = a_desk(layers={("defaults", ""): {"probability.enabled": "perhaps"}})

    said = desk.handle(received(an_open()))

    assert code_of(said) == "not_ready"


def test_settings_that_cannot_be_read_are_said_loudly_at_the_start() -> None:
    desk = a_desk(layers={("defaults", ""): {"probabilty.enabled": True}})

    said = desk.start(T0)

    assert [notice.severity for notice in commit_of(said).notices] == ["critical"]


@pytest.mark.parametrize(("first", "second"), [("paper", "live"), ("live", "paper")])
def test_an_account_is_paper_or_live_never_both(first: str, second: str) -> None:
    desk = opened(a_desk(), an_open(mode=first, venue="plain"))

    said = desk.handle(received(an_open("t2", mode=second, venue="plain")))

    assert code_of(said) == "account_mode"


def test_an_account_keeps_its_mode_over_a_restart() -> None:
    said = a_desk(accounts={"acc": "live"}).handle(received(an_open()))

    assert code_of(said) == "account_mode"


def test_a_paper_trade_goes_to_the_paper_venue_whatever_it_says() -> None:
    commit = commit_of(a_desk().handle(received(an_open(venue="kalshi"))))

    assert commit.trades[0].venue == "paper"
    assert [out.subject for out in commit.outbox if out.msg_id.startswith("submit:")] == ["order.submit.paper.t1"]


def test_a_live_trade_without_a_stop_is_waived_by_whoever_gives_the_reason() -> None:
    word = a_live_open(stops=[], no_stop_reason="hedged elsewhere", requested_by="eve")

    trade = commit_of(a_desk().handle(received(word))).trades[0]

    assert trade.waiver is not None
    assert (trade.waiver.by, trade.waiver.reason) == ("eve", "hedged elsewhere")


def test_a_paper_trade_without_a_stop_is_waived_as_paper() -> None:
    trade = commit_of(a_desk().handle(received(an_open(stops=[])))).trades[0]

    assert trade.waiver is not None
    assert trade.waiver.by == "paper"


def test_both_sides_of_one_ticker_cannot_be_open_where_the_venue_nets_them() -> None:
    desk = opened(a_desk(), a_live_open(venue="kalshi"))

    said = desk.handle(received(a_live_open("t2", venue="kalshi", side="no")))

    assert code_of(said) == "opposite_open"


def test_both_sides_may_be_open_where_the_venue_keeps_them_apart() -> None:
    desk = opened(a_desk(), a_live_open())

    said = desk.handle(received(a_live_open("t2", side="no")))

    assert reply_of(said).ok


@pytest.mark.parametrize("event", ["close", "determined", "settled"])
def test_nothing_opens_on_a_market_that_has_ended(event: str) -> None:
    desk = a_desk()
    desk.handle(a_command(a_lifecycle(event), subject="market.lifecycle.x"))

    said = desk.handle(received(an_open()))

    assert code_of(said) == "market_closed"


def test_an_open_on_a_halted_market_may_be_asked_again_after_it_resumed() -> None:
    desk = a_desk()
    desk.handle(a_command(a_lifecycle("halted"), subject="market.lifecycle.x"))
    first = desk.handle(received(an_open()))
    desk.handle(a_command(a_lifecycle("resumed"), subject="market.lifecycle.x"))

    second = desk.handle(received(an_open()))

    assert (code_of(first), reply_of(second).ok) == ("halted", True)


def test_what_an_open_leaves_out_is_taken_from_the_market() -> None:
    """Lesson 3: the close time is the market's own, never guessed."""
    desk = a_desk()
    created = a_lifecycle("created", close_ts=T0 + 900 * S, symbol="BTC", strike=D("119499.99"))
    desk.handle(a_command(created, subject="market.lifecycle.x"))

    trade = commit_of(desk.handle(received(an_open()))).trades[0]

    assert (trade.close_ts, trade.symbol, trade.strike) == (T0 + 900 * S, "BTC", D("119499.99"))


def test_a_command_to_open_must_say_when_it_expires() -> None:
    desk = a_desk()

    said = desk.handle(a_command(an_open()))

    commit = commit_of(said)
    assert commit.trades == ()
    assert [notice.kind for notice in commit.notices] == ["command_refused"]
    assert (commit.inbox is not None, commit.delivery is not None) == (True, True)


def test_a_refused_command_has_its_one_effect_when_it_comes_again() -> None:
    desk = a_desk()
    desk.handle(a_command(an_open()))

    commit = commit_of(desk.handle(a_command(an_open())))

    assert (commit.inbox, commit.notices, commit.delivery is not None) == (None, (), True)


def test_the_same_open_again_has_one_effect_and_the_same_answer() -> None:
    """Lesson 33, Lesson 21, Fault 44: asking again is safe."""
    desk = a_desk()
    first = desk.handle(received(an_open()))

    second = desk.handle(received(an_open()))

    assert reply_of(second).result == reply_of(first).result
    assert (commit_of(second).trades, commit_of(second).inbox, commit_of(second).outbox) == ((), None, ())


def test_a_thousand_same_opens_make_one_trade() -> None:
    """Fault 24"""
    desk = a_desk()

    commits = [commit_of(desk.handle(received(an_open()))) for _ in range(1000)]

    assert sum(len(commit.trades) for commit in commits) == 1


def test_another_body_under_a_used_id_is_quarantined_and_the_first_stands() -> None:
    """Fault 25, Lesson 33"""
    desk = a_desk()
    desk.handle(received(an_open()))

    said = desk.handle(received(an_open(quantity=D(99))))

    commit = commit_of(said)
    assert (code_of(said), len(commit.quarantined), commit.trades) == ("conflict", 1, ())
    assert trade_of(desk).quantity == 10


def test_the_id_of_a_trade_that_ended_long_ago_is_not_used_again() -> None:
    """Lesson 21: ids are unique."""
    desk = a_desk(ended_ids=frozenset({"t1"}))

    said = desk.handle(received(an_open()))

    assert code_of(said) == "conflict"


def test_an_open_with_stops_asks_first_whether_they_would_fire_at_once() -> None:
    said = a_desk().handle(received(an_open(allow_immediate=False)))

    assert [wanted.trade.trade_id for wanted in of_kind(said, StopCheckWanted)] == ["t1"]
    assert of_kind(said, Commit) == []


def test_a_stop_that_would_fire_at_once_refuses_the_open_by_name() -> None:
    desk = a_desk()
    said = desk.handle(received(an_open(allow_immediate=False)))

    answered = checked(desk, said, "probability")

    error = reply_of(answered).error
    assert error is not None
    assert (error.code, "probability" in error.message) == ("stop_immediate", True)


def test_an_open_goes_on_once_its_stops_are_known_to_hold() -> None:
    desk = a_desk()
    said = desk.handle(received(an_open(allow_immediate=False)))

    answered = checked(desk, said)

    assert commit_of(answered).trades[0].state is TradeState.PENDING


def test_the_same_open_asked_twice_during_the_check_is_answered_twice_and_opened_once() -> None:
    """Fault 44"""
    desk = a_desk()
    said = desk.handle(received(an_open(allow_immediate=False)))
    desk.handle(received(an_open(allow_immediate=False), reply_to="_INBOX.2"))

    commits = of_kind(checked(desk, said), Commit)

    assert [commit.answer.reply_to for commit in commits if commit.answer] == ["_INBOX.1", "_INBOX.2"]
    assert sum(len(commit.trades) for commit in commits) == 1


def test_an_open_whose_check_nobody_answers_is_refused_and_may_be_asked_again() -> None:
    desk = a_desk()
    desk.handle(received(an_open(allow_immediate=False)))

    said = desk.handle(TimerFired(owner="trade_desk", key="t1:stop_check", due_ns=T0, now_ns=T0 + 5 * S))

    error = reply_of(said).error
    assert error is not None
    assert (error.code, error.retry) == ("unavailable", True)


def test_an_adopted_trade_is_open_at_once_and_never_refused_for_its_stops() -> None:
    said = a_desk().handle(received(an_adopt(allow_immediate=False), subject="trade.request.adopt"))

    trade = commit_of(said).trades[0]
    assert (trade.state, trade.open_quantity, trade.entry_price) == (TradeState.OPEN, D(10), D("0.60"))


def test_a_position_on_a_market_that_has_ended_is_adopted_and_settles() -> None:
    desk = a_desk()
    over = a_lifecycle("settled", ts=T0 - S, result="yes")
    desk.handle(a_command(over, subject="market.lifecycle.x"))

    said = desk.handle(received(an_adopt(entry_ts=T0 - 60 * S), subject="trade.request.adopt"))

    assert reply_of(said).result.state is TradeState.SETTLED
    assert [trade.version for commit in of_kind(said, Commit) for trade in commit.trades] == [1, 2]


def test_two_trades_on_one_ticker_keep_their_own_size_and_price() -> None:
    """Lesson 62"""
    desk = opened(a_desk(), an_open(quantity=D(10)), an_open("t2", quantity=D(3)))

    sizes = {trade.trade_id: trade.open_quantity for trade in desk._state.blotter.on(TICKER)}

    assert sizes == {"t1": D(10), "t2": D(3)}


def test_a_position_whose_market_was_settled_before_a_restart_is_adopted_and_settles() -> None:
    paid = Settlement(account="real", ticker=TICKER, ts=T0 - S, result="yes", revenue=D(10))
    desk = a_desk(settlements=(paid,))

    adopt = an_adopt(mode="live", venue="plain", account="real", entry_ts=T0 - 60 * S)
    said = desk.handle(received(adopt, subject="trade.request.adopt"))

    assert reply_of(said).result.state is TradeState.SETTLED

"""Stop settings: read exactly, layered, changed by compare-and-set, and carried by each trade with their version."""

from typing import Any

import pytest

from actors.rules.catalog import SETTINGS, Kind
from actors.rules.desk.desk import Desk
from actors.rules.settings.changes import read_layers
from actors.rules.settings.layers import parse_value
from bus.messages.records import Commit
from bus.messages.settings import Layer, SettingsGet, SettingsSet
from bus.messages.stops import StopArm, StopDisarm, StopSet, StopWaive
from bus.messages.system import Error
from bus.messages.trades import Trade, TradeState
from tests.rules.desk.builders import (
    DEFAULTS,
    T0,
    D,
    S,
    a_change,
    a_desk,
    a_fired,
    a_live_open,
    an_open,
    code_of,
    commit_of,
    of_kind,
    opened,
    received,
    reply_of,
    trade_of,
)


def asked(desk: Desk, word: SettingsSet | StopArm | StopDisarm | StopSet | StopWaive) -> list[object]:
    return desk.handle(received(word, subject="settings.request.set"))


def armed(trade: Trade) -> dict[str, dict[str, Any]]:
    return {stop.rule: dict(stop.settings) for stop in trade.stops}


def by_eve(kind: type[Any], **given: object) -> Any:  # whichever stop request
    return kind(**({"trade_id": "t1", "reason": "why not", "requested_by": "eve"} | given))


@pytest.mark.parametrize(
    ("key", "value", "read"),
    [
        ("probability.floor_percent", "25.9", D("25.9")),
        ("probability.floor_percent", 25.9, D("25.9")),
        ("probability.floor_percent", 25, D(25)),
        ("probability.enabled", False, False),
        ("probability.enabled", "true", True),
        ("close_empty_book", "retry", "retry"),
        ("probability.confirm_ticks", "3", D(3)),
    ],
)
def test_a_value_is_read_exactly(key: str, value: object, read: object) -> None:
    """Lesson 64: 25.9 is not 25."""
    assert parse_value(key, value) == read


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("probability.floor_percent", "100.01"),
        ("probability.floor_percent", "-0.01"),
        ("probability.floor_percent", "NaN"),
        ("probability.floor_percent", "Infinity"),
        ("probability.floor_percent", "1_0"),
        ("probability.floor_percent", "٢٥"),
        ("probability.floor_percent", True),
        ("probability.floor_percent", [25]),
        ("probability.confirm_ticks", "2.5"),
        ("probability.enabled", "yes"),
        ("close_empty_book", "wait"),
    ],
)
def test_a_value_out_of_range_is_refused(key: str, value: object) -> None:
    refusal = parse_value(key, value)

    assert isinstance(refusal, Error)
    assert (refusal.code, key in refusal.message) == ("setting_range", True)


def test_a_refusal_names_the_limits() -> None:
    refusal = parse_value("probability.floor_percent", "101")

    assert isinstance(refusal, Error)
    assert "from 0 to 100" in refusal.message


def test_an_unknown_key_is_refused_with_the_nearest_ones() -> None:
    """Lesson 9: a key that nobody reads is an error, not a wish."""
    refusal = parse_value("probability.floor_pct", "25")

    assert isinstance(refusal, Error)
    assert (refusal.code, "probability.floor_percent" in refusal.message) == ("unknown_setting", True)


@pytest.mark.parametrize("key", sorted(SETTINGS))
def test_every_setting_comes_back_as_it_was_set(key: str) -> None:
    """Lesson 57: no key is dropped on the way."""
    setting = SETTINGS[key]
    value: object = True if setting.kind is Kind.SWITCH else setting.words[-1] if setting.words else str(setting.high)
    thresholds = {"loss.max_loss": 5, "profit.take_profit_price": 1, "trailing.trail": 1, "time.max_age_s": 9}
    others = thresholds | {"price.stop_price": 1, "buffer.min_buffer": 1, "drawdown.ratchet_percent": 70}
    desk = a_desk(layers={("defaults", ""): DEFAULTS | others})
    asked(desk, a_change(changes={key: value}))

    view = reply_of(desk.handle(received(SettingsGet(layer=Layer.DEFAULTS)))).result

    assert view.version == 2
    assert view.layers[0].values[key] == parse_value(key, value)


def test_layers_read_from_the_record_are_what_was_written() -> None:
    """Lesson 57"""
    layers, unreadable = read_layers({("account", "acc"): {"loss.max_loss": "12.50", "loss.enabled": True}})

    assert layers[Layer.ACCOUNT, "acc"] == {"loss.max_loss": D("12.50"), "loss.enabled": True}
    assert unreadable == ()


def test_a_change_needs_the_version_that_is_in_force() -> None:
    """Lesson 58: the last writer does not win."""
    desk = a_desk()
    asked(desk, a_change(1, reason="first"))

    said = asked(desk, a_change(1, reason="second", changes={"probability.floor_percent": "10"}))

    assert code_of(said) == "version_changed"
    assert of_kind(said, Commit) == []


def test_a_change_stands_with_who_and_why_and_what_was_before() -> None:
    commit = commit_of(asked(a_desk(), a_change()))

    (changed,) = commit.settings
    assert (changed.version, changed.requested_by, changed.reason) == (2, "eve", "why not")
    assert (changed.before, changed.after) == (
        {"probability.floor_percent": D(25)},
        {"probability.floor_percent": D("25.9")},
    )
    assert "settings:2" in [out.msg_id for out in commit.outbox]


def test_a_change_whose_answer_was_lost_is_answered_again_and_made_once() -> None:
    """Fault 44"""
    desk = a_desk()
    first = asked(desk, a_change())

    second = asked(desk, a_change())

    assert (reply_of(first).result, commit_of(second).settings) == (reply_of(second).result, ())


def test_a_change_gives_each_open_trade_a_version_a_journal_entry_and_an_event() -> None:
    """Lesson 59: what was in force stands on the trade."""
    desk = opened(a_desk())
    before = trade_of(desk)

    commit = commit_of(asked(desk, a_change()))

    (after,) = commit.trades
    assert (after.version, after.settings_version) == (before.version + 1, 2)
    assert armed(after)["probability"]["floor_percent"] == D("25.9")
    assert [(edge.from_state, edge.to_state, edge.detail) for edge in commit.journal] == [
        ("open", "open", "settings version 2")
    ]
    assert f"trade:t1:{after.version}" in [out.msg_id for out in commit.outbox]


def test_a_change_leaves_trades_alone_that_it_does_not_concern() -> None:
    """Lesson 59: another account's setting reattributes nothing."""
    desk = opened(a_desk())

    said = asked(desk, a_change(layer="account", name="somebody", changes={"probability.floor_percent": "40"}))

    assert commit_of(said).trades == ()
    assert trade_of(desk).settings_version == 1


def test_an_ended_trade_keeps_the_settings_under_which_it_ended() -> None:
    """Lesson 59, Lesson 37"""
    desk = a_desk()
    ended = trade_of(opened(desk)).settings_version

    rejected = a_desk(ended=(Trade(**{**_fields(trade_of(desk)), "state": TradeState.REJECTED}),))
    asked(rejected, a_change())

    assert trade_of(rejected).settings_version == ended


def _fields(trade: Trade) -> dict[str, Any]:
    return {name: getattr(trade, name) for name in trade.__struct_fields__}


@pytest.mark.parametrize(
    ("layer", "name"), [("strategy", "meanrev"), ("account", "acc"), ("symbol", "BTC"), ("trade", "t1")]
)
def test_each_layer_wins_over_the_defaults(layer: str, name: str) -> None:
    desk = opened(a_desk(), an_open(strategy="meanrev", symbol="BTC"))

    asked(desk, a_change(layer=layer, name=name, changes={"probability.floor_percent": "40"}))

    assert armed(trade_of(desk))["probability"]["floor_percent"] == D(40)


def test_a_later_layer_wins_over_an_earlier_one() -> None:
    desk = opened(a_desk(), an_open(strategy="meanrev", symbol="BTC"))
    asked(desk, a_change(1, layer="symbol", name="BTC", changes={"probability.floor_percent": "41"}))

    asked(desk, a_change(2, layer="account", name="acc", changes={"probability.floor_percent": "42"}))

    assert armed(trade_of(desk))["probability"]["floor_percent"] == D(41)


@pytest.mark.parametrize(
    "changes",
    [
        {"probability.floor_percent": "30"},
        {"probability.floor_percent": "25.9", "max_spread": "0.10"},
        {"probability.floor_percent": "25.9", "max_spread": None},
        {"max_spread": None},
    ],
)
def test_another_change_of_the_version_before_is_refused_whoever_asks_for_it(changes: dict[str, object]) -> None:
    """Lesson 57: compare-and-set, also by the same person with the same reason."""
    desk = a_desk()
    asked(desk, a_change())

    assert code_of(asked(desk, a_change(changes=changes))) == "version_changed"


def test_a_removed_key_lets_the_layer_below_speak_again() -> None:
    desk = opened(a_desk())
    asked(desk, a_change(1, layer="account", name="acc", changes={"probability.floor_percent": "40"}))

    asked(desk, a_change(2, layer="account", name="acc", changes={"probability.floor_percent": None}))

    assert armed(trade_of(desk))["probability"]["floor_percent"] == D(25)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"price.enabled": True}, "setting_range"),
        ({"probability.floor_percent": None}, "setting_range"),
        ({"auto_stop_threshold": -50}, "unknown_setting"),
        ({"profile": "yolo"}, "setting_range"),
        ({}, "malformed"),
    ],
)
def test_a_change_that_would_leave_a_rule_inert_or_means_nothing_is_refused(changes: dict[str, Any], code: str) -> None:
    """Lesson 9: never silently off."""
    assert code_of(asked(a_desk(), a_change(changes=changes))) == code


def test_the_profile_of_the_old_system_turns_momentum_on() -> None:
    desk = opened(a_desk())

    asked(desk, a_change(changes={"profile": "rec_io"}))

    assert armed(trade_of(desk))["momentum"] == {"threshold_percent": D("0.35")}


def test_a_trade_that_names_stops_arms_exactly_these() -> None:
    desk = opened(a_desk(), an_open(stops=[{"rule": "price", "stop_price": "0.30"}]))

    assert armed(trade_of(desk)) == {"price": {"stop_price": D("0.30")}}


def test_a_named_stop_takes_from_its_layers_what_it_does_not_say() -> None:
    desk = opened(a_desk(), an_open(stops=[{"rule": "probability", "floor_percent": "30"}]))

    assert armed(trade_of(desk)) == {"probability": {"floor_percent": D(30), "confirm_ticks": D(2)}}


def test_a_linear_trade_has_no_probability_stop() -> None:
    desk = opened(a_desk(), an_open(side="long", limit_price=D(60_000)))

    assert armed(trade_of(desk)) == {}


def test_ten_thousand_trades_share_their_settings() -> None:
    desk = opened(a_desk(), an_open(), an_open("t2"))

    first, second = trade_of(desk, "t1"), trade_of(desk, "t2")

    assert first.settings is second.settings
    assert first.stops is second.stops


def test_the_fail_safe_is_armed_only_where_it_may_close() -> None:
    desk = opened(a_desk())
    before = armed(trade_of(desk))

    asked(desk, a_change(changes={"stale.policy": "close"}))

    assert ("stale" in before, "stale" in armed(trade_of(desk))) == (False, True)


def test_arming_changes_the_trades_own_layer_and_nothing_else() -> None:
    desk = opened(a_desk(), an_open(), an_open("t2"))

    said = asked(desk, by_eve(StopArm, rule="loss", settings={"max_loss": "3"}))

    assert armed(trade_of(desk))["loss"] == {"max_loss": D(3)}
    assert "loss" not in armed(trade_of(desk, "t2"))
    assert reply_of(said).result == trade_of(desk)


def test_arming_what_is_armed_makes_no_version() -> None:
    desk = opened(a_desk())
    asked(desk, by_eve(StopArm, rule="loss", settings={"max_loss": "3"}))

    said = asked(desk, by_eve(StopArm, rule="loss", settings={"max_loss": "3"}))

    assert (commit_of(said).trades, reply_of(said).ok) == ((), True)


def test_a_rule_cannot_be_armed_without_its_threshold() -> None:
    """Lesson 9"""
    said = asked(opened(a_desk()), by_eve(StopArm, rule="price"))

    assert code_of(said) == "setting_range"


def test_setting_a_value_of_a_trade_wins_over_every_layer() -> None:
    desk = opened(a_desk())

    asked(desk, by_eve(StopSet, rule="probability", settings={"floor_percent": "12.5"}))

    assert armed(trade_of(desk))["probability"]["floor_percent"] == D("12.5")


def test_who_disarms_the_last_rule_of_a_live_trade_becomes_its_waiver() -> None:
    """Lesson 18: protection ends by a person's word, never by itself."""
    desk = opened(a_desk(), a_live_open())

    asked(desk, by_eve(StopDisarm, rule="probability"))

    waiver = trade_of(desk).waiver
    assert waiver is not None
    assert (waiver.by, waiver.reason) == ("eve", "why not")


def test_arming_ends_a_waiver() -> None:
    desk = opened(a_desk(), a_live_open())
    asked(desk, by_eve(StopDisarm, rule="probability"))

    asked(desk, by_eve(StopArm, rule="probability"))

    assert trade_of(desk).waiver is None


def test_a_waiver_says_by_whom_why_and_until_when() -> None:
    desk = opened(a_desk(), a_live_open())

    asked(desk, by_eve(StopWaive, until=T0 + 60 * S))

    waiver = trade_of(desk).waiver
    assert waiver is not None
    assert waiver.until_ns == T0 + 60 * S


@pytest.mark.parametrize("word", [by_eve(StopArm, rule="loss"), by_eve(StopWaive)])
def test_the_stops_of_a_trade_that_does_not_exist_are_not_found(word: StopArm | StopWaive) -> None:
    assert code_of(asked(a_desk(), word)) == "not_found"


def test_a_change_of_very_many_trades_is_kept_in_several_commits_the_settings_in_the_first() -> None:
    desk = opened(a_desk(), *(an_open(f"t{number}") for number in range(501)))

    commits = of_kind(asked(desk, a_change()), Commit)

    assert [len(commit.trades) for commit in commits] == [500, 1]
    assert [len(commit.settings) for commit in commits] == [1, 0]
    assert [commit.answer is not None for commit in commits] == [False, True]


def test_a_start_finishes_a_change_that_a_crash_cut_in_two() -> None:
    """Lesson 59: every open trade carries what is in force."""
    before = trade_of(opened(a_desk()))
    layers = {("defaults", ""): DEFAULTS | {"probability.floor_percent": "30"}}
    desk = a_desk(trades=(before,), layers=layers, settings_version=2)

    commit = commit_of(desk.start(T0))

    assert [(trade.version, trade.settings_version) for trade in commit.trades] == [(before.version + 1, 2)]


def test_a_fired_close_carries_the_version_of_the_settings_that_it_obeyed() -> None:
    """Lesson 59"""
    desk = opened(a_desk())
    asked(desk, a_change())

    (order,) = commit_of(desk.handle(a_fired())).orders

    assert order.settings_version == 2

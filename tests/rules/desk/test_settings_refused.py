"""What a setting may not be, and what is said of it: at its very limits, in whose layer, by which rule."""

from typing import Any

import pytest

from actors.rules.settings.changes import read_layers
from actors.rules.settings.layers import named_stops
from actors.rules.settings.values import parse_changes, parse_value
from bus.messages.settings import Layer
from bus.messages.system import Error
from tests.rules.desk.builders import DEFAULTS, D, a_change, a_desk, commit_of, received, reply_of


def refusal_of(**changes: Any) -> Error:
    error = reply_of(a_desk().handle(received(a_change(**changes), subject="settings.request.set"))).error
    assert error is not None
    return error


@pytest.mark.parametrize("value", ["0", "100", 0, 100, " 100 ", "100." + "0" * 36])
def test_the_limits_themselves_are_within(value: object) -> None:
    assert parse_value("probability.floor_percent", value) == D(str(value).strip())


@pytest.mark.parametrize("value", ["100." + "0" * 37, "1e999999999", "", None])
def test_what_is_too_long_too_large_or_nothing_is_no_number(value: object) -> None:
    assert isinstance(parse_value("probability.floor_percent", value), Error)


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("probability.floor_percent", "x" * 99, f"must be a number of percent from 0 to 100, not '{'x' * 40}'."),
        ("probability.confirm_ticks", "2.5", "must be a number of count from 1 to 100, whole, not '2.5'."),
        ("close_empty_book", "wait", "must be one of rest, retry, not 'wait'."),
        ("loss.enabled", "yes", "is true or false, not 'yes'."),
    ],
)
def test_a_refusal_says_what_would_be_right(key: str, value: str, said: str) -> None:
    refusal = parse_value(key, value)

    assert isinstance(refusal, Error)
    assert refusal.message == f"{key} {said}"


def test_a_key_that_resembles_none_is_refused_with_where_to_look() -> None:
    refusal = parse_value("qqqqqqqq", "1")

    assert isinstance(refusal, Error)
    assert refusal.message == "There is no setting 'qqqqqqqq'. `run.py settings get` lists every key."


def test_one_key_that_cannot_be_read_refuses_the_others_too() -> None:
    refusal = parse_changes({"loss.max_loss": "5", "loss.max_los": "5", "max_spread": "0.1"})

    assert isinstance(refusal, Error)
    assert "'loss.max_los'" in refusal.message


def test_a_profile_leaves_the_keys_beside_it_as_they_were_asked() -> None:
    changes = {"loss.max_loss": "5", "profile": "rec_io", "max_spread": None}

    assert parse_changes(changes) == {"loss.max_loss": D(5), "momentum.enabled": True, "max_spread": None}


def test_what_cannot_be_read_of_the_record_is_named_and_the_rest_stands() -> None:
    stored: dict[tuple[str, str], dict[str, object]] = {
        ("defaults", ""): {"gone": 1, "max_spread": "0.1"},
        ("account", "acc"): {"loss.enabled": "yes"},
    }

    layers, unreadable = read_layers(stored)

    assert layers == {(Layer.DEFAULTS, ""): {"max_spread": D("0.1")}, (Layer.ACCOUNT, "acc"): {}}
    assert [why.split(":")[0] for why in unreadable] == ["defaults", "account acc"]


@pytest.mark.parametrize("layer", ["account", "strategy", "symbol"])
def test_a_layer_without_a_name_is_nobodys(layer: str) -> None:
    refusal = refusal_of(layer=layer)

    assert (refusal.code, refusal.message) == (
        "malformed",
        f"The layer {layer} needs a name: whose settings are they?",
    )


@pytest.mark.parametrize("layer", ["strategy", "symbol"])
def test_what_belongs_to_accounts_as_wholes_is_refused_in_any_other_layer(layer: str) -> None:
    refusal = refusal_of(layer=layer, name="x", changes={"max_spread": "0.1", "drawdown.ratchet_percent": "70"})

    assert (refusal.code, refusal.message.split(":")[0]) == (
        "setting_range",
        f"drawdown.ratchet_percent is an account's, not a {layer}'s",
    )


@pytest.mark.parametrize(("layer", "name"), [("defaults", None), ("account", "acc")])
def test_a_drawdown_is_set_in_the_defaults_or_for_an_account(layer: str, name: str | None) -> None:
    change = a_change(layer=layer, name=name, changes={"drawdown.ratchet_percent": "70"})

    commit = commit_of(a_desk().handle(received(change, subject="settings.request.set")))

    assert commit.settings[0].after == {"drawdown.ratchet_percent": D(70)}


def test_a_removed_key_stands_with_what_it_was() -> None:
    desk = a_desk(layers={("defaults", ""): DEFAULTS, ("account", "acc"): {"max_spread": "0.1", "loss.max_loss": "5"}})
    change = a_change(layer="account", name="acc", changes={"max_spread": None, "entry_timeout_s": "9"})

    (changed,) = commit_of(desk.handle(received(change, subject="settings.request.set"))).settings

    assert (changed.name, changed.before, changed.after) == (
        "acc",
        {"max_spread": D("0.1")},
        {"entry_timeout_s": D(9)},
    )


@pytest.mark.parametrize(
    ("stop", "said"),
    [
        ({"rule": "hope"}, "There is no rule 'hope'. The rules are probability"),
        ({"rule": None}, "There is no rule 'None'."),
        ({"rule": "probability", "floor_percent": 5}, "The rule probability cannot watch a linear instrument"),
        ({"rule": "price", "stop_prize": 5}, "There is no setting 'price.stop_prize'. Did you mean price.stop_price"),
    ],
)
def test_a_named_stop_that_cannot_be_is_refused_in_words(stop: dict[str, Any], said: str) -> None:
    refusal = named_stops((stop,), is_event=False)

    assert isinstance(refusal, Error)
    assert refusal.message.startswith(said)


def test_a_stop_that_is_named_is_on_and_every_other_rule_off() -> None:
    named = named_stops(({"rule": "price", "stop_price": "0.3"},), is_event=True)

    assert not isinstance(named, Error)
    assert (named["price.stop_price"], named["price.enabled"], named["loss.enabled"]) == (D("0.3"), "true", "false")
    assert "stale.enabled" not in named

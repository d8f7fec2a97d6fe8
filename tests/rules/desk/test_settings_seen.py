"""How settings are shown, and when a change asked for twice is the same change."""

from typing import Any

import pytest

from actors.rules.desk.desk import Desk
from bus.messages.settings import Layer, SettingsGet
from tests.rules.desk.builders import DEFAULTS, D, a_change, a_desk, code_of, received, reply_of

LAYERS = {
    ("symbol", "BTC"): {"max_spread": "0.10"},
    ("account", "b"): {"max_spread": "0.11"},
    ("account", "a"): {"max_spread": "0.12"},
    ("defaults", ""): DEFAULTS,
}


def shown(**asked: Any) -> list[tuple[str, str]]:  # any field
    view = reply_of(a_desk(layers=LAYERS, settings_version=5).handle(received(SettingsGet(**asked)))).result
    assert view.version == 5
    return [(layer.layer, layer.name) for layer in view.layers]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, [("defaults", ""), ("account", "a"), ("account", "b"), ("symbol", "BTC")]),
        ({"layer": Layer.ACCOUNT}, [("account", "a"), ("account", "b")]),
        ({"layer": Layer.ACCOUNT, "name": "b"}, [("account", "b")]),
        ({"name": "BTC"}, [("symbol", "BTC")]),
        ({"layer": Layer.SYMBOL, "name": "b"}, []),
    ],
)
def test_settings_are_shown_as_asked_in_the_order_of_their_precedence(asked: Any, expected: Any) -> None:
    assert shown(**asked) == expected


def test_a_layer_is_shown_with_its_values() -> None:
    view = reply_of(a_desk(layers=LAYERS).handle(received(SettingsGet(layer=Layer.ACCOUNT, name="a")))).result

    assert dict(view.layers[0].values) == {"max_spread": D("0.12")}


def changed(desk: Desk, **changes: Any) -> list[object]:
    return desk.handle(received(a_change(**changes), subject="settings.request.set"))


ACCOUNT = {"layer": "account", "name": "a", "changes": {"max_spread": "0.15", "entry_timeout_s": None}}


def test_a_change_of_a_layer_whose_answer_was_lost_is_answered_again_and_made_once() -> None:
    """Fault 44"""
    desk = a_desk(layers=LAYERS | {("account", "a"): {"entry_timeout_s": "9"}})
    first = changed(desk, **ACCOUNT)

    again = changed(desk, **ACCOUNT)

    assert reply_of(again).result == reply_of(first).result


@pytest.mark.parametrize(
    "difference",
    [
        {"name": "b"},
        {"layer": "symbol"},
        {"reason": "another"},
        {"requested_by": "bob"},
        {"changes": {"max_spread": "0.16", "entry_timeout_s": None}},
        {"changes": {"max_spread": "0.15"}},
        {"changes": {"max_spread": "0.15", "entry_timeout_s": None, "probability.floor_percent": None}},
        {"changes": {"no_such_setting": "1"}},
    ],
)
def test_another_change_of_the_version_before_is_not_taken_for_the_last(difference: Any) -> None:
    values = {"entry_timeout_s": "9", "probability.floor_percent": "30"}
    desk = a_desk(layers=LAYERS | {("account", "a"): values})
    changed(desk, **ACCOUNT)

    assert code_of(changed(desk, **(ACCOUNT | difference))) == "version_changed"

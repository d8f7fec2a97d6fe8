"""What an operator does over NATS: settings by compare-and-set, halts that never hold back a close, live trading switched off."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from db.embedded import EmbeddedPostgres
from tests.acceptance.conftest import serving
from tests.acceptance.harness import WITHOUT_LIVE, Watchkeeper, a_name, an_adoption, an_open, instant

ANNA = {"reason": "so wanted", "requested_by": "anna"}


@pytest.fixture
def halted(watchkeeper: Watchkeeper) -> Iterator[Watchkeeper]:
    """The process, halted for one test."""
    assert watchkeeper.demand("system.request.halt", ANNA)["ok"]
    yield watchkeeper
    assert watchkeeper.demand("system.request.resume", ANNA)["ok"]


def version_of(watchkeeper: Watchkeeper) -> int:
    return int(watchkeeper.demand("settings.request.get", {})["result"]["version"])


def test_a_setting_is_changed_once_for_one_version_and_holds_for_the_trades_of_its_layer(
    watchkeeper: Watchkeeper,
) -> None:
    """Lesson 57"""
    account = a_name("acc")
    trade = an_adoption(account=account, stops=None)
    watchkeeper.quote(trade["ticker"], "0.60", "0.62")
    assert watchkeeper.demand("trade.request.adopt", trade)["ok"]
    version = version_of(watchkeeper)
    changes = {"price.enabled": True, "price.stop_price": "0.50", "price.confirm_ticks": "1"}
    request = {"layer": "account", "name": account, "changes": changes, "expected_version": version, **ANNA}

    first = watchkeeper.demand("settings.request.set", request)
    second = watchkeeper.demand("settings.request.set", {**request, "changes": {"price.stop_price": "0.01"}})
    changed = watchkeeper.ear.wait_for(lambda s, b: s == "settings.event.changed" and b["name"] == account)
    watchkeeper.quote(trade["ticker"], "0.49", "0.51")
    close = watchkeeper.order(f"{trade['trade_id']}-close-1")

    assert (first["ok"], second["ok"], second["error"]["code"]) == (True, False, "version_changed")
    assert (changed["version"], close["settings_version"]) == (version + 1, version + 1)
    watchkeeper.await_rows(
        [(version + 1, "anna", "so wanted")],
        "select version, requested_by, reason from settings_history where layer = 'account' and name = %s",
        account,
    )


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"price.stop_prize": "0.5"}, "unknown_setting"),
        ({"probability.floor_percent": "250"}, "setting_range"),
        ({"max_spread": "NaN"}, "setting_range"),
    ],
)
def test_a_change_that_cannot_be_leaves_the_settings_as_they_are(
    watchkeeper: Watchkeeper, changes: dict[str, str], code: str
) -> None:
    version = version_of(watchkeeper)
    request = {"layer": "defaults", "changes": changes, "expected_version": version, **ANNA}

    reply = watchkeeper.demand("settings.request.set", request)

    assert (reply["ok"], reply["error"]["code"]) == (False, code)
    assert version_of(watchkeeper) == version


def test_a_halt_holds_back_entries(halted: Watchkeeper) -> None:
    wanted = an_open()
    halted.quote(wanted["ticker"], "0.60", "0.62")

    reply = halted.demand("trade.request.open", wanted)

    assert (reply["ok"], reply["error"]["code"]) == (False, "halted")
    assert halted.demand("system.request.status", {})["result"]["halted"] is True
    assert halted.rows("select halted from system_state where account = ''") == [(True,)]


def test_a_halt_never_holds_back_a_stop_nor_a_persons_close(halted: Watchkeeper) -> None:
    """Lesson 20: entry gates cannot block reduce-only orders."""
    stopped, closed = an_adoption(), an_adoption()
    for trade in (stopped, closed):
        halted.quote(trade["ticker"], "0.60", "0.62")
        assert halted.demand("trade.request.adopt", trade)["ok"]

    halted.quote(stopped["ticker"], "0.38", "0.40")
    halted.demand("trade.request.close", {"trade_id": closed["trade_id"], **ANNA})
    for trade in (stopped, closed):
        halted.fill(halted.order(f"{trade['trade_id']}-close-1"), "0.38", "10")

    assert {halted.event(trade["trade_id"], "closed")["state"] for trade in (stopped, closed)} == {"closed"}


def test_a_halt_outlives_a_restart(halted: Watchkeeper) -> None:
    halted.kill()
    halted.start()

    reply = halted.demand("trade.request.open", an_open())

    assert reply["error"]["code"] == "halted"
    assert halted.demand("system.request.status", {})["result"]["halted"] is True


def test_reduce_only_of_one_account_leaves_the_others_alone(watchkeeper: Watchkeeper) -> None:
    limited, free = an_open(account=a_name("acc")), an_open()
    for trade in (limited, free):
        watchkeeper.quote(trade["ticker"], "0.60", "0.62")
    assert watchkeeper.demand("system.request.reduce_only", {"account": limited["account"], **ANNA})["ok"]

    replies = [watchkeeper.demand("trade.request.open", trade) for trade in (limited, free)]

    assert [reply["ok"] for reply in replies] == [False, True]
    assert replies[0]["error"]["code"] == "halted"


def test_an_open_that_nobody_waits_for_is_answered_by_its_event(watchkeeper: Watchkeeper) -> None:
    wanted = an_open(expires_ts=instant(20))
    trade_id = wanted["trade_id"]
    watchkeeper.quote(wanted["ticker"], "0.60", "0.62")

    watchkeeper.publish("trade.command.open", wanted)
    watchkeeper.fill(watchkeeper.order(f"{trade_id}-entry-1"), "0.61", "10")
    opened = watchkeeper.event(trade_id, "open")

    assert opened["entry_price"] == "0.61"
    watchkeeper.await_rows(
        [("trade.command.open", "LEDGER")],
        "select subject, stream from inbox where key = %s",
        f"command:open:{trade_id}",
    )


@pytest.mark.parametrize("expires_ts", [None, "2020-01-01T00:00:00Z"], ids=["never expires", "expired"])
def test_an_open_command_must_say_until_when_it_holds(watchkeeper: Watchkeeper, expires_ts: str | None) -> None:
    """Lesson 33: what waited in a stream is not carried out when it is too late."""
    wanted = an_open(expires_ts=expires_ts)
    watchkeeper.quote(wanted["ticker"], "0.60", "0.62")

    watchkeeper.publish("trade.command.open", wanted)
    watchkeeper.ear.wait_for(lambda s, b: s.startswith("notice.") and wanted["trade_id"] in str(b))

    assert watchkeeper.rows("select count(*) from trades where trade_id = %s", wanted["trade_id"]) == [(0,)]
    assert watchkeeper.orders_of(wanted["trade_id"]) == []


def test_without_live_enabled_no_live_entry_leaves_and_open_positions_are_closed_all_the_same(
    postgres_server: EmbeddedPostgres, tmp_path: Path
) -> None:
    """Lesson 60: fail closed."""
    wanted, held = an_open(), an_adoption()
    with serving(postgres_server, tmp_path, WITHOUT_LIVE) as disabled:
        for trade in (wanted, held):
            disabled.quote(trade["ticker"], "0.60", "0.62")

        refused = disabled.demand("trade.request.open", wanted)
        taken = disabled.demand("trade.request.adopt", held)
        disabled.quote(held["ticker"], "0.38", "0.40")
        disabled.fill(disabled.order(f"{held['trade_id']}-close-1"), "0.38", "10")
        disabled.event(held["trade_id"], "closed")

        assert (refused["ok"], refused["error"]["code"], taken["ok"]) == (False, "live_disabled", True)
        assert disabled.orders_of(wanted["trade_id"]) == []

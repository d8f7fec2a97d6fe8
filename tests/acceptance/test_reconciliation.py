"""The real process and a venue that knows more, less or nothing: what is found is booked once, and nothing is guessed."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from db.embedded import EmbeddedPostgres
from tests.acceptance.conftest import serving
from tests.acceptance.harness import CONFIG, Body, Watchkeeper, a_name, an_adoption, an_open, instant


def adopted(watchkeeper: Watchkeeper, **changes: Any) -> Body:
    """Adopt a trade that is quoted well above its stop, and let its account agree."""
    trade = an_adoption(**changes)
    watchkeeper.quote(trade["ticker"], "0.60", "0.62")
    assert watchkeeper.demand("trade.request.adopt", trade)["ok"]
    agreed(watchkeeper, trade["account"])
    return trade


def agreed(watchkeeper: Watchkeeper, account: str) -> Body:
    """Return how an account stands once it agrees with its venue."""
    return watchkeeper.health_of(account, lambda health: not health.get("unresolved"))


def a_manual_fill(trade: Body, fill_id: str, quantity: str, price: str) -> Body:
    return {
        "account": trade["account"], "fill_id": fill_id, "ticker": trade["ticker"], "side": trade["side"],
        "price": price, "quantity": quantity, "fees": "0.02", "ts": instant(),
    }  # fmt: skip


def told(watchkeeper: Watchkeeper, trade: Body, quantity: str) -> None:
    """Let the account's service tell a position unasked, as it does after a change at the venue."""
    watchkeeper.publish(
        f"account.position.{trade['account']}",
        {
            "account": trade["account"], "ticker": trade["ticker"], "ts": instant(), "side": trade["side"],
            "quantity": quantity,
        },
    )  # fmt: skip


def closed_by_hand(watchkeeper: Watchkeeper, trade: Body, quantity: str = "10") -> None:
    """Let a person close a position at the venue's own screen."""
    venue = watchkeeper.venue
    venue.hold(trade["account"], trade["ticker"], trade["side"], -Decimal(quantity))
    left = venue.positions[trade["account"], trade["ticker"], trade["side"]]
    told(watchkeeper, trade, str(left))


def test_a_close_whose_report_was_lost_is_found_filled_and_none_follows_it(watchkeeper: Watchkeeper) -> None:
    """Faults 6, 7, 27: nobody reports; the venue is asked."""
    trade = adopted(watchkeeper)
    watchkeeper.quote(trade["ticker"], "0.38", "0.40")
    close = watchkeeper.order(f"{trade['trade_id']}-close-1")

    watchkeeper.venue.fill(close, "10")
    watchkeeper.venue.fills.append(
        {**a_manual_fill(trade, a_name("f"), "10", "0.37"), "client_order_id": close["client_order_id"]}
    )
    known = {"client_order_id": close["client_order_id"], "status": "filled", "cumulative_quantity": "10"}
    watchkeeper.venue.orders.append({"account": trade["account"], **known})
    closed = watchkeeper.event(trade["trade_id"], "closed")

    assert closed["exit_price"] == "0.37"
    assert watchkeeper.orders_of(trade["trade_id"]) == [close["client_order_id"]]


def test_a_trade_that_a_person_closes_at_the_venue_ends_as_external_without_an_order(watchkeeper: Watchkeeper) -> None:
    """Fault 55"""
    trade = adopted(watchkeeper)

    watchkeeper.venue.fills += [
        a_manual_fill(trade, a_name("m"), "6", "0.50"),
        a_manual_fill(trade, a_name("m"), "4", "0.45"),
    ]
    closed_by_hand(watchkeeper, trade)
    closed = watchkeeper.event(trade["trade_id"], "closed")
    watchkeeper.quote(trade["ticker"], "0.10", "0.12")
    agreed(watchkeeper, trade["account"])

    assert (closed["close_reason"], closed["exit_price"], closed["pnl"]) == ("external", "0.48", "-1.24")
    assert watchkeeper.orders_of(trade["trade_id"]) == []
    watchkeeper.await_rows([(Decimal(10),)], "select sum(quantity) from fills where trade_id = %s", trade["trade_id"])


def test_a_close_at_a_price_that_nobody_knows_leaves_the_profit_unknown_and_tells_people(
    watchkeeper: Watchkeeper,
) -> None:
    """Fault 55: never invented."""
    trade = adopted(watchkeeper)

    closed_by_hand(watchkeeper, trade)
    closed = watchkeeper.event(trade["trade_id"], "closed")
    notice = watchkeeper.notice("position_mismatch", trade["trade_id"])

    assert (closed.get("exit_price"), closed.get("outcome"), closed["unpriced_quantity"]) == (None, None, "10")
    assert notice["severity"] == "critical"
    assert watchkeeper.orders_of(trade["trade_id"]) == []


def test_a_position_that_nobody_told_us_of_keeps_new_trades_away_until_it_is_resolved(watchkeeper: Watchkeeper) -> None:
    """Fault 53"""
    trade = adopted(watchkeeper)
    account, manual = trade["account"], {**trade, "ticker": a_name("MANUAL")}
    wanted = an_open(account=account)
    watchkeeper.quote(wanted["ticker"], "0.60", "0.62")

    watchkeeper.venue.hold(account, manual["ticker"], "yes", Decimal(3))
    told(watchkeeper, manual, "3")
    notice = watchkeeper.ear.wait_for(lambda s, b: s.startswith("notice.critical.unmanaged") and account in b["title"])
    refused = watchkeeper.demand("trade.request.open", wanted)
    status = watchkeeper.health_of(account, lambda health: bool(health.get("unresolved")))
    watchkeeper.venue.hold(account, manual["ticker"], "yes", Decimal(-3))
    watchkeeper.ear.wait_for(lambda s, b: s == "notice.info.reconciled" and account in b["title"])
    taken = watchkeeper.demand("trade.request.open", wanted)

    assert "run.py trade adopt" in notice["body"]
    assert (refused["error"]["code"], refused["error"]["retry"]) == ("unreconciled", True)
    assert status["unresolved"] == [f"yes {manual['ticker']}: the venue holds 3, our trades add up to 0"]
    assert taken["ok"], taken


def test_an_entry_that_was_filled_in_part_while_the_process_was_dead_is_open_with_that_part(
    watchkeeper: Watchkeeper,
) -> None:
    """Faults 7, 28"""
    wanted = an_open()
    watchkeeper.quote(wanted["ticker"], "0.60", "0.62")
    watchkeeper.demand("trade.request.open", wanted)
    entry = watchkeeper.order(f"{wanted['trade_id']}-entry-1")

    watchkeeper.kill()
    watchkeeper.venue.fill(entry, "4")
    watchkeeper.venue.fills.append(
        {**a_manual_fill(wanted, a_name("f"), "4", "0.61"), "client_order_id": entry["client_order_id"]}
    )
    known = {"client_order_id": entry["client_order_id"], "status": "cancelled", "cumulative_quantity": "4"}
    watchkeeper.venue.orders.append({"account": wanted["account"], **known})
    watchkeeper.start()
    opened = watchkeeper.event(wanted["trade_id"], "open")

    assert (opened["open_quantity"], opened["entry_price"]) == ("4", "0.61")
    agreed(watchkeeper, wanted["account"])


@pytest.mark.parametrize(
    "answer", [b"", b"{}", b'{"error":"HTTP 503"}', b"<html>502</html>", b'{"positions":null}'], ids=repr
)
def test_a_venue_that_answers_nothing_of_use_closes_no_trade_and_stops_go_on(
    watchkeeper: Watchkeeper, answer: bytes
) -> None:
    """Faults 52, 54: no answer is not flat."""
    trade = adopted(watchkeeper)

    watchkeeper.venue.wrong[trade["account"]] = answer
    closed_by_hand(watchkeeper, trade, "4")
    asked = len(watchkeeper.venue.asked)
    watchkeeper.quote(trade["ticker"], "0.38", "0.40")
    close = watchkeeper.order(f"{trade['trade_id']}-close-1")

    assert (close["quantity"], close.get("unreconciled", False)) == ("10", False)
    assert watchkeeper.rows("select state from trades where trade_id = %s", trade["trade_id"])[0][0] in (
        "open",
        "closing",
    )
    assert len(watchkeeper.venue.asked) >= asked


def test_of_two_trades_on_one_ticker_the_older_one_is_short_first(watchkeeper: Watchkeeper) -> None:
    """Lesson 62"""
    young = adopted(watchkeeper, quantity="6", entry_ts=instant(-10))
    old = adopted(watchkeeper, quantity="4", entry_ts=instant(-100), ticker=young["ticker"], account=young["account"])

    closed_by_hand(watchkeeper, young, "7")
    closed = watchkeeper.event(old["trade_id"], "closed")
    left = watchkeeper.ear.wait_for(
        lambda s, b: s == f"trade.event.open.{young['trade_id']}" and b["open_quantity"] != "6"
    )

    assert (closed["close_reason"], left["open_quantity"]) == ("external", "3")


def test_after_a_restart_with_a_venue_that_is_silent_a_close_leaves_late_and_says_so_and_no_entry_does(
    watchkeeper: Watchkeeper,
) -> None:
    """S6: a close may leave after `reconcile.timeout_s`, flagged; no entry while nobody answers."""
    trade = adopted(watchkeeper)
    watchkeeper.venue.silent.add(trade["account"])

    watchkeeper.kill()
    watchkeeper.quote(trade["ticker"], "0.38", "0.40")
    watchkeeper.start()
    close = watchkeeper.order(f"{trade['trade_id']}-close-1")
    refused = watchkeeper.demand("trade.request.open", an_open(account=trade["account"]))
    watchkeeper.venue.silent.clear()
    watchkeeper.fill(close, "0.38", "10")
    watchkeeper.event(trade["trade_id"], "closed")

    assert close["unreconciled"] is True
    assert refused["error"]["code"] == "unreconciled"
    agreed(watchkeeper, trade["account"])


def test_lists_of_many_pages_are_read_to_their_end(watchkeeper: Watchkeeper) -> None:
    """Lesson 44"""
    watchkeeper.venue.page_rows = 1
    account = a_name("acc")
    trades = [adopted(watchkeeper, account=account) for _ in range(3)]
    closed_by_hand(watchkeeper, trades[2])
    closed = watchkeeper.event(trades[2]["trade_id"], "closed")
    agreed(watchkeeper, account)
    watchkeeper.venue.page_rows = 100

    assert closed["close_reason"] == "external"
    assert watchkeeper.rows("select count(*) from trades where account = %s and state = 'open'", account) == [(2,)]


def test_where_that_is_wanted_a_position_of_nobody_is_adopted_at_the_price_of_its_fills(
    postgres_server: EmbeddedPostgres, tmp_path: Path
) -> None:
    """Fault 53, `reconcile.adopt_unknown`."""
    config = CONFIG.replace("[reconcile]", "[reconcile]\nadopt_unknown = true")
    with serving(postgres_server, tmp_path, config) as watchkeeper:
        trade = adopted(watchkeeper)
        manual = {**trade, "ticker": a_name("MANUAL")}

        watchkeeper.venue.hold(trade["account"], manual["ticker"], "yes", Decimal(3))
        watchkeeper.venue.fills.append(a_manual_fill(manual, a_name("m"), "3", "0.52"))
        told(watchkeeper, manual, "3")
        taken = watchkeeper.ear.wait_for(lambda s, _: s.startswith("trade.event.open.m-"))
        agreed(watchkeeper, trade["account"])

    assert (taken["ticker"], taken["open_quantity"], taken["entry_price"]) == (manual["ticker"], "3", "0.52")
    assert [stop["rule"] for stop in taken["stops"]] == ["probability"]

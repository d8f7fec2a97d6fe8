"""A trade's life through the real process: what leaves on NATS, and what PostgreSQL holds afterwards."""

from decimal import Decimal

from tests.acceptance.harness import Watchkeeper, a_name, an_adoption, an_open, instant


def test_a_trade_is_opened_watched_stopped_and_closed_and_the_record_says_so(watchkeeper: Watchkeeper) -> None:
    """Lesson 23: the intent is recorded, the rejection or fill finds its order by client_order_id. Lesson 54"""
    wanted = an_open()
    trade_id = wanted["trade_id"]
    watchkeeper.quote(wanted["ticker"], "0.60", "0.62")

    reply = watchkeeper.demand("trade.request.open", wanted)
    entry = watchkeeper.order(f"{trade_id}-entry-1")
    watchkeeper.fill(entry, "0.62", "10", fees="0.07")
    watchkeeper.event(trade_id, "open")
    watchkeeper.quote(wanted["ticker"], "0.39", "0.41")
    close = watchkeeper.order(f"{trade_id}-close-1")
    watchkeeper.fill(close, "0.39", "10", fees="0.05")
    closed = watchkeeper.event(trade_id, "closed")

    assert reply["ok"], reply
    assert (close["side"], close["action"], close["reduce_only"], close["quantity"]) == ("yes", "sell", True, "10")
    assert Decimal(close["limit_price"]) == Decimal("0.34")
    assert (closed["rule"], Decimal(closed["pnl"])) == ("price", Decimal("-2.42"))
    watchkeeper.await_rows(
        [("closed", Decimal("-2.42"), Decimal("0.12"))],
        "select state, pnl, fees from trades where trade_id = %s",
        trade_id,
    )
    states = watchkeeper.rows("select to_state from journal where trade_id = %s order by version, seq", trade_id)
    assert [state for (state,) in states] == ["requested", "pending", "open", "closing", "closed"]
    assert watchkeeper.rows("select count(*) from orders where trade_id = %s", trade_id) == [(2,)]
    assert watchkeeper.rows("select count(*) from decisions where trade_id = %s and fired", trade_id) == [(1,)]


def test_a_fill_in_parts_leaves_the_exact_remainder_for_the_next_attempt(watchkeeper: Watchkeeper) -> None:
    """Lesson 26"""
    adopted = an_adoption()
    trade_id = adopted["trade_id"]
    watchkeeper.quote(adopted["ticker"], "0.60", "0.62")
    watchkeeper.demand("trade.request.adopt", adopted)
    watchkeeper.quote(adopted["ticker"], "0.38", "0.40")
    first = watchkeeper.order(f"{trade_id}-close-1")

    watchkeeper.fill(first, "0.38", "3.5", cumulative="3.5")
    watchkeeper.report(first, "cancelled", cumulative_quantity="3.5")
    second = watchkeeper.order(f"{trade_id}-close-2")
    watchkeeper.fill(second, "0.36", "6.5")
    closed = watchkeeper.event(trade_id, "closed")

    assert second["quantity"] == "6.5"
    assert Decimal(closed["pnl"]) == Decimal("3.5") * Decimal("0.38") + Decimal("6.5") * Decimal("0.36") - Decimal(6)
    watchkeeper.await_rows([(Decimal(10),)], "select sum(quantity) from fills where trade_id = %s", trade_id)


def test_a_rejected_entry_is_found_by_its_client_order_id(watchkeeper: Watchkeeper) -> None:
    """Lesson 23"""
    wanted = an_open()
    watchkeeper.quote(wanted["ticker"], "0.60", "0.62")
    watchkeeper.demand("trade.request.open", wanted)
    entry = watchkeeper.order(f"{wanted['trade_id']}-entry-1")

    watchkeeper.report(entry, "rejected", reason="no money", cumulative_quantity="0")
    watchkeeper.event(wanted["trade_id"], "rejected")

    watchkeeper.await_rows([("rejected",)], "select state from trades where trade_id = %s", wanted["trade_id"])


def test_a_rejected_close_is_tried_again_under_the_next_number(watchkeeper: Watchkeeper) -> None:
    """Lesson 24"""
    adopted = an_adoption()
    trade_id = adopted["trade_id"]
    watchkeeper.quote(adopted["ticker"], "0.60", "0.62")
    watchkeeper.demand("trade.request.adopt", adopted)
    watchkeeper.quote(adopted["ticker"], "0.38", "0.40")

    watchkeeper.report(watchkeeper.order(f"{trade_id}-close-1"), "rejected", cumulative_quantity="0")
    second = watchkeeper.order(f"{trade_id}-close-2")
    watchkeeper.fill(second, "0.30", "10")
    watchkeeper.event(trade_id, "closed")

    assert Decimal(second["limit_price"]) == Decimal("0.28")


def test_a_close_of_a_pending_trade_cancels_its_entry_and_closes_what_was_filled(watchkeeper: Watchkeeper) -> None:
    """SPEC 1.3: the entry's end is known before the close leaves, for exactly what was filled."""
    wanted = an_open()
    trade_id = wanted["trade_id"]
    watchkeeper.quote(wanted["ticker"], "0.60", "0.62")
    watchkeeper.demand("trade.request.open", wanted)
    entry = watchkeeper.order(f"{trade_id}-entry-1")

    watchkeeper.demand("trade.request.close", {"trade_id": trade_id, "reason": "enough", "requested_by": "anna"})
    cancel = watchkeeper.ear.wait_for(lambda s, _: s == f"order.cancel.sim.{trade_id}")
    before = watchkeeper.orders_of(trade_id)
    watchkeeper.fill(entry, "0.62", "3", cumulative="3")
    watchkeeper.report(entry, "cancelled", cumulative_quantity="3")
    close = watchkeeper.order(f"{trade_id}-close-1")
    watchkeeper.fill(close, "0.60", "3")
    closed = watchkeeper.event(trade_id, "closed")

    assert (cancel["client_order_id"], before) == (f"{trade_id}-entry-1", [f"{trade_id}-entry-1"])
    assert (close["quantity"], Decimal(closed["pnl"])) == ("3", Decimal("-0.06"))
    watchkeeper.await_rows(
        [("entry", False, "cancelled"), ("close", False, "filled")],
        "select purpose, is_live, evidence from orders where trade_id = %s order by ts",
        trade_id,
    )
    assert watchkeeper.rows("select reason from cancels where trade_id = %s", trade_id) == [("a close is wanted",)]


def test_a_bid_that_returns_ends_a_resting_close_and_the_next_attempt_sells_to_it(watchkeeper: Watchkeeper) -> None:
    """Lesson 11"""
    adopted = an_adoption()
    trade_id = adopted["trade_id"]
    watchkeeper.quote(adopted["ticker"], "0.60", "0.62")
    watchkeeper.demand("trade.request.adopt", adopted)
    watchkeeper.quote(adopted["ticker"], None, "0.30")
    resting = watchkeeper.order(f"{trade_id}-close-1")
    watchkeeper.report(resting, "accepted")

    watchkeeper.quote(adopted["ticker"], "0.22", "0.30")
    watchkeeper.ear.wait_for(
        lambda s, b: s == f"order.cancel.sim.{trade_id}" and b["client_order_id"] == f"{trade_id}-close-1"
    )
    watchkeeper.report(resting, "cancelled", cumulative_quantity="0")
    second = watchkeeper.order(f"{trade_id}-close-2")
    watchkeeper.fill(second, "0.22", "10")
    watchkeeper.event(trade_id, "closed")

    assert (resting["time_in_force"], second.get("time_in_force", "ioc")) == ("gtc", "ioc")
    assert Decimal(second["limit_price"]) == Decimal("0.12")


def test_closing_twice_leaves_one_close_in_effect(watchkeeper: Watchkeeper) -> None:
    """Fault 56"""
    adopted = an_adoption()
    trade_id = adopted["trade_id"]
    watchkeeper.quote(adopted["ticker"], "0.60", "0.62")
    watchkeeper.demand("trade.request.adopt", adopted)
    request = {"trade_id": trade_id, "reason": "enough", "requested_by": "anna"}

    first = watchkeeper.demand("trade.request.close", {**request, "command_id": "c1"})
    order = watchkeeper.order(f"{trade_id}-close-1")
    second = watchkeeper.demand("trade.request.close", {**request, "command_id": "c2"})
    watchkeeper.fill(order, "0.60", "10")
    watchkeeper.event(trade_id, "closed")

    assert (first["result"]["began"], second["result"]["began"]) == (True, False)
    assert watchkeeper.orders_of(trade_id) == [f"{trade_id}-close-1"]


def test_a_close_of_a_closed_trade_says_that_it_has_ended(watchkeeper: Watchkeeper) -> None:
    adopted = an_adoption()
    trade_id = adopted["trade_id"]
    watchkeeper.quote(adopted["ticker"], "0.60", "0.62")
    watchkeeper.demand("trade.request.adopt", adopted)
    request = {"trade_id": trade_id, "reason": "enough", "requested_by": "anna"}
    watchkeeper.demand("trade.request.close", {**request, "command_id": "c1"})
    watchkeeper.fill(watchkeeper.order(f"{trade_id}-close-1"), "0.60", "10")
    watchkeeper.event(trade_id, "closed")

    reply = watchkeeper.demand("trade.request.close", {**request, "command_id": "c2"})

    assert (reply["ok"], reply["error"]["code"], reply["error"]["retry"]) == (False, "terminal", False)


def test_a_market_that_closes_expires_its_own_trades_only_and_settles_each_by_itself(watchkeeper: Watchkeeper) -> None:
    """Lessons 34, 36, 40"""
    ticker, account = a_name("EXP"), a_name("acc")
    winner = an_adoption(ticker=ticker, account=account, entry_price="0.60", quantity="4")
    second = an_adoption(ticker=ticker, account=account, entry_price="0.70", quantity="6")
    other = an_adoption()
    for trade in (winner, second, other):
        watchkeeper.quote(trade["ticker"], "0.60", "0.62")
        watchkeeper.demand("trade.request.adopt", trade)

    watchkeeper.publish(f"market.lifecycle.{ticker}", {"ticker": ticker, "ts": instant(), "event": "close"})
    watchkeeper.event(winner["trade_id"], "expired")
    watchkeeper.publish(
        f"account.settlement.{account}",
        {"account": account, "ticker": ticker, "ts": instant(), "result": "yes", "revenue": "10", "payout": "1"},
    )
    pnl = {trade["trade_id"]: watchkeeper.event(trade["trade_id"], "settled")["pnl"] for trade in (winner, second)}

    assert {trade: Decimal(value) for trade, value in pnl.items()} == {
        winner["trade_id"]: Decimal("1.6"),
        second["trade_id"]: Decimal("1.8"),
    }
    watchkeeper.await_rows([("open",)], "select state from trades where trade_id = %s", other["trade_id"])


def test_an_emptied_book_fires_the_stop_and_the_close_rests_at_the_ask(watchkeeper: Watchkeeper) -> None:
    """Lesson 11: the book empties exactly when the stop must fire."""
    adopted = an_adoption()
    trade_id = adopted["trade_id"]
    watchkeeper.quote(adopted["ticker"], "0.60", "0.62")
    watchkeeper.demand("trade.request.adopt", adopted)

    watchkeeper.quote(adopted["ticker"], None, "0.30")
    close = watchkeeper.order(f"{trade_id}-close-1")
    watchkeeper.report(close, "accepted")
    watchkeeper.fill(close, "0.25", "10")
    watchkeeper.event(trade_id, "closed")

    assert (close["time_in_force"], Decimal(close["limit_price"])) == ("gtc", Decimal("0.25"))


def test_a_book_without_anybody_fires_nothing(watchkeeper: Watchkeeper) -> None:
    adopted = an_adoption()
    watchkeeper.quote(adopted["ticker"], "0.60", "0.62")
    watchkeeper.demand("trade.request.adopt", adopted)

    watchkeeper.quote(adopted["ticker"], None, None)
    watchkeeper.quote(adopted["ticker"], "0", "1")
    watchkeeper.ear.wait_for(
        lambda s, b: s == f"stop.coverage.{adopted['trade_id']}" and b["coverage"] == "unprotected"
    )

    assert watchkeeper.orders_of(adopted["trade_id"]) == []


def test_a_crossed_book_is_held_and_then_its_worse_side_counts(watchkeeper: Watchkeeper) -> None:
    adopted = an_adoption()
    watchkeeper.quote(adopted["ticker"], "0.60", "0.62")
    watchkeeper.demand("trade.request.adopt", adopted)

    watchkeeper.quote(adopted["ticker"], "0.45", "0.35")
    close = watchkeeper.order(f"{adopted['trade_id']}-close-1")

    decision = watchkeeper.ear.wait_for(lambda s, _: s == f"stop.decision.{adopted['trade_id']}")
    assert decision["inputs"]["exit"]["age_ms"] >= 2000
    watchkeeper.fill(close, "0.35", "10")
    watchkeeper.event(adopted["trade_id"], "closed")


def test_a_paper_trade_goes_to_the_paper_venue_whatever_it_says(watchkeeper: Watchkeeper) -> None:
    wanted = an_open(mode="paper", account=a_name("paper"), venue="sim", allow_immediate=True)
    watchkeeper.quote(wanted["ticker"], "0.60", "0.62")

    watchkeeper.demand("trade.request.open", wanted)
    opened = watchkeeper.event(wanted["trade_id"], "open")

    assert Decimal(opened["entry_price"]) == Decimal("0.62")
    assert opened["venue"] == "paper"


def test_a_netting_venue_closes_by_buying_the_other_side(watchkeeper: Watchkeeper) -> None:
    adopted = an_adoption(venue="net", account=a_name("net"))
    watchkeeper.quote(adopted["ticker"], "0.60", "0.62", no_bid="0.38", no_ask="0.40")
    watchkeeper.demand("trade.request.adopt", adopted)

    watchkeeper.quote(adopted["ticker"], "0.38", "0.40", no_bid="0.60", no_ask="0.62")
    close = watchkeeper.order(f"{adopted['trade_id']}-close-1")
    watchkeeper.fill(close, "0.62", "10")
    closed = watchkeeper.event(adopted["trade_id"], "closed")

    assert (close["side"], close["action"], Decimal(close["limit_price"])) == ("no", "buy", Decimal("0.67"))
    assert Decimal(closed["exit_price"]) == Decimal("0.38")

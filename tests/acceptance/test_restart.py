"""kill -9 and restart: what was open is watched again, what was fired fires once."""

from decimal import Decimal

from tests.acceptance.harness import Watchkeeper, an_adoption, an_open


def test_after_kill_9_open_trades_are_watched_again_and_their_stop_fires_once(watchkeeper: Watchkeeper) -> None:
    """Lesson 5, Fault 5: K13"""
    adopted = an_adoption()
    trade_id = adopted["trade_id"]
    watchkeeper.quote(adopted["ticker"], "0.60", "0.62")
    watchkeeper.demand("trade.request.adopt", adopted)

    watchkeeper.kill()
    watchkeeper.quote(adopted["ticker"], "0.39", "0.41")
    watchkeeper.start()
    watchkeeper.quote(adopted["ticker"], "0.38", "0.40")
    close = watchkeeper.order(f"{trade_id}-close-1")
    watchkeeper.fill(close, "0.38", "10")
    watchkeeper.event(trade_id, "closed")

    assert watchkeeper.orders_of(trade_id) == [f"{trade_id}-close-1"]


def test_a_fill_that_arrives_while_the_process_is_dead_is_booked_after_its_restart(watchkeeper: Watchkeeper) -> None:
    """Lesson 30, Fault 7: K18"""
    wanted = an_open()
    watchkeeper.quote(wanted["ticker"], "0.60", "0.62")
    watchkeeper.demand("trade.request.open", wanted)
    entry = watchkeeper.order(f"{wanted['trade_id']}-entry-1")

    watchkeeper.kill()
    watchkeeper.fill(entry, "0.62", "10", fees="0.07")
    watchkeeper.start()
    opened = watchkeeper.event(wanted["trade_id"], "open")

    assert (Decimal(opened["open_quantity"]), Decimal(opened["fees"])) == (Decimal(10), Decimal("0.07"))


def test_a_close_in_flight_at_kill_9_is_the_one_close_after_the_restart(watchkeeper: Watchkeeper) -> None:
    """Lesson 5: K14, K16"""
    adopted = an_adoption()
    trade_id = adopted["trade_id"]
    watchkeeper.quote(adopted["ticker"], "0.60", "0.62")
    watchkeeper.demand("trade.request.adopt", adopted)
    watchkeeper.quote(adopted["ticker"], "0.38", "0.40")
    close = watchkeeper.order(f"{trade_id}-close-1")

    watchkeeper.kill()
    watchkeeper.start()
    watchkeeper.quote(adopted["ticker"], "0.37", "0.39")
    watchkeeper.fill(close, "0.38", "10")
    closed = watchkeeper.event(trade_id, "closed")

    assert Decimal(closed["exit_price"]) == Decimal("0.38")
    assert set(watchkeeper.orders_of(trade_id)) == {f"{trade_id}-close-1"}


def test_a_clean_stop_ends_with_exit_0_and_nothing_is_lost(watchkeeper: Watchkeeper) -> None:
    """Fault 48"""
    adopted = an_adoption()
    watchkeeper.quote(adopted["ticker"], "0.60", "0.62")
    watchkeeper.demand("trade.request.adopt", adopted)

    code = watchkeeper.stop()
    watchkeeper.start()
    reply = watchkeeper.demand("trade.request.get", {"trade_id": adopted["trade_id"]})

    assert code == 0
    assert reply["result"]["state"] == "open"


def test_a_close_whose_record_kill_9_took_is_the_one_close_after_the_restart(watchkeeper: Watchkeeper) -> None:
    """Fault 5: K14. The order has left, its commit never stood."""
    adopted = an_adoption()
    trade_id = adopted["trade_id"]
    watchkeeper.quote(adopted["ticker"], "0.60", "0.62")
    watchkeeper.demand("trade.request.adopt", adopted)

    with watchkeeper.no_commits():
        watchkeeper.quote(adopted["ticker"], "0.38", "0.40")
        close = watchkeeper.order(f"{trade_id}-close-1")
        watchkeeper.ear.wait_for(lambda subject, _: subject == f"stop.decision.{trade_id}")
        watchkeeper.kill()
    before = watchkeeper.rows("select state from trades where trade_id = %s", trade_id)
    watchkeeper.fill(close, "0.38", "10")
    watchkeeper.start()
    watchkeeper.quote(adopted["ticker"], "0.37", "0.39")
    closed = watchkeeper.event(trade_id, "closed")

    assert before == [("open",)]
    assert watchkeeper.orders_of(trade_id) == [f"{trade_id}-close-1"]
    assert (closed["rule"], Decimal(closed["exit_price"])) == ("price", Decimal("0.38"))
    watchkeeper.await_rows(
        [(f"{trade_id}-close-1", False, "filled")],
        "select client_order_id, is_live, evidence from orders where trade_id = %s",
        trade_id,
    )
    assert watchkeeper.rows("select count(*) from quarantine where subject like %s", f"%{trade_id}%") == [(0,)]
    decided = "select decision_id, fired, body -> 'inputs' ? 'yes_bid' from decisions where trade_id = %s"
    assert watchkeeper.rows(decided, trade_id) == [(f"{trade_id}-price-1", True, True)]


def test_a_whole_close_that_happened_without_the_record_is_in_it_after_the_restart(watchkeeper: Watchkeeper) -> None:
    """Lesson 30: two attempts, a part filled by the first, all reported, nothing committed before kill -9."""
    adopted = an_adoption()
    trade_id = adopted["trade_id"]
    watchkeeper.quote(adopted["ticker"], "0.60", "0.62")
    watchkeeper.demand("trade.request.adopt", adopted)

    with watchkeeper.no_commits():
        watchkeeper.quote(adopted["ticker"], "0.38", "0.40")
        first = watchkeeper.order(f"{trade_id}-close-1")
        watchkeeper.fill(first, "0.38", "4", cumulative="4")
        watchkeeper.report(first, "cancelled", cumulative_quantity="4")
        second = watchkeeper.order(f"{trade_id}-close-2")
        watchkeeper.fill(second, "0.36", "6")
        watchkeeper.kill()
    watchkeeper.start()
    closed = watchkeeper.event(trade_id, "closed")

    assert Decimal(closed["pnl"]) == Decimal(4) * Decimal("0.38") + Decimal(6) * Decimal("0.36") - Decimal(6)
    assert watchkeeper.orders_of(trade_id) == [f"{trade_id}-close-1", f"{trade_id}-close-2"]
    watchkeeper.await_rows(
        [(2, Decimal(10))], "select count(*), sum(quantity) from fills where trade_id = %s", trade_id
    )


def test_an_entry_does_not_leave_while_the_record_cannot_be_written(watchkeeper: Watchkeeper) -> None:
    """DESIGN, idea 6: adding risk always waits for the database."""
    wanted = an_open()
    trade_id = wanted["trade_id"]
    watchkeeper.quote(wanted["ticker"], "0.60", "0.62")

    with watchkeeper.no_commits():
        reply = watchkeeper.demand("trade.request.open", wanted)
        meanwhile = watchkeeper.orders_of(trade_id)
    watchkeeper.order(f"{trade_id}-entry-1")

    assert (reply["error"]["code"], reply["error"]["retry"]) == ("unavailable", True)
    assert meanwhile == []
    watchkeeper.await_rows([("pending",)], "select state from trades where trade_id = %s", trade_id)

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


def test_a_second_serve_refuses_to_start_beside_a_leader(watchkeeper: Watchkeeper) -> None:
    ended = watchkeeper.command("serve")

    assert ended.returncode == 1
    assert "leads" in ended.stderr

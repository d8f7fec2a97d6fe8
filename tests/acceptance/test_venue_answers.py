"""Orders that nobody reported are looked up at the venue: only evidence ends an unknown."""

from decimal import Decimal

from tests.acceptance.harness import Body, Watchkeeper, an_adoption, an_open, instant


def closing(watchkeeper: Watchkeeper) -> tuple[Body, Body]:
    """Let a stop fire; return what was adopted and its first close."""
    adopted = an_adoption()
    watchkeeper.quote(adopted["ticker"], "0.60", "0.62")
    watchkeeper.demand("trade.request.adopt", adopted)
    watchkeeper.quote(adopted["ticker"], "0.38", "0.40")
    return adopted, watchkeeper.order(f"{adopted['trade_id']}-close-1")


def as_known(order: Body, status: str, filled: str) -> Body:
    return {
        "account": order["account"],
        "client_order_id": order["client_order_id"],
        "status": status,
        "cumulative_quantity": filled,
    }


def as_filled(order: Body, price: str, quantity: str) -> Body:
    return {
        "account": order["account"],
        "fill_id": f"{order['client_order_id']}-venue-1",
        "client_order_id": order["client_order_id"],
        "ticker": order["ticker"],
        "side": order["side"],
        "price": price,
        "quantity": quantity,
        "fees": "0.03",
        "ts": instant(),
    }


def test_an_unknown_close_is_unprotected_until_the_venue_says_that_it_was_filled(watchkeeper: Watchkeeper) -> None:
    """Faults 6, 54: UNKNOWN is looked up by client id and never sent again blindly."""
    adopted, close = closing(watchkeeper)
    trade_id = adopted["trade_id"]

    watchkeeper.report(close, "unknown", reason="the venue did not answer")
    watchkeeper.event(trade_id, "unknown")
    title = f"{trade_id} is unprotected: unknown"
    alarm = watchkeeper.ear.wait_for(lambda subject, body: subject.startswith("notice.") and body["title"] == title)
    watchkeeper.venue.fills.append(as_filled(close, "0.37", "10"))
    watchkeeper.venue.orders.append(as_known(close, "filled", "10"))
    closed = watchkeeper.event(trade_id, "closed")

    assert alarm["severity"] == "critical"
    assert (Decimal(closed["exit_price"]), Decimal(closed["fees"])) == (Decimal("0.37"), Decimal("0.03"))
    about = [
        kind for kind, asked in watchkeeper.venue.asked if asked.get("client_order_id") == close["client_order_id"]
    ]
    assert set(about) == {"orders", "fills"}
    assert watchkeeper.orders_of(trade_id) == [close["client_order_id"]]
    watchkeeper.await_rows([(Decimal(10),)], "select sum(quantity) from fills where trade_id = %s", trade_id)


def test_a_part_that_was_filled_unheard_leaves_its_exact_remainder_for_the_next_attempt(
    watchkeeper: Watchkeeper,
) -> None:
    """Lesson 26"""
    adopted, close = closing(watchkeeper)
    trade_id = adopted["trade_id"]

    watchkeeper.venue.fills.append(as_filled(close, "0.37", "4"))
    watchkeeper.venue.orders.append(as_known(close, "cancelled", "4"))
    watchkeeper.report(close, "unknown")
    second = watchkeeper.order(f"{trade_id}-close-2")
    watchkeeper.fill(second, "0.36", "6")
    closed = watchkeeper.event(trade_id, "closed")

    assert second["quantity"] == "6"
    assert Decimal(closed["exit_price"]) == Decimal("0.364")


def test_an_empty_answer_while_the_order_may_still_fly_proves_nothing(watchkeeper: Watchkeeper) -> None:
    """Fault 54"""
    adopted, close = closing(watchkeeper)
    trade_id = adopted["trade_id"]

    watchkeeper.report(close, "unknown")
    watchkeeper.event(trade_id, "unknown")
    watchkeeper.fill(close, "0.38", "10")
    watchkeeper.event(trade_id, "closed")

    assert ("orders", close["client_order_id"]) in [(k, q.get("client_order_id")) for k, q in watchkeeper.venue.asked]
    assert watchkeeper.orders_of(trade_id) == [close["client_order_id"]]


def test_an_entry_that_nobody_answered_is_found_filled_after_a_restart(watchkeeper: Watchkeeper) -> None:
    """Fault 7: fills are fetched since the process died."""
    wanted = an_open()
    trade_id = wanted["trade_id"]
    watchkeeper.quote(wanted["ticker"], "0.60", "0.62")
    watchkeeper.demand("trade.request.open", wanted)
    entry = watchkeeper.order(f"{trade_id}-entry-1")

    watchkeeper.kill()
    watchkeeper.venue.fills.append(as_filled(entry, "0.61", "10"))
    watchkeeper.venue.orders.append(as_known(entry, "filled", "10"))
    watchkeeper.start()
    opened = watchkeeper.event(trade_id, "open")

    assert (opened["entry_price"], opened["open_quantity"]) == ("0.61", "10")
    watchkeeper.await_rows([("filled",)], "select evidence from orders where trade_id = %s", trade_id)

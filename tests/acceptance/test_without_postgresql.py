"""PostgreSQL goes while trades are open: stops fire, closes leave, nothing new is taken on; it returns, and the record is whole."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from db.embedded import EmbeddedPostgres
from tests.acceptance.conftest import serving
from tests.acceptance.harness import Body, Watchkeeper, an_adoption, an_open
from tests.fixtures.postgres import standing_still


@pytest.fixture
def alone(own_postgres: EmbeddedPostgres, tmp_path: Path) -> Iterator[Watchkeeper]:
    """The real process on a PostgreSQL that the test may take away."""
    with serving(own_postgres, tmp_path) as running:
        yield running


def adopted(watchkeeper: Watchkeeper) -> Body:
    """A trade of ten at 0.60 whose stop at 0.40 is armed, and on record as such."""
    wanted = an_adoption()
    watchkeeper.quote(wanted["ticker"], "0.60", "0.62")
    assert watchkeeper.demand("trade.request.adopt", wanted)["ok"]
    watchkeeper.await_rows([("armed",)], "select coverage from coverage where trade_id = %s", wanted["trade_id"])
    return wanted


def stopped_out(watchkeeper: Watchkeeper, trade: Body) -> str:
    """Let its stop fire and its close fill at 0.38; return the close's id."""
    watchkeeper.quote(trade["ticker"], "0.38", "0.40")
    close = watchkeeper.order(f"{trade['trade_id']}-close-1")
    watchkeeper.fill(close, "0.38", "10")
    return str(close["client_order_id"])


def assert_recorded(watchkeeper: Watchkeeper, trade: Body) -> None:
    """The record is what the venue saw: one close, one fill, the decision that caused it."""
    trade_id = trade["trade_id"]
    watchkeeper.await_rows(
        [("closed", Decimal(10), Decimal("-2.2"), "price")],
        "select state, quantity, pnl, rule from trades where trade_id = %s",
        trade_id,
    )
    assert watchkeeper.orders_of(trade_id) == [f"{trade_id}-close-1"]
    assert watchkeeper.rows(
        "select o.client_order_id, o.is_live, f.price, f.quantity, d.fired from orders o join fills f using (client_order_id)"
        " join decisions d using (decision_id) where o.trade_id = %s",
        trade_id,
    ) == [(f"{trade_id}-close-1", False, Decimal("0.38"), Decimal(10), True)]


def test_closes_leave_and_entries_wait_while_postgresql_is_dead_and_the_record_is_whole_when_it_returns(
    alone: Watchkeeper, own_postgres: EmbeddedPostgres
) -> None:
    """Fault 18, K14, K19, K20"""
    by_stop, by_hand = adopted(alone), adopted(alone)
    own_postgres.kill()

    stopped_out(alone, by_stop)
    notice = alone.notice("database_away")
    refused = alone.demand("trade.request.open", an_open())
    asked = {"trade_id": by_hand["trade_id"], "reason": "enough", "requested_by": "eve"}
    closed = alone.demand("trade.request.close", asked)
    alone.fill(alone.order(f"{by_hand['trade_id']}-close-1"), "0.60", "10")
    status = alone.demand("system.request.status", {})["result"]
    early = alone.ear.so_far(lambda subject, _: subject.startswith("trade.event.clos"))

    own_postgres.start()
    alone.event(by_stop["trade_id"], "closed")
    alone.event(by_hand["trade_id"], "closed")
    alone.notice("database_back")

    assert notice["severity"] == "critical"
    assert (refused["error"]["code"], refused["error"]["retry"]) == ("unavailable", True)
    assert (closed["ok"], closed["result"]["trade_id"]) == (True, by_hand["trade_id"])
    assert status["level"] == "critical"
    assert early == []
    assert_recorded(alone, by_stop)
    assert alone.demand("trade.request.open", an_open())["ok"]


def test_a_postgresql_that_stands_still_holds_up_no_close(alone: Watchkeeper, own_postgres: EmbeddedPostgres) -> None:
    """Fault 18, Fault 19"""
    trade = adopted(alone)

    with standing_still(own_postgres):
        stopped_out(alone, trade)
        alone.notice("database_away")
    alone.event(trade["trade_id"], "closed")

    assert_recorded(alone, trade)


def test_a_postgresql_without_a_free_connection_holds_up_no_close(alone: Watchkeeper) -> None:
    """Fault 18"""
    trade = adopted(alone)
    alone.administer(
        "alter role rec_io_user connection limit 0",
        "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'rec_io_user'",
    )

    stopped_out(alone, trade)
    notice = alone.notice("database_away")
    alone.administer("alter role rec_io_user connection limit -1")
    alone.event(trade["trade_id"], "closed")

    assert "too many connections" in notice["body"]
    assert_recorded(alone, trade)

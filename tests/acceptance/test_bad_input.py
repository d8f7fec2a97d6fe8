"""Hostile and mistaken input through the real process: a clear answer or a quarantine row, nothing else, and it lives."""

import json

import pytest

from tests.acceptance.harness import Body, Watchkeeper, a_name, an_adoption, an_open, instant


def refusal(watchkeeper: Watchkeeper, wanted: Body) -> str:
    reply = watchkeeper.demand("trade.request.open", wanted)
    assert not reply["ok"]
    assert watchkeeper.rows("select count(*) from trades where trade_id = %s", wanted["trade_id"]) == [(0,)]
    return str(reply["error"]["code"])


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"mode": "lve"}, "unknown_mode"),
        ({"venue": None}, "venue_required"),
        ({"venue": "nowhere"}, "venue_unknown"),
        ({"expires_ts": "2020-01-01T00:00:00Z"}, "expired"),
        ({"stops": []}, "stop_required"),
        ({"stops": [{"rule": "price", "stop_prize": "0.4"}]}, "unknown_setting"),
        ({"stops": [{"rule": "probability", "floor_percent": "250"}]}, "setting_range"),
        ({"quantity": "-1"}, "malformed"),
        ({"quantity": "NaN"}, "malformed"),
        ({"limit_price": "1e5"}, "malformed"),
    ],
)
def test_an_open_that_cannot_be_is_refused_with_its_reason(watchkeeper: Watchkeeper, changes: Body, code: str) -> None:
    """Lesson 60: fail closed."""
    assert refusal(watchkeeper, an_open(**changes)) == code


def test_a_second_open_with_the_same_id_is_the_same_trade_and_with_another_body_a_conflict(
    watchkeeper: Watchkeeper,
) -> None:
    """Lesson 33, Fault 25"""
    wanted = an_open()
    watchkeeper.quote(wanted["ticker"], "0.60", "0.62")

    replies = [
        watchkeeper.demand("trade.request.open", body) for body in (wanted, wanted, {**wanted, "quantity": "11"})
    ]
    watchkeeper.order(f"{wanted['trade_id']}-entry-1")

    assert [reply["ok"] for reply in replies] == [True, True, False]
    assert replies[2]["error"]["code"] == "conflict"
    assert watchkeeper.orders_of(wanted["trade_id"]) == [f"{wanted['trade_id']}-entry-1"]


def test_an_unknown_trade_is_not_found(watchkeeper: Watchkeeper) -> None:
    reply = watchkeeper.demand("trade.request.close", {"trade_id": a_name(), "reason": "r", "requested_by": "anna"})

    assert (reply["ok"], reply["error"]["code"]) == (False, "not_found")


@pytest.mark.parametrize(
    "body",
    [
        b"not json",
        b"{}",
        b'{"ticker": "%s", "ts": "yesterday", "event": "close"}',
        b'{"ticker": "\xff\xfe", "ts": "2026-01-01T00:00:00Z", "event": "close"}',
        b'{"ticker": ' + b"[" * 50_000 + b"]" * 50_000 + b"}",
        b'{"ticker": "' + b"x" * 70_000 + b'"}',
    ],
    ids=["no json", "nothing in it", "no instant", "bad utf-8", "deep", "large"],
)
def test_poison_on_a_stream_is_quarantined_with_its_raw_bytes_and_later_ones_flow(
    watchkeeper: Watchkeeper, body: bytes
) -> None:
    """Faults 23, 36, 37, L5"""
    ticker = a_name("POISON")
    adopted = an_adoption(ticker=ticker)
    watchkeeper.quote(ticker, "0.60", "0.62")
    watchkeeper.demand("trade.request.adopt", adopted)

    watchkeeper.publish(f"market.lifecycle.{ticker}", body)
    watchkeeper.publish(f"market.lifecycle.{ticker}", {"ticker": ticker, "ts": instant(), "event": "close"})
    watchkeeper.event(adopted["trade_id"], "expired")

    if len(body) < 65_536:
        watchkeeper.await_rows([(body,)], "select body from quarantine where subject like %s", f"%{ticker}")


@pytest.mark.parametrize("price", ['"NaN"', '"-0.2"', '"1e-3"', '"Infinity"', "1e999", '" 0.2"', '"0_2"', '"\\u0661"'])
def test_a_price_that_is_none_stops_nothing(watchkeeper: Watchkeeper, price: str) -> None:
    """Fault 34"""
    adopted = an_adoption()
    ticker = adopted["ticker"]
    watchkeeper.quote(ticker, "0.60", "0.62")
    watchkeeper.demand("trade.request.adopt", adopted)

    watchkeeper.publish(
        f"market.quote.{ticker}", f'{{"ticker": "{ticker}", "ts": "{instant()}", "yes_bid": {price}}}'.encode()
    )
    watchkeeper.quote(ticker, "0.60", "0.62")

    watchkeeper.await_ready()
    assert watchkeeper.orders_of(adopted["trade_id"]) == []


def test_ticks_from_the_future_and_from_the_past_stop_nothing(watchkeeper: Watchkeeper) -> None:
    """Faults 31, 33"""
    adopted = an_adoption()
    ticker = adopted["ticker"]
    watchkeeper.quote(ticker, "0.60", "0.62")
    watchkeeper.demand("trade.request.adopt", adopted)

    for ts in (instant(3600), instant(-3600), "1970-01-01T00:00:00Z", "2262-01-01T00:00:00Z"):
        body = {"ticker": ticker, "ts": ts, "source": a_name("feed"), "yes_bid": "0.10", "yes_ask": "0.12"}
        watchkeeper.publish(f"market.quote.{ticker}", body)
    watchkeeper.quote(ticker, "0.60", "0.62")

    watchkeeper.await_ready()
    assert watchkeeper.orders_of(adopted["trade_id"]) == []


def test_a_report_repeated_a_thousand_times_has_one_effect(watchkeeper: Watchkeeper) -> None:
    """Fault 24"""
    wanted = an_open()
    watchkeeper.quote(wanted["ticker"], "0.60", "0.62")
    watchkeeper.demand("trade.request.open", wanted)
    entry = watchkeeper.order(f"{wanted['trade_id']}-entry-1")

    for _ in range(1000):
        watchkeeper.fill(entry, "0.62", "10")
    watchkeeper.event(wanted["trade_id"], "open")
    watchkeeper.demand("trade.request.get", {"trade_id": wanted["trade_id"]})

    watchkeeper.await_rows([(1,)], "select count(*) from fills where trade_id = %s", wanted["trade_id"])


def test_a_report_of_an_order_that_nobody_sent_is_quarantined(watchkeeper: Watchkeeper) -> None:
    order_id = f"{a_name()}-close-1"
    body = {"client_order_id": order_id, "ts": instant(), "status": "accepted"}

    watchkeeper.publish(f"order.report.{order_id}", body)
    watchkeeper.notice("unknown_order")

    found = watchkeeper.rows("select body from quarantine where subject = %s", f"order.report.{order_id}")
    assert [json.loads(raw) for (raw,) in found] == [body]

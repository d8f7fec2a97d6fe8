"""Each open trade is armed, closing, waived by a person, or unprotected with a critical notice; and stops change as people ask."""

from decimal import Decimal

from tests.acceptance.harness import Body, Watchkeeper, an_adoption, instant

ANNA = {"reason": "so wanted", "requested_by": "anna"}


def adopted(watchkeeper: Watchkeeper, **changes: object) -> Body:
    """Let a trade be taken over whose market stands at 0.60 to 0.62."""
    wanted = an_adoption(**changes)
    watchkeeper.quote(wanted["ticker"], "0.60", "0.62")
    reply = watchkeeper.demand("trade.request.adopt", wanted)
    assert reply["ok"], reply
    return wanted


def coverage(watchkeeper: Watchkeeper, trade_id: str, state: str, count: int = 1) -> Body:
    return watchkeeper.ear.wait_for(lambda s, b: s == f"stop.coverage.{trade_id}" and b["coverage"] == state, count)


def test_an_unprotected_trade_has_a_critical_notice_until_it_is_protected_again(watchkeeper: Watchkeeper) -> None:
    """Lesson 11"""
    trade = adopted(watchkeeper)
    trade_id = trade["trade_id"]
    coverage(watchkeeper, trade_id, "armed")

    watchkeeper.quote(trade["ticker"], None, None)
    # Market data has a connection of its own: the adoption may have overtaken its first quote, which is another alarm.
    title = f"{trade_id} is unprotected: empty_book"
    alarm = watchkeeper.ear.wait_for(lambda s, b: s.startswith("notice.") and b["title"] == title)
    watchkeeper.quote(trade["ticker"], "0.60", "0.62")
    watchkeeper.notice("protected_again", trade_id)

    assert alarm["severity"] == "critical"
    assert f"python run.py trade close {trade_id}" in alarm["body"]
    watchkeeper.await_rows([("armed",)], "select coverage from coverage where trade_id = %s", trade_id)
    history = watchkeeper.rows("select coverage from coverage_history where trade_id = %s order by id", trade_id)
    assert [state for (state,) in history][-3:] == ["armed", "unprotected", "armed"]
    watchkeeper.await_rows(
        [("critical", "unprotected"), ("info", "protected_again")],
        "select severity, kind from (select * from notices where trade_id = %s and kind like '%%protected%%'"
        " order by ts desc limit 2) as last order by ts",
        trade_id,
    )


def test_a_rule_that_a_person_arms_closes_the_trade(watchkeeper: Watchkeeper) -> None:
    trade = adopted(watchkeeper)
    trade_id = trade["trade_id"]

    request = {"trade_id": trade_id, "rule": "profit", "settings": {"take_profit_price": "0.80"}, **ANNA}
    reply = watchkeeper.demand("stop.request.arm", request)
    watchkeeper.quote(trade["ticker"], "0.85", "0.87")
    watchkeeper.fill(watchkeeper.order(f"{trade_id}-close-1"), "0.85", "10")
    closed = watchkeeper.event(trade_id, "closed")

    assert reply["ok"], reply
    assert (closed["rule"], Decimal(closed["pnl"])) == ("profit", Decimal("2.5"))
    watchkeeper.await_rows(
        [("profit", True)], "select rule, fired from decisions where trade_id = %s and fired", trade_id
    )


def test_a_threshold_that_a_person_moves_holds_from_the_next_tick(watchkeeper: Watchkeeper) -> None:
    trade = adopted(watchkeeper)
    trade_id = trade["trade_id"]

    request = {"trade_id": trade_id, "rule": "price", "settings": {"stop_price": "0.55"}, **ANNA}
    reply = watchkeeper.demand("stop.request.set", request)
    watchkeeper.quote(trade["ticker"], "0.54", "0.56")
    watchkeeper.fill(watchkeeper.order(f"{trade_id}-close-1"), "0.54", "10")
    closed = watchkeeper.event(trade_id, "closed")

    assert reply["ok"], reply
    assert (closed["rule"], Decimal(closed["exit_price"])) == ("price", Decimal("0.54"))


def test_whoever_disarms_the_last_rule_of_a_live_trade_waives_its_protection(watchkeeper: Watchkeeper) -> None:
    trade = adopted(watchkeeper)
    trade_id = trade["trade_id"]

    for rule in ("price", "probability"):
        reply = watchkeeper.demand("stop.request.disarm", {"trade_id": trade_id, "rule": rule, **ANNA})
        assert reply["ok"], reply
    waived = coverage(watchkeeper, trade_id, "waived")
    watchkeeper.quote(trade["ticker"], "0.10", "0.12")
    known = watchkeeper.demand("trade.request.get", {"trade_id": trade_id})["result"]

    assert waived["why"] == "by anna: so wanted"
    assert known["waiver"] == {"by": "anna", "reason": "so wanted"}
    assert watchkeeper.orders_of(trade_id) == []


def test_a_waiver_says_who_why_and_until_when_and_then_ends(watchkeeper: Watchkeeper) -> None:
    trade = adopted(watchkeeper)
    trade_id = trade["trade_id"]
    coverage(watchkeeper, trade_id, "armed")

    until = instant(1.5)
    reply = watchkeeper.demand("stop.request.waive", {"trade_id": trade_id, "until": until, **ANNA})
    waived = coverage(watchkeeper, trade_id, "waived")
    coverage(watchkeeper, trade_id, "armed", count=2)

    assert reply["ok"], reply
    assert waived["why"].startswith("by anna: so wanted, until ")
    watchkeeper.await_rows(
        [("armed",), ("waived",), ("armed",)],
        "select coverage from (select id, coverage from coverage_history where trade_id = %s order by id desc limit 3) as l"
        " order by id",
        trade_id,
    )


def test_a_setting_that_nobody_knows_changes_nothing(watchkeeper: Watchkeeper) -> None:
    """Lesson 60: an unknown key is an error."""
    trade = adopted(watchkeeper)
    trade_id = trade["trade_id"]
    before = watchkeeper.demand("trade.request.get", {"trade_id": trade_id})["result"]

    request = {"trade_id": trade_id, "rule": "price", "settings": {"stop_prize": "0.55"}, **ANNA}
    reply = watchkeeper.demand("stop.request.set", request)

    assert (reply["ok"], reply["error"]["code"]) == (False, "unknown_setting")
    assert watchkeeper.demand("trade.request.get", {"trade_id": trade_id})["result"]["stops"] == before["stops"]


def test_two_trades_on_one_ticker_keep_their_own_size_price_and_stop(watchkeeper: Watchkeeper) -> None:
    """Lesson 62"""
    first = adopted(watchkeeper, quantity="4", entry_price="0.55")
    second = adopted(
        watchkeeper,
        ticker=first["ticker"],
        quantity="6",
        entry_price="0.65",
        stops=[{"rule": "price", "stop_price": "0.50", "confirm_ticks": "1"}],
    )

    watchkeeper.quote(first["ticker"], "0.45", "0.47")
    close = watchkeeper.order(f"{second['trade_id']}-close-1")
    watchkeeper.fill(close, "0.45", "6")
    closed = watchkeeper.event(second["trade_id"], "closed")

    assert (close["quantity"], Decimal(closed["pnl"])) == ("6", Decimal("-1.2"))
    assert watchkeeper.orders_of(first["trade_id"]) == []
    watchkeeper.await_rows(
        [("open", Decimal(4), Decimal("0.55"))],
        "select state, open_quantity, entry_price from trades where trade_id = %s",
        first["trade_id"],
    )


def test_the_status_tells_how_long_trades_stood_unprotected_and_why(watchkeeper: Watchkeeper) -> None:
    before = watchkeeper.demand("system.request.status", {})["result"]
    trade = adopted(watchkeeper)
    coverage(watchkeeper, trade["trade_id"], "armed")

    watchkeeper.quote(trade["ticker"], None, None)
    coverage(watchkeeper, trade["trade_id"], "unprotected")
    # Who answers hears of it in the same moment as we do, and may be the slower one.
    answers = (watchkeeper.demand("system.request.status", {})["result"] for _ in range(1000))
    meanwhile = next(status for status in answers if status.get("unprotected"))
    watchkeeper.quote(trade["ticker"], "0.60", "0.62")
    watchkeeper.notice("protected_again", trade["trade_id"])
    after = watchkeeper.demand("system.request.status", {})["result"]

    def seconds(status: Body) -> Decimal:
        return Decimal(status.get("unprotected_seconds", {}).get("empty_book", "0"))

    assert meanwhile["unprotected"]["empty_book"] >= 1
    assert seconds(before) < seconds(after)
    assert after.get("coverage_mismatches", 0) == 0


def test_the_tickers_of_open_trades_are_watched_through_the_end_of_other_markets_and_a_restart(
    watchkeeper: Watchkeeper,
) -> None:
    """Lesson 14: a rotation of markets dropped the tickers of six open trades, and nobody saw their prices any more."""
    trade = adopted(watchkeeper)
    coverage(watchkeeper, trade["trade_id"], "armed")
    for number in range(200):
        other = f"{trade['ticker']}-{number}"
        watchkeeper.quote(other, "0.01", "0.99")
        for event in ("created", "close", "settled"):
            body = {
                "ticker": other,
                "ts": instant(),
                "event": event,
                **({"result": "no"} if event == "settled" else {}),
            }
            watchkeeper.publish(f"market.lifecycle.{other}", body)
    watchkeeper.kill()
    watchkeeper.start()

    watchkeeper.quote(trade["ticker"], "0.38", "0.40")
    watchkeeper.fill(watchkeeper.order(f"{trade['trade_id']}-close-1"), "0.38", "10")

    assert watchkeeper.event(trade["trade_id"], "closed")["rule"] == "price"
    assert watchkeeper.demand("system.request.status", {})["result"].get("coverage_mismatches", 0) == 0

"""What is kept of a trade that has ended tells why nothing fired, long after its recording is gone."""

import json

from tests.acceptance.harness import Watchkeeper, an_adoption
from tests.acceptance.test_without_postgresql import adopted


def test_why_nothing_fired_is_told_from_the_capsule_when_the_recording_is_gone(watchkeeper: Watchkeeper) -> None:
    trade = adopted(watchkeeper)
    trade_id = trade["trade_id"]
    watchkeeper.quote(trade["ticker"], "0.45", "0.47")
    watchkeeper.quote(trade["ticker"], "0.70", "0.72")
    asked = {"trade_id": trade_id, "reason": "enough", "requested_by": "eve"}
    assert watchkeeper.demand("trade.request.close", asked)["ok"]
    watchkeeper.fill(watchkeeper.order(f"{trade_id}-close-1"), "0.70", "10")
    watchkeeper.event(trade_id, "closed")
    watchkeeper.await_rows([(trade_id,)], "select trade_id from capsules where trade_id = %s", trade_id)

    told = watchkeeper.command("explain", trade_id, "--recording", "/nowhere", "--json")

    assert told.returncode == 0, told.stderr
    assert "holds no recording" in told.stderr
    found = json.loads(told.stdout)
    [rule] = found["rules"]
    assert (found["source"], found["trade"]["state"], rule["rule"]) == ("capsule", "closed", "price")
    assert rule["nearest"]["stop_price"]["away"] == "0.05"
    assert rule["nearest"]["stop_price"]["inputs"]["exit"]["value"] == "0.45"
    assert rule["since"] <= rule["nearest"]["stop_price"]["ts"]


def test_people_are_told_that_it_is_a_capsule(watchkeeper: Watchkeeper) -> None:
    trade = an_adoption(stops=[], no_stop_reason="a test")
    watchkeeper.quote(trade["ticker"], "0.60", "0.62")
    trade_id = trade["trade_id"]
    assert watchkeeper.demand("trade.request.adopt", trade)["ok"]
    assert watchkeeper.demand("trade.request.close", {"trade_id": trade_id, "reason": "x", "requested_by": "eve"})["ok"]
    watchkeeper.fill(watchkeeper.order(f"{trade_id}-close-1"), "0.60", "10")
    watchkeeper.event(trade_id, "closed")
    watchkeeper.await_rows([(trade_id,)], "select trade_id from capsules where trade_id = %s", trade_id)

    told = watchkeeper.command("explain", trade_id, "--recording", "/nowhere")

    assert told.returncode == 0, told.stderr
    assert "From its capsule in PostgreSQL" in told.stdout


def test_of_a_trade_that_nobody_knows_there_is_no_capsule_either(watchkeeper: Watchkeeper) -> None:
    told = watchkeeper.command("explain", "nobody-1", "--recording", "/nowhere")

    assert told.returncode == 1
    assert "nothing is kept of nobody-1" in told.stderr

"""What trades did is exported to the cent, and the venue's own fills are held against it."""

import csv
import io
import json

from tests.acceptance.harness import Body, Watchkeeper
from tests.acceptance.test_without_postgresql import adopted, stopped_out

SPAN = ("--from", "2020-01-01T00:00:00Z", "--to", "2100-01-01T00:00:00Z")


def closed_by_its_stop(watchkeeper: Watchkeeper) -> Body:
    trade = adopted(watchkeeper)
    stopped_out(watchkeeper, trade)
    return watchkeeper.event(trade["trade_id"], "closed")


def the_venue_says(watchkeeper: Watchkeeper, trade: Body, **changes: object) -> None:
    [fill] = trade["fills"]
    names = ("fill_id", "client_order_id", "price", "quantity", "fees", "ts")
    said = {name: fill[name] for name in names if name in fill}
    watchkeeper.venue.fills.append(
        {"account": trade["account"], "ticker": trade["ticker"], "side": trade["side"], **said, **changes}
    )


def test_a_statement_is_the_venue_s_to_the_cent(watchkeeper: Watchkeeper) -> None:
    trade = closed_by_its_stop(watchkeeper)
    the_venue_says(watchkeeper, trade)

    told = watchkeeper.command("trade", "export", *SPAN, "--account", trade["account"], "--json")

    assert told.returncode == 0, told.stderr
    found = json.loads(told.stdout)
    [totals] = found["totals"]
    assert (totals["fills"], totals["ended"], totals["pnl"]) == (1, 1, trade["pnl"])
    assert found["compared"] == [f"{trade['account']}@{trade['venue']}"]


def test_a_difference_is_shown_and_the_answer_is_no(watchkeeper: Watchkeeper) -> None:
    trade = closed_by_its_stop(watchkeeper)
    the_venue_says(watchkeeper, trade, price="0.39")

    told = watchkeeper.command("trade", "export", *SPAN, "--account", trade["account"])

    assert told.returncode == 1
    assert "price is 0.38 here, 0.39 there" in told.stderr


def test_rows_come_as_csv_for_a_spreadsheet(watchkeeper: Watchkeeper) -> None:
    trade = closed_by_its_stop(watchkeeper)
    the_venue_says(watchkeeper, trade)

    told = watchkeeper.command("trade", "export", *SPAN, "--account", trade["account"], "--csv")

    rows = list(csv.DictReader(io.StringIO(told.stdout)))
    assert [row["kind"] for row in rows] == ["adopted", "fill", "ended"]
    assert rows[-1]["pnl"] == trade["pnl"]


def test_a_venue_that_does_not_answer_leaves_it_unknown(watchkeeper: Watchkeeper) -> None:
    trade = closed_by_its_stop(watchkeeper)
    watchkeeper.venue.silent.add(trade["account"])

    told = watchkeeper.command("trade", "export", *SPAN, "--account", trade["account"])

    watchkeeper.venue.silent.discard(trade["account"])
    assert told.returncode == 69
    assert "whether the venue says the same is unknown" in told.stderr

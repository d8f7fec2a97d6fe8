"""Accounts as wholes, in the real process: a drawdown that closes all, a kill switch that outlives kills, many closes at once."""

import json
import time
from collections.abc import Iterator

import pytest

from tests.acceptance.harness import PATIENCE_S, Body, Watchkeeper, a_name, an_adoption, an_open, instant

ANNA = {"reason": "so wanted", "requested_by": "anna"}
CALM = [{"rule": "price", "stop_price": "0.01"}]


class Book:
    """An account with the drawdown rule at one confirming tick, ten dollars of cash, and two positions of ten at 0.60."""

    def __init__(self, watchkeeper: Watchkeeper) -> None:
        self.watchkeeper = watchkeeper
        self.account = a_name("acc")
        version = watchkeeper.demand("settings.request.get", {})["result"]["version"]
        changes = {"drawdown.enabled": True, "drawdown.confirm_ticks": "1"}
        request = {"layer": "account", "name": self.account, "changes": changes, "expected_version": version, **ANNA}
        assert watchkeeper.demand("settings.request.set", request)["ok"]
        balance = {"account": self.account, "ts": instant(), "balance": "10"}
        watchkeeper.publish(f"account.balance.{self.account}", balance)
        self.trades = [an_adoption(account=self.account, stops=CALM) for _ in range(2)]
        self.quote("0.60")
        for trade in self.trades:
            assert watchkeeper.demand("trade.request.adopt", trade)["ok"]
        self.await_equity("22")

    def quote(self, bid: str) -> None:
        """Publish the same quote for both."""
        for trade in self.trades:
            self.watchkeeper.quote(trade["ticker"], bid, "0.99")

    def standing(self) -> Body | None:
        """Return how the status shows the account."""
        equity = self.watchkeeper.demand("system.request.status", {})["result"].get("equity", [])
        return next((one for one in equity if one["account"] == self.account), None)

    def await_equity(self, dollars: str) -> Body:
        """Wait until its equity is known as so much, on record too."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            found = self.standing()
            if found is not None and found.get("equity_low") == f"{dollars}.00":
                break
            assert time.monotonic() < deadline, found
            time.sleep(0.05)
        return found

    def is_reduce_only(self) -> bool:
        """Whether new risk is refused, and the status says so."""
        shown = self.account in self.watchkeeper.demand("system.request.status", {})["result"].get("reduce_only", [])
        reply = self.watchkeeper.demand("trade.request.open", an_open(account=self.account))
        return shown and not reply["ok"] and reply["error"]["code"] == "halted"


@pytest.fixture
def book(watchkeeper: Watchkeeper) -> Iterator[Book]:
    """A book that anna may use again when the test has ended."""
    book = Book(watchkeeper)
    yield book
    for verb in ("rebase", "resume"):
        assert watchkeeper.demand(f"system.request.{verb}", {"account": book.account, **ANNA})["ok"]


def test_a_drawdown_closes_all_of_its_account_and_leaves_it_reduce_only(book: Book) -> None:
    watchkeeper = book.watchkeeper
    other = an_adoption(stops=CALM)
    watchkeeper.quote(other["ticker"], "0.60", "0.62")
    assert watchkeeper.demand("trade.request.adopt", other)["ok"]

    book.quote("0.20")
    notice = watchkeeper.ear.wait_for(lambda s, b: s == "notice.critical.drawdown" and book.account in b["title"])
    for trade in book.trades:
        watchkeeper.fill(watchkeeper.order(f"{trade['trade_id']}-close-1"), "0.20", "10")
        assert watchkeeper.event(trade["trade_id"], "closed")["rule"] == "drawdown"

    assert "2 trades" in notice["title"]
    assert book.is_reduce_only()
    assert watchkeeper.orders_of(other["trade_id"]) == []
    decision = watchkeeper.ear.wait_for(lambda s, _: s == f"stop.decision.{book.trades[0]['trade_id']}")
    assert (decision["rule"], decision["inputs"]["high"]["value"]) == ("drawdown", "22.00")


def test_the_high_survives_kill_9_and_so_does_what_a_drawdown_has_done(book: Book) -> None:
    """Fault 57: the kill switch persists over restarts; Lesson 5: it still fires, once."""
    watchkeeper = book.watchkeeper
    watchkeeper.await_rows(
        [("22.00",)], "select body ->> 'high' from account_progress where account = %s", book.account
    )
    watchkeeper.kill()
    watchkeeper.start()

    book.quote("0.20")
    orders = [watchkeeper.order(f"{trade['trade_id']}-close-1") for trade in book.trades]
    watchkeeper.await_rows(
        [(True, "watchkeeper")],
        "select reduce_only, requested_by from system_state where account = %s",
        book.account,
    )
    watchkeeper.kill()
    watchkeeper.start()
    for order in orders:
        watchkeeper.fill(order, "0.20", "10")

    assert {watchkeeper.event(trade["trade_id"], "closed")["state"] for trade in book.trades} == {"closed"}
    assert book.is_reduce_only()
    assert [watchkeeper.orders_of(trade["trade_id"]) for trade in book.trades] == [
        [order["client_order_id"]] for order in orders
    ]


def test_only_a_person_lets_an_account_go_on_after_a_drawdown(book: Book) -> None:
    watchkeeper = book.watchkeeper
    book.quote("0.20")
    for trade in book.trades:
        watchkeeper.fill(watchkeeper.order(f"{trade['trade_id']}-close-1"), "0.20", "10")
        watchkeeper.event(trade["trade_id"], "closed")
    for verb in ("rebase", "resume"):
        ended = watchkeeper.command("system", verb, "--account", book.account, "--reason", "enough", "--json")
        assert ended.returncode == 0, ended.stderr

    standing = book.await_equity("14")
    wanted = an_open(account=book.account, stops=CALM)
    watchkeeper.quote(wanted["ticker"], "0.60", "0.62")

    assert (standing["drawdown"], standing["high"]) == ("armed", "14.00")
    assert watchkeeper.demand("trade.request.open", wanted)["ok"]
    watchkeeper.fill(watchkeeper.order(f"{wanted['trade_id']}-entry-1"), "0.62", "10")
    watchkeeper.event(wanted["trade_id"], "open")


def test_a_reduce_only_account_stays_so_through_kill_9(watchkeeper: Watchkeeper) -> None:
    """Fault 57"""
    account = a_name("acc")
    assert watchkeeper.demand("system.request.reduce_only", {"account": account, **ANNA})["ok"]
    watchkeeper.kill()
    watchkeeper.start()

    reply = watchkeeper.demand("trade.request.open", an_open(account=account))
    status = watchkeeper.demand("system.request.status", {})["result"]

    assert (reply["error"]["code"], account in status["reduce_only"]) == ("halted", True)


def test_one_command_closes_every_trade_of_an_account_once(watchkeeper: Watchkeeper) -> None:
    account = a_name("acc")
    trades = [an_adoption(account=account, stops=CALM) for _ in range(3)]
    for trade in trades:
        watchkeeper.quote(trade["ticker"], "0.60", "0.62")
        assert watchkeeper.demand("trade.request.adopt", trade)["ok"]

    first = watchkeeper.command("trade", "close", "--account", account, "--json")
    command_id = json.loads(first.stdout)["command_id"]
    second = watchkeeper.command("trade", "close", "--account", account, "--json", "--command-id", command_id)

    counts = [[json.loads(ended.stdout)[name] for name in ("began", "already_closing")] for ended in (first, second)]
    assert (first.returncode, second.returncode, counts) == (0, 0, [[3, 0], [0, 3]])
    for trade in trades:
        watchkeeper.fill(watchkeeper.order(f"{trade['trade_id']}-close-1"), "0.60", "10")
        watchkeeper.event(trade["trade_id"], "closed")
        assert watchkeeper.orders_of(trade["trade_id"]) == [f"{trade['trade_id']}-close-1"]


@pytest.mark.parametrize(
    ("changes", "limit"),
    [
        ({"quantity": "100001"}, "max_quantity"),
        ({"side": "long", "quantity": "11", "limit_price": "100000"}, "max_notional"),
        ({"limit_price": "0.99"}, "price_band"),
    ],
)
def test_an_entry_of_a_fat_finger_is_refused_with_its_limit_named(
    watchkeeper: Watchkeeper, changes: Body, limit: str
) -> None:
    """Fault 57"""
    wanted = an_open(stops=CALM, **changes)
    watchkeeper.quote(wanted["ticker"], "0.40", "0.42")

    reply = watchkeeper.demand("trade.request.open", wanted)

    assert (reply["ok"], reply["error"]["code"]) == (False, "limit")
    assert f"The limit {limit} of the account {wanted['account']} is" in reply["error"]["message"]
    assert watchkeeper.orders_of(wanted["trade_id"]) == []


def test_an_account_of_its_own_limit_is_held_to_it_also_after_kill_9(watchkeeper: Watchkeeper) -> None:
    """Fault 57: loops, told from the record after a restart."""
    ticker = a_name("M")
    watchkeeper.quote(ticker, "0.60", "0.62")
    first, second, third = (an_open(account="looping", ticker=ticker, stops=CALM) for _ in range(3))
    for wanted in (first, second):
        assert watchkeeper.demand("trade.request.open", wanted)["ok"]
        watchkeeper.report(watchkeeper.order(f"{wanted['trade_id']}-entry-1"), "rejected")
        watchkeeper.event(wanted["trade_id"], "rejected")
    watchkeeper.kill()
    watchkeeper.start()
    watchkeeper.quote(ticker, "0.60", "0.62")

    reply = watchkeeper.demand("trade.request.open", third)

    assert "max_repeats of the account looping is 2; asked for: number 3" in reply["error"]["message"]

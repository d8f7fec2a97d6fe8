"""After any sequence of words: the sums are what somebody who adds up everything anew would have, and it fires when they say so."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from actors.rules.account.worth import Worth
from actors.rules.market.marks import exit_reading
from actors.rules.market.sight import Sight
from bus.messages.market import FeedBeat, Quote
from bus.messages.orders import Balance
from bus.messages.trades import Fill, Purpose, Side, Trade, TradeState
from bus.messages.units import NS_PER_S, ZERO
from tests.rules.account.builders import Accounts, a_balance, a_fill, a_holding, a_pending, a_rule, filled
from tests.rules.stops.builders import T0, a_beat, a_quote

CALM = settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.too_slow])
TICKERS = ("A", "B")
PRICES = st.sampled_from([None, "0.02", "0.15", "0.40", "0.60", "0.95"])
QUOTES = st.builds(
    lambda ticker, prices: a_quote(0, prices[0], prices[1], no_bid=prices[2], no_ask=prices[3], ticker=ticker),
    st.sampled_from(TICKERS),
    st.tuples(PRICES, PRICES, PRICES, PRICES),
)
SIZES = st.sampled_from(["10", "100.5", "700"])
STEPS = st.lists(
    st.tuples(
        st.sampled_from([0, 0.5, 1, 5, 20, 31]),
        st.one_of(
            QUOTES,
            QUOTES,
            QUOTES,
            st.builds(a_beat, st.just(0), max_silence_s=st.sampled_from((5, 30, 60))),
            st.tuples(st.just("ahead"), QUOTES),
            st.tuples(st.just("buy"), st.sampled_from(TICKERS), st.sampled_from([Side.YES, Side.NO]), SIZES),
            st.tuples(st.just("sell"), st.integers(0, 5), SIZES),
            st.tuples(st.just("expire"), st.integers(0, 5)),
            st.just(("state",)),
        ),
    ),
    min_size=6,
    max_size=30,
)
Step = tuple[object, ...] | Quote | FeedBeat
WAITING: Step = ("wait",)
# A crossed book counts once it has stood for a while: the high rises though nobody says a word.
TIME_MAKES_A_HIGH: list[tuple[float, Step]] = [
    (0, ("buy", "B", Side.NO, "700")),
    (0, a_quote(0, "0.15", "0.02", ticker="B")),
    (5, a_quote(0, None, None, no_ask="0.02", ticker="B")),
]
# The price of what has expired is no input any more.
QUOTED_AFTER_ITS_END: list[tuple[float, Step]] = [
    (0, ("buy", "B", Side.YES, "10")),
    (0, ("expire", 0)),
    (0, a_quote(0, None, None, no_ask="0.02", ticker="A")),
    (0, ("buy", "A", Side.NO, "700")),
    (0, ("buy", "A", Side.NO, "700")),
    (0, a_quote(0, None, None, ticker="B")),
]
# A feed says that it may be silent for 5 s at most, and then is for longer.
SILENT_SOONER: list[tuple[float, Step]] = [
    (0, ("buy", "A", Side.YES, "10")),
    (0, a_quote(0, "0.60", "0.95", ticker="A")),
    (1, a_beat(0, max_silence_s=5)),
    (20, ("state",)),
]


class Naive:
    """Adds up everything anew, and keeps the highest it has ever seen."""

    def __init__(self, cash: str) -> None:
        self.cash = Decimal(cash)
        self.trades: dict[str, Trade] = {}
        self.high = Decimal(cash)
        self.fills = 0

    def new_id(self) -> str:
        self.fills += 1
        return f"f{self.fills}"

    def book(self, trade: Trade, fill: Fill) -> Trade:
        """Let a fill happen to a trade and to the cash."""
        paid = fill.price * fill.quantity
        self.cash += -paid if fill.purpose is Purpose.ENTRY else paid
        after = self.trades[trade.trade_id] = filled(trade, fill)
        return after

    def held(self) -> set[str]:
        """Return the tickers whose price is an input: what has expired waits for its result."""
        open_trades = (trade for trade in self.trades.values() if trade.state is not TradeState.EXPIRED)
        return {trade.ticker for trade in open_trades if trade.open_quantity}

    def equity(self, accounts: Accounts) -> tuple[Decimal, Decimal] | None:
        low = high = self.cash
        for trade in self.trades.values():
            if trade.state is TradeState.EXPIRED:
                high += trade.open_quantity
                continue
            if not trade.open_quantity:
                continue
            sight = Sight(trade, accounts.engine.book, "sell")
            reading = exit_reading(sight.quote, None, sight.view, accounts.now_ns)
            if reading.low is None or reading.high is None:
                return None
            low += trade.open_quantity * reading.low
            high += trade.open_quantity * reading.high
        return low, high


def play(steps: list[tuple[float, Step]], check: Callable[[Accounts, Naive, Step], None]) -> None:
    accounts, naive = Accounts(rule=a_rule(), cash="1000"), Naive("1000")
    for wait_s, step in steps:
        now_ns = accounts.now_ns + int(wait_s * NS_PER_S)
        seconds = (now_ns - T0) / NS_PER_S
        # Time alone makes a price count, or not any more: the naive look must not miss what was true in between.
        while accounts.now_ns < now_ns:
            accounts.run_to(accounts.now_ns + NS_PER_S // 2)
            check(accounts, naive, WAITING)
        if isinstance(step, msgspec.Struct):
            accounts.tick(msgspec.structs.replace(step, ts=now_ns))
        elif isinstance(step[-1], Quote):
            # Its source is marked by that: nothing of it may be used until it says something possible.
            accounts.tick(msgspec.structs.replace(step[-1], ts=now_ns + 9 * NS_PER_S), received=now_ns)
        else:
            for word in said_by(step, naive, seconds):
                accounts.hear(word if isinstance(word, Balance) else msgspec.structs.replace(word, ts=now_ns))
        check(accounts, naive, step)


def said_by(step: tuple[object, ...], naive: Naive, seconds: float) -> list[Trade | Balance]:
    living = [trade for trade in naive.trades.values() if trade.open_quantity and trade.state is TradeState.OPEN]
    match step:
        case ("state",):
            return [a_balance(seconds, str(naive.cash))]
        case ("buy", ticker, side, size):
            pending = a_pending(f"t{len(naive.trades)}", ticker=ticker, side=side)
            return [pending, naive.book(pending, a_fill(seconds, str(size), "0.40", fill_id=naive.new_id()))]
        case ("sell", index, size) if living:
            trade = living[int(str(index)) % len(living)]
            quantity = min(Decimal(str(size)), trade.open_quantity)
            return [naive.book(trade, a_fill(seconds, str(quantity), "0.30", Purpose.CLOSE, fill_id=naive.new_id()))]
        case ("expire", index) if living:
            trade = living[int(str(index)) % len(living)]
            over = msgspec.structs.replace(trade, version=trade.version + 1, state=TradeState.EXPIRED)
            naive.trades[trade.trade_id] = over
            return [over]
        case _:
            return []


@CALM
@given(STEPS)
@example(SILENT_SOONER)
def test_the_sums_of_an_account_are_what_a_naive_look_adds_up(steps: list[tuple[float, Step]]) -> None:
    """S11 (its part of order 2): equity is exact, however it came about."""

    def check(accounts: Accounts, naive: Naive, _step: Step) -> None:
        equity = accounts.engine._accounts._of("acc").equity()
        found = None if equity.unknown is not None else (equity.low, equity.high)
        assert found == naive.equity(accounts)

    play(steps, check)


@CALM
@given(STEPS)
@example(TIME_MAKES_A_HIGH)
@example(QUOTED_AFTER_ITS_END)
def test_it_fires_when_a_naive_look_says_so_and_at_no_other_time(steps: list[tuple[float, Step]]) -> None:
    def check(accounts: Accounts, naive: Naive, step: Step) -> None:
        equity = naive.equity(accounts)
        naive.high = max(naive.high, ZERO if equity is None else equity[0])
        limit = naive.high * Decimal("0.7")
        if equity is not None and equity[1] <= limit and isinstance(step, Quote) and step.ticker in naive.held():
            assert accounts.drawdowns
        for fired in accounts.drawdowns:
            seen = fired.inputs.get("equity") or fired.inputs["equity_high"]
            assert (seen.value or ZERO) <= (fired.inputs["limit"].value or ZERO) <= limit

    play(steps, check)


def test_a_tick_costs_the_same_with_ten_trades_and_ten_thousand() -> None:
    looks = {count: looks_of_one_tick(count) for count in (10, 10_000)}

    assert looks[10] == looks[10_000] == 1


def looks_of_one_tick(count: int) -> int:
    """Return how many prices one tick looks at, and sums it moves, with `count` trades of one ticker."""
    accounts = Accounts(*(a_holding(f"t{number}", "1") for number in range(count)))
    accounts.tick(a_quote(1, "0.60", "0.62"))
    moves: list[object] = []
    (holding,) = accounts.engine._accounts._holdings.all()
    move = Worth.move

    def counted(*args: Any) -> None:
        moves.append(args)
        move(*args)

    assert len(holding.quantities) == 1
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Worth, "move", counted)
        accounts.tick(a_quote(2, "0.59", "0.62"))
    return len(moves)

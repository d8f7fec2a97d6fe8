"""After any sequence of words: each open trade has one coverage, and it is what somebody who looks at everything would say."""

from collections.abc import Iterator

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actors.rules.coverage.outlook import Outlook
from actors.rules.coverage.verdict import verdict
from actors.rules.market.freshness import STALE_REASONS
from bus.messages.market import Tick
from bus.messages.trades import Coverage, Side, StopSpec, Trade, TradeState, Waiver
from bus.messages.units import NS_PER_S, ZERO
from tests.rules.coverage.builders import Board
from tests.rules.stops.builders import T0, a_beat, a_momentum, a_price, a_probability, a_quote, a_trade, stop

CALM = settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.too_slow])
"""The machine may be busy."""
TICKERS = ("A", "B")
TIMES = st.sampled_from([0, 0, 0.5, 1, 4, 11, 16, 31, 45])
PRICES = st.sampled_from([None, "0.05", "0.40", "0.60", "0.95"])
SOURCES = st.sampled_from(["kalshi", None])
RULES: tuple[StopSpec, ...] = (
    stop("price", stop_price="0.30", max_quote_disagreement="0.18"),
    stop("price", stop_price="0.30", min_age_s=20),
    stop("loss", max_loss=3, min_time_to_close_s=30),
    stop("probability", floor_percent=25, max_quote_disagreement="0.18"),
    stop("momentum", threshold_percent="0.35"),
    stop("buffer", min_buffer=50),
    stop("time", close_before_s=10),
    stop("stale", policy="alert"),
)
QUOTES = st.builds(
    lambda ticker, source, prices: a_quote(
        0, prices[0], prices[1], no_bid=prices[2], no_ask=prices[3], ticker=ticker, source=source
    ),
    st.sampled_from(TICKERS),
    SOURCES,
    st.tuples(PRICES, PRICES, PRICES, PRICES),
)
TICKS = st.one_of(
    QUOTES,
    QUOTES,
    st.builds(
        lambda ticker, percent: a_probability(0, percent, ticker=ticker),
        st.sampled_from(TICKERS),
        st.sampled_from([10, 60]),
    ),
    st.builds(lambda value: a_momentum(0, value), st.sampled_from(["0.1", "0.2"])),
    st.builds(lambda value: a_price(0, value), st.sampled_from([119_000, 120_000])),
    st.builds(lambda silence: a_beat(0, max_silence_s=silence), st.sampled_from([5, 30])),
)
SELDOM = st.integers(0, 9).map(lambda number: number == 7)


def a_covered_trade(
    number: int, ticker: str, side: Side, specs: set[int], *, closing: bool, ended: bool, waived: bool, close_s: int
) -> Trade:
    return a_trade(
        *(RULES[each] for each in sorted(specs)),
        trade_id=f"t{number}",
        ticker=ticker,
        side=side,
        close_wanted=a_trade().open_quantity if closing else None,
        state=TradeState.CLOSED if ended else TradeState.OPEN,
        open_quantity=ZERO if ended else a_trade().open_quantity,
        waiver=Waiver(by="ann", reason="test", until_ns=T0 + 40 * NS_PER_S) if waived else None,
        close_ts=T0 + close_s * NS_PER_S,
    )


TRADES = st.builds(
    a_covered_trade,
    st.integers(0, 4),
    st.sampled_from(TICKERS),
    st.sampled_from([Side.YES, Side.NO]),
    st.sets(st.integers(0, len(RULES) - 1), min_size=1, max_size=2),
    closing=SELDOM,
    ended=SELDOM,
    waived=SELDOM,
    close_s=st.sampled_from([60, 3600]),
)
Story = list[tuple[float, Tick | Trade]]
OPENINGS = st.lists(st.tuples(st.just(0), TRADES), min_size=2, max_size=4)
STORIES = st.builds(
    lambda opening, rest: opening + rest,
    OPENINGS,
    st.lists(st.tuples(TIMES, st.one_of(TICKS, TICKS, TICKS, TRADES)), min_size=4, max_size=16),
)


def play(board: Board, story: Story) -> Iterator[dict[str, Trade]]:
    """Let the words of `story` come one after the other; yield the trades as they were said last, after each."""
    trades: dict[str, Trade] = {}
    for wait_s, word in story:
        now_ns = board.now_ns + int(wait_s * NS_PER_S)
        dated = msgspec.structs.replace(word, ts=now_ns)
        if isinstance(dated, Trade):
            board.run_to(now_ns)
            board.hear(dated)
            trades[dated.trade_id] = dated
        else:
            board.tick(dated)
        yield trades


def naive_look(board: Board, trade: Trade) -> tuple[Coverage, str]:
    """What somebody would say who looks at everything anew."""
    outlook = Outlook("naive", trade, board.engine._book, "sell")
    outlook.look(board.now_ns)
    found = verdict(trade, outlook.reasons, board.now_ns)
    return found.coverage, found.why


def worded(coverage: tuple[Coverage, str]) -> tuple[Coverage, str]:
    """A stale input that goes stale for a second reason is no news: all of them are one here."""
    return (coverage[0], "stale" if coverage[1] in STALE_REASONS else coverage[1])


@CALM
@given(STORIES)
def test_each_open_trade_is_covered_as_a_naive_look_would_have_it(story: Story) -> None:
    """S9, Lesson 16"""
    board = Board()

    for trades in play(board, story):
        for trade in trades.values():
            if trade.open_quantity:
                said = board.of(trade.trade_id)
                assert said is not None
                assert worded(said) == worded(naive_look(board, trade))


@CALM
@given(STORIES)
def test_what_is_let_go_leaves_nothing_behind(story: Story) -> None:
    board = Board()
    *_, trades = play(board, story)

    for trade in trades.values():
        board.hear(msgspec.structs.replace(trade, state=TradeState.CLOSED, open_quantity=ZERO, ts=board.now_ns))

    engine, outlooks = board.engine, board.engine._outlooks
    assert not any((board.timers, engine._trades, engine._told, outlooks._of, outlooks._by_key, outlooks._by_name))
    assert not any((*outlooks._at.values(), outlooks._silent_of))


@CALM
@given(STORIES)
def test_the_same_words_say_the_same(story: Story) -> None:
    """S13: an engine is a function of its inbox."""
    first, second = Board(), Board()

    list(play(first, story))
    list(play(second, story))

    assert first.said == second.said

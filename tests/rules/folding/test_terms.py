"""What stops use decides what must be kept of a flood for them."""

from decimal import Decimal

import pytest

from actors.rules.folding.terms import FoldTerms, touched, trade_of, widened
from bus.messages.market import Momentum, Probability, Quote, SpotPrice
from bus.messages.stops import StopCheckWanted
from bus.messages.trades import Side, Trade
from bus.messages.units import NS_PER_S
from tests.rules.stops.builders import COIN, SYMBOL, TICKER, a_coin_trade, a_trade, stop

D = Decimal
PLAIN = a_trade(stop("price", stop_price="0.45"), general={"crossed_max_s": 0})
DEMANDING = a_trade(
    stop("trailing", trail="0.05", activate_at="0.70", confirm_ticks=3, max_quote_disagreement="0.03"),
    stop("probability", floor_percent=40, dwell_s=5, confirm_ticks=2),
    general={"crossed_max_s": 4, "max_spread": "0.05"},
)
WIDE = FoldTerms(
    confirms=frozenset({1, 2, 3}),
    limits=frozenset({D("0.03")}),
    patiences=frozenset({0, 4 * NS_PER_S}),
    spreads=frozenset({D("0.05")}),
    activations=frozenset({D("0.70")}),
    trails=True,
    dwells=True,
)


def test_terms_hold_all_that_any_stop_of_a_trade_uses() -> None:
    assert widened(FoldTerms(), DEMANDING) == WIDE


def test_a_plain_stop_asks_for_nothing_more() -> None:
    terms = FoldTerms()

    assert widened(terms, PLAIN) is terms


def test_what_was_used_once_is_kept() -> None:
    other = a_trade(
        stop("probability", floor_percent=40, confirm_ticks=5, activate_at="0.8", max_quote_disagreement="0.01"),
        general={"crossed_max_s": 1, "max_spread": "0.10"},
    )

    assert widened(WIDE, other) == FoldTerms(
        confirms=frozenset({1, 2, 3, 5}),
        limits=frozenset({D("0.01"), D("0.03")}),
        patiences=frozenset({0, 1 * NS_PER_S, 4 * NS_PER_S}),
        spreads=frozenset({D("0.05"), D("0.10")}),
        activations=frozenset({D("0.70"), D("0.8")}),
        trails=True,
        dwells=True,
    )


def test_a_spread_that_is_off_has_no_limit() -> None:
    trade = a_trade(stop("probability", floor_percent=40), general={"crossed_max_s": 0, "max_spread": "none"})

    assert widened(FoldTerms(), trade) == FoldTerms(spreads=frozenset({None}))


def test_a_dwell_of_nothing_is_none() -> None:
    trade = a_trade(stop("price", stop_price="0.45", dwell_s=0), general={"crossed_max_s": 0})

    assert not widened(FoldTerms(), trade).dwells


OWN = (Quote, TICKER), (Probability, TICKER)


@pytest.mark.parametrize(
    ("trade", "inputs"),
    [
        (a_trade(), (*OWN, (SpotPrice, SYMBOL), (Momentum, SYMBOL))),
        (a_trade(symbol=None), OWN),
        (
            a_coin_trade(symbol=SYMBOL),
            tuple(
                (kind, name)
                for kind, name in ((Quote, COIN), (Probability, COIN), (SpotPrice, SYMBOL), (Momentum, SYMBOL))
            ),
        ),
        (
            a_coin_trade(side=Side.SHORT, symbol=None),
            ((Quote, COIN), (Probability, COIN), (SpotPrice, COIN), (Momentum, COIN)),
        ),
    ],
)
def test_a_trade_is_judged_by_its_own_market_and_its_underlying(trade: Trade, inputs: tuple[object, ...]) -> None:
    assert touched(trade) == inputs


def test_a_wish_for_a_check_is_about_its_trade_and_any_other_word_about_none() -> None:
    wanted = StopCheckWanted(trade=PLAIN, now_ns=1)

    assert (trade_of(wanted), trade_of("a word")) == (PLAIN, None)
    assert (touched(wanted), touched("a word")) == (touched(PLAIN), ())

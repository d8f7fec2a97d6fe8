"""What an account holds, by which price it is worth what, and who looks at it again when a feed is back."""

import msgspec
import pytest

from actors.rules.account.holdings import Holding
from actors.rules.account.worth import Worth
from actors.rules.market.book import MarketBook
from actors.rules.market.marks import Reading
from actors.rules.market.sight import Sight
from bus.messages.timers import SetTimer
from bus.messages.trades import Side, TradeState
from tests.rules.account.builders import Accounts, D, a_balance, a_holding, a_pending, a_rule
from tests.rules.stops.builders import COIN, SYMBOL, TICKER, a_beat, a_coin_quote, a_coin_trade, a_price, a_quote, at

OTHER = "KXBTCD-OTHER"


def test_what_was_held_before_its_cash_was_stated_counts_from_then_on() -> None:
    """Else the first balance after a start would look like all that there is."""
    accounts = Accounts(a_holding(), cash=None).tick(a_quote(1, "0.60", "0.62")).wait(2)

    accounts.hear(a_balance(2, "1000"))

    assert accounts.standing.equity_low == 1600


def test_what_is_not_open_yet_is_not_looked_at() -> None:
    assert not Accounts(a_pending()).engine._accounts.holds_anything


def test_an_event_contract_is_never_worth_what_its_underlying_is() -> None:
    accounts = Accounts(a_holding()).tick(a_price(1, 119_000, symbol=SYMBOL))

    assert accounts.standing.why == f"never_fed of {a_holding().ticker}"


def test_a_linear_position_without_quotes_is_worth_what_its_symbol_is() -> None:
    accounts = Accounts(a_coin_trade(account="acc")).tick(a_price(1, 101, symbol=COIN))

    assert accounts.standing.equity_low == 1202


def test_a_short_that_nobody_offers_to_cover_may_cost_anything() -> None:
    accounts = Accounts(a_coin_trade(account="acc", side=Side.SHORT)).tick(a_coin_quote(1, "99", None))

    assert accounts.standing.why == f"no_ask of {COIN}"


def test_a_part_of_one_contract_has_its_ends_the_right_way_round() -> None:
    standing = Accounts(a_holding(quantity="0.5")).tick(a_quote(1, None, "0.60")).standing

    assert (standing.equity_low, standing.equity_high) == (D(1000), D("1000.30"))


def test_a_short_of_which_two_ends_are_known_owes_the_high_one_at_the_least_worth() -> None:
    holding = Holding("h", Sight(a_coin_trade(side=Side.SHORT), MarketBook(), "sell"))
    worth = Worth()

    worth.add(holding, D(-2), Reading("quote", D(90), D(100)))

    assert (worth.low, worth.high) == (D(-200), D(-180))


def test_a_tick_looks_at_the_holdings_of_its_ticker_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fault 40: others of the same feed cost nothing."""
    accounts = Accounts(a_holding(), a_holding("t2", ticker=OTHER))
    accounts.tick(a_quote(1, "0.60", "0.62"), a_quote(1, "0.60", "0.62", ticker=OTHER))
    looked: list[str] = []
    monkeypatch.setattr(Holding, "look", lambda holding, _now_ns: looked.append(holding.name))

    accounts.tick(a_quote(2, "0.61", "0.62", ticker=OTHER))

    assert looked == [OTHER]


def test_a_ticker_is_looked_at_once_whatever_underlying_its_trades_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fault 40"""
    accounts = Accounts(a_holding(), a_holding("t2", symbol="BITCOIN")).tick(a_quote(1, "0.60", "0.62"))
    looked: list[str] = []
    monkeypatch.setattr(Holding, "look", lambda holding, _now_ns: looked.append(holding.name))

    accounts.tick(a_quote(2, "0.61", "0.62"))

    assert looked == [TICKER]


def test_a_feed_that_is_back_lights_up_all_that_it_had_left_in_the_dark() -> None:
    """Fault 32"""
    accounts = Accounts(a_holding(), a_holding("t2", ticker=OTHER))
    accounts.tick(a_quote(1, "0.60", "0.62"), a_quote(1, "0.60", "0.62", ticker=OTHER)).wait(40)

    accounts.tick(a_beat(42))

    assert accounts.standing.equity_low == 2200


def test_a_feed_that_is_back_wakes_nothing_that_nobody_holds_any_more() -> None:
    held = a_holding()
    accounts = Accounts(held).tick(a_quote(1, "0.60", "0.62")).wait(40)
    accounts.hear(msgspec.structs.replace(held, version=9, state=TradeState.CLOSED, open_quantity=D(0), ts=at(41)))

    accounts.tick(a_beat(42)).wait(50)

    assert [word.due_ns for word in accounts.said if isinstance(word, SetTimer) and ":holding:" in word.key] == [
        at(31) + 1
    ]


def test_two_accounts_that_hold_the_same_are_both_judged_by_one_look() -> None:
    accounts = Accounts(a_rule(account="b"), a_balance(0, "1000", "b"), a_holding(), a_holding("t2", account="b"))

    accounts.tick(a_quote(1, "0.60", "0.62"), a_quote(2, "0.10", "0.62"))

    assert {fired.account for fired in accounts.drawdowns} == {"acc", "b"}

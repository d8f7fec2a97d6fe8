"""An equity of which only the ends are known, and how it is told."""

from decimal import Decimal

from tests.rules.account.builders import Accounts, D, a_holding
from tests.rules.stops.builders import a_quote

# 1000 dollars of cash and 1000 contracts: at 0.60 the equity is 1600 and the limit 1120.


def test_a_drawdown_by_a_book_without_bids_names_both_ends_of_the_equity() -> None:
    accounts = Accounts(a_holding()).tick(a_quote(1, "0.60", "0.62"), a_quote(2, None, "0.10"))

    (fired,) = accounts.drawdowns
    values = {name: given.value for name, given in fired.inputs.items()}
    assert values == {"equity_low": 1000, "equity_high": 1100, "high": 1600, "limit": 1120, "cash": 1000}


def test_a_book_whose_ask_alone_is_above_the_limit_fires_nothing() -> None:
    accounts = Accounts(a_holding()).tick(a_quote(1, "0.60", "0.62"), a_quote(2, None, "0.13"))

    assert accounts.drawdowns == []


def test_an_account_stands_with_its_cash_its_ends_its_high_and_its_limit() -> None:
    standing = Accounts(a_holding()).tick(a_quote(1, "0.60", "0.62"), a_quote(2, None, "0.50")).standing

    ends: tuple[Decimal | None, ...] = (standing.equity_low, standing.equity_high)
    assert (standing.drawdown, standing.cash, ends) == ("armed", D(1000), (D(1000), D(1500)))
    assert (standing.high, standing.limit) == (D(1600), D(1120))

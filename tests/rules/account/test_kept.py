"""What moves an account's cash, and what must survive of it."""

import msgspec
import pytest

from actors.rules.account.drawdown import Account, Claim, Equity
from actors.rules.account.movements import movements
from actors.rules.stops.engine import StopEngine
from bus.messages.accounts import AccountProgress, CashFlow, StatedBalance
from bus.messages.market import Result
from bus.messages.trades import Purpose, Trade, TradeState
from tests.rules.account.builders import Accounts, D, a_balance, a_fill, a_holding, a_pending, a_rule, filled
from tests.rules.stops.builders import a_quote, at

HELD = a_holding()
SOLD_HERE = msgspec.structs.replace(HELD, closed_quantity=D(400), open_quantity=D(600))


@pytest.mark.parametrize(
    ("before", "after", "key", "amount"),
    [
        (HELD, filled(HELD, a_fill(2, "400", "0.70", Purpose.CLOSE, fees="3")), "f-close", "277.00"),
        (HELD, filled(HELD, a_fill(2, "100", "0.70", fees="3")), "f-entry", "-73.00"),
        (HELD, msgspec.structs.replace(HELD, unpriced_quantity=D(1000), ts=at(2)), "outside:t1:1000", None),
        (
            SOLD_HERE,
            msgspec.structs.replace(
                SOLD_HERE, state=TradeState.SETTLED, result=Result.YES, settlement_fees=D(3), ts=at(2)
            ),
            "settled:t1",
            "597",
        ),
    ],
)
def test_what_a_change_of_a_trade_moves(before: Trade, after: Trade, key: str, amount: str | None) -> None:
    """A settlement pays for what was left, less its fees; what somebody else closed moves nobody knows how much."""
    assert movements(before, after) == [CashFlow(key=key, ts=at(2), amount=None if amount is None else D(amount))]
    assert movements(after, after) == []


def test_all_that_is_known_of_an_account_survives_a_restart() -> None:
    """Fault 41"""
    known = AccountProgress(
        account="acc", balance=D(1000), balance_ts=at(1), flows=(CashFlow(key="f", ts=at(2), amount=D(-6)),),
        aside=StatedBalance(balance=D(500), ts=at(3), heard_ns=at(4)), blind=True, high=D(1600), pending=D(-40), confirms=1,
        counted={"T": at(5)}, fired=True, fires=2, reset_ns=at(6), ts=at(7),
    )  # fmt: skip
    account = Account("acc")

    account.restore(known)

    assert account.progress() == known


def test_a_tick_that_stood_before_a_restart_confirms_itself_by_its_own_instant() -> None:
    account = Account("acc")
    account.restore(AccountProgress(account="acc", balance=D(0), high=D(1600), confirms=1, counted={"T": at(2)}))
    account.rule = a_rule(confirm_ticks=2)

    found = [account.judge(Equity(D(1), D(1)), None, at(second)) for second in (3, 4)]

    assert found == [Claim(wake_ns=at(4)), Claim(fires=True)]


def test_what_a_trade_moved_that_ended_after_the_last_commit_is_found_on_the_record() -> None:
    """Fault 41: nobody says it anew."""
    sold = filled(HELD, a_fill(2, "1000", "0.60", Purpose.CLOSE))
    kept = Accounts(HELD).tick(a_quote(1, "0.60", "0.60")).wait(1.5).commits[-1].account_progress[0]
    engine = StopEngine(started_ns=at(3))
    engine.handle(kept)

    engine.remember([sold])

    again = Accounts(rule=a_rule(now_ns=at(3)), cash=None, engine=engine)
    assert again.wait(3).standing.cash == 1600


def test_a_trade_that_is_first_heard_of_when_it_has_ended_has_moved_the_cash() -> None:
    bought = filled(a_pending(), a_fill(1, "1000", "0.60"))

    accounts = Accounts(filled(bought, a_fill(2, "1000", "0.70", Purpose.CLOSE)))

    assert accounts.wait(3).standing.cash == 1100


def test_cash_that_moved_by_an_unknown_amount_says_so_until_it_is_stated_again() -> None:
    accounts = Accounts(HELD).tick(a_quote(1, "0.60", "0.60"))
    accounts.hear(
        msgspec.structs.replace(
            HELD, version=4, state=TradeState.CLOSED, open_quantity=D(0), unpriced_quantity=D(1000), ts=at(2)
        )
    )
    unknown = accounts.wait(2).standing.why
    accounts.hear(a_balance(3, "1600"))

    assert (unknown, accounts.wait(3).standing.drawdown) == ("somebody else's close at an unknown price", "armed")

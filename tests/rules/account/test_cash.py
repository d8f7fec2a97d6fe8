"""Cash: what is understood, what waits to be explained, and what nothing explains."""

from decimal import Decimal

import pytest

from actors.rules.account.cash import FLOWS_MAX, Cash
from bus.messages.accounts import CashFlow, StatedBalance
from bus.messages.units import NS_PER_S

D = Decimal
GRACE_NS = 60 * NS_PER_S
TOLERANCE = D(10)


def stated(cash: Cash, seconds: int, dollars: str) -> bool:
    balance = StatedBalance(balance=D(dollars), ts=seconds * NS_PER_S, heard_ns=seconds * NS_PER_S)
    return cash.state(balance, TOLERANCE, GRACE_NS)


def moved(cash: Cash, seconds: int, dollars: str) -> None:
    cash.move(CashFlow(key=f"f{seconds}", ts=seconds * NS_PER_S, amount=D(dollars)), TOLERANCE, GRACE_NS)


@pytest.fixture
def cash() -> Cash:
    """A thousand dollars at second 100."""
    cash = Cash()
    stated(cash, 100, "1000")
    return cash


def test_a_fill_moves_the_cash_before_any_balance_says_so(cash: Cash) -> None:
    moved(cash, 110, "-600")

    assert cash.amount == 400


def test_a_balance_that_holds_a_fill_takes_it_over(cash: Cash) -> None:
    moved(cash, 110, "-600")
    stated(cash, 120, "400")

    assert (cash.amount, cash.flows, cash.aside) == (D(400), {}, None)


def test_a_balance_that_does_not_hold_a_fill_yet_leaves_it_counted(cash: Cash) -> None:
    """Lesson 46: a balance that lags behind is no gain and no loss."""
    moved(cash, 110, "-600")
    stated(cash, 111, "1000")

    assert (cash.amount, cash.aside) == (D(400), None)


def test_a_balance_that_holds_some_of_the_fills_in_their_order_is_understood(cash: Cash) -> None:
    for second, dollars in ((110, "-600"), (111, "-100"), (112, "50")):
        moved(cash, second, dollars)
    stated(cash, 113, "300")

    assert (cash.amount, [flow.amount for flow in cash.flows.values()]) == (D(350), [D(50)])


def test_a_balance_ahead_of_its_fill_waits_until_the_fill_is_heard(cash: Cash) -> None:
    stated(cash, 111, "400")
    before = cash.amount
    moved(cash, 110, "-600")

    assert (before, cash.amount, cash.balance, cash.aside) == (D(1000), D(400), D(400), None)


def test_a_glitch_is_forgotten_with_the_next_balance(cash: Cash) -> None:
    """Lesson 46"""
    stated(cash, 111, "0")
    glitched = cash.amount
    stated(cash, 112, "1000")

    assert (glitched, cash.amount, cash.aside) == (D(1000), D(1000), None)


def test_a_balance_that_nothing_explains_keeps_its_first_hour_however_often_it_is_stated(cash: Cash) -> None:
    stated(cash, 111, "500")
    stated(cash, 112, "501")

    assert cash.aside is not None
    assert (cash.aside.balance, cash.aside.heard_ns) == (D(501), 111 * NS_PER_S)


def test_a_balance_older_than_one_that_waits_is_no_news(cash: Cash) -> None:
    stated(cash, 112, "500")

    assert not stated(cash, 111, "501")
    assert cash.aside is not None
    assert cash.aside.balance == 500


@pytest.mark.parametrize("second", [110, 120])
def test_what_nothing_explains_is_the_transfer_when_it_is_believed(cash: Cash, second: int) -> None:
    """A movement of the very instant of a balance is in it."""
    moved(cash, 110, "-600")
    stated(cash, second, "900")

    assert (cash.believe(), cash.amount) == (D(500), D(900))


def test_a_small_difference_is_a_gain_or_loss_of_its_own(cash: Cash) -> None:
    """Fees that nobody reports."""
    stated(cash, 120, "990")

    assert (cash.amount, cash.aside) == (D(990), None)


def test_an_older_balance_is_no_news(cash: Cash) -> None:
    assert not stated(cash, 99, "5")
    assert cash.amount == 1000


def test_a_second_balance_of_the_same_instant_is_no_news(cash: Cash) -> None:
    assert (stated(cash, 100, "1"), cash.amount, cash.aside) == (False, D(1000), None)


def test_money_that_is_not_there_after_the_grace_period_did_not_come(cash: Cash) -> None:
    moved(cash, 110, "600")
    stated(cash, 169, "1000")
    waited_for = cash.amount
    stated(cash, 170, "1000")

    assert (waited_for, cash.amount) == (D(1600), D(1000))


def test_a_movement_of_before_the_restart_is_counted_once(cash: Cash) -> None:
    moved(cash, 110, "-600")
    held = [CashFlow(key=f"f{second}", ts=second * NS_PER_S, amount=D(-1)) for second in (90, 100)]
    flows = [*held, *cash.flows.values()]
    cash.recover([*flows, CashFlow(key="f130", ts=130 * NS_PER_S, amount=D(7))])

    assert cash.amount == 407


def test_movements_beyond_the_limit_become_part_of_the_balance(cash: Cash) -> None:
    for second in range(200, 200 + FLOWS_MAX + 5):
        moved(cash, second, "1")

    assert (len(cash.flows), cash.amount) == (FLOWS_MAX, D(1000 + FLOWS_MAX + 5))


def test_movements_that_cancel_out_are_in_a_balance_of_the_instant_of_the_last_one(cash: Cash) -> None:
    moved(cash, 110, "-600")
    moved(cash, 111, "600")

    stated(cash, 111, "1000")

    assert (cash.amount, cash.flows) == (D(1000), {})


def test_what_moved_after_a_balance_that_waited_stays_counted_when_that_is_explained(cash: Cash) -> None:
    stated(cash, 111, "400")
    moved(cash, 112, "50")

    moved(cash, 110, "-600")

    assert (cash.amount, cash.balance, list(cash.flows)) == (D(450), D(400), ["f112"])


def test_of_too_many_movements_the_oldest_joins_the_balance_whenever_it_was_heard(
    cash: Cash, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fault 40"""
    monkeypatch.setattr("actors.rules.account.cash.FLOWS_MAX", 2)

    for second, dollars in ((112, "20"), (111, "1"), (113, "300")):
        moved(cash, second, dollars)

    assert (cash.balance, cash.ts, list(cash.flows)) == (D(1001), 111 * NS_PER_S, ["f112", "f113"])


def test_after_somebody_elses_close_nothing_on_the_record_makes_the_cash_known_again(cash: Cash) -> None:
    cash.move(CashFlow(key="outside", ts=110 * NS_PER_S, amount=None), TOLERANCE, GRACE_NS)

    cash.recover([CashFlow(key="f111", ts=111 * NS_PER_S, amount=D(7))])

    assert cash.is_blind

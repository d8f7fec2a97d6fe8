"""What is said of an account, whole: the decision, how it stands, and what people read."""

import msgspec
import pytest

from bus.messages.accounts import EquityStanding
from bus.messages.notices import Notice, Severity
from bus.messages.stops import Guard, Input
from bus.messages.timers import SetTimer
from bus.messages.trades import TradeState
from tests.rules.account.builders import Accounts, D, a_balance, a_fill, a_holding, a_pending, a_rule, filled
from tests.rules.stops.builders import a_quote, at

# 1000 dollars of cash and 1000 contracts: at 0.60 the equity is 1600 and the limit 1120, which is reached at 0.12.


def test_a_decision_lists_its_inputs_each_with_its_age_and_the_count_that_let_it_pass() -> None:
    """Lesson 6"""
    accounts = Accounts(a_holding(), rule=a_rule(confirm_ticks=2)).tick(a_quote(1, "0.60", "0.62"))

    accounts.tick(a_quote(2, "0.10", "0.62")).tick(a_quote(3, "0.10", "0.62"), received=at(3.25))

    (fired,) = accounts.drawdowns
    now = {name: Input(value=D(value), ts=at(3), age_ms=250, source="account") for name, value in (("equity", 1100), ("high", 1600), ("limit", 1120))}  # fmt: skip
    assert fired.inputs == now | {"cash": Input(value=D(1000), ts=at(0), age_ms=3250, source="account")}
    assert fired.guards == (Guard(name="confirm_ticks", passed=True, value=D(2), limit=D(2)),)


def test_cash_of_a_clock_ahead_of_ours_is_of_now() -> None:
    """Fault 38"""
    accounts = Accounts(a_holding()).tick(a_quote(1, "0.60", "0.62"))
    accounts.hear(a_balance(9, "1001"))

    (fired,) = accounts.tick(a_quote(2, "0.10", "0.62")).drawdowns

    assert fired.inputs["cash"] == Input(value=D(1001), ts=at(9), age_ms=0, source="account")


def test_an_account_whose_rule_is_off_stands_with_its_cash_alone() -> None:
    accounts = Accounts(a_holding(), rule=a_rule(None)).tick(a_quote(1, "0.60", "0.62"))

    standing = accounts.standing

    assert standing == EquityStanding(account="acc", drawdown="off", ts=standing.ts, cash=D(1000))


def test_an_account_of_unknown_equity_stands_with_its_high_its_limit_and_the_reason() -> None:
    standing = Accounts(a_holding()).tick(a_quote(1, "0.60", "0.62"), a_quote(2, None, None)).standing

    assert standing == EquityStanding(
        account="acc", drawdown="not_armed", why=f"empty_book of {a_holding().ticker}", ts=standing.ts, cash=D(1000),
        high=D(1600), limit=D(1120),
    )  # fmt: skip


def test_a_rule_that_is_turned_off_while_all_is_quiet_is_told() -> None:
    accounts = Accounts(a_holding()).tick(a_quote(1, "0.60", "0.62")).wait(5)

    accounts.hear(a_rule(None, now_ns=at(5)))

    assert accounts.standing.drawdown == "off"


def notices_of(accounts: Accounts) -> list[Notice]:
    return [notice for commit in accounts.commits for notice in commit.notices]


@pytest.mark.parametrize(
    ("before", "after", "moved", "high"),
    [
        ("1000", "400", "600.00 dollars went out of acc", "400.00"),
        ("10", "10.50", "0.50 dollars went into acc", "10.50"),
    ],
)
def test_a_transfer_is_told_with_the_way_that_it_went_and_where_the_high_is_now(
    before: str, after: str, moved: str, high: str
) -> None:
    accounts = Accounts(cash=before, rule=a_rule(settle_grace_ns=0))
    accounts.hear(a_balance(1, after))

    (notice,) = notices_of(accounts.wait(2))
    assert notice == Notice(
        notice_id=f"transfer:acc:{notice.ts}", kind="transfer", severity=Severity.INFO, title=moved,
        body=f"No fill and no settlement explains this change of its cash, so it counts as a transfer: the high is now {high}, as"
        " far from the equity as before in percent. If it was a loss, lower the limit by hand: python run.py settings set "
        "drawdown.ratchet_percent=... --layer account --name acc",
        dedupe_key="transfer:acc", ts=notice.ts,
    )  # fmt: skip


def test_a_rule_without_cash_is_told_with_what_would_arm_it() -> None:
    (notice,) = notices_of(Accounts(a_holding(), cash=None))

    assert notice == Notice(
        notice_id=f"drawdown_not_armed:acc:{at(0)}", kind="drawdown_not_armed", severity=Severity.WARNING,
        title="The drawdown rule of acc is on, but its cash is not known",
        body="Nobody has published account.balance.acc: its equity is unknown, and the rule cannot fire. It is armed with the "
        "first balance.",
        dedupe_key="drawdown_not_armed:acc", ts=at(0),
    )  # fmt: skip


def test_of_an_account_whose_trades_have_ended_nobody_is_warned() -> None:
    held = a_holding()
    accounts = Accounts(held, rule=a_rule(None), cash=None)
    accounts.hear(msgspec.structs.replace(held, version=9, state=TradeState.CLOSED, open_quantity=D(0)))

    accounts.hear(a_rule())

    assert accounts.notices == []


def timers(accounts: Accounts, key: str) -> list[int]:
    return [word.due_ns for word in accounts.said if isinstance(word, SetTimer) and word.key == key]


def test_however_much_moves_one_timer_waits_to_tell_it() -> None:
    accounts = Accounts(a_holding()).tick(*(a_quote(0.01 * number, f"0.{30 + number}", "0.99") for number in range(9)))

    assert timers(accounts, "account:progress") == [at(0.25)]


def test_a_live_feed_costs_one_timer_for_each_way_of_holding_its_ticker() -> None:
    """Fault 40"""
    accounts = Accounts(a_holding()).tick(*(a_quote(1 + number, "0.60", "0.62") for number in range(20)))

    assert timers(accounts, "account:holding:1") == [at(31) + 1]


def test_a_claim_that_stands_asks_for_one_timer_though_it_is_heard_again() -> None:
    accounts = Accounts(a_holding(), rule=a_rule(confirm_ticks=3)).tick(a_quote(1, "0.60", "0.62"))

    accounts.tick(a_quote(2, "0.10", "0.62"), a_quote(2, "0.10", "0.62"), a_quote(2, "0.10", "0.62"))

    assert timers(accounts, "account:confirm:acc") == [at(4)]


def test_a_count_that_waits_for_ever_fires_by_its_ticks_only() -> None:
    accounts = Accounts(a_holding(), rule=a_rule(confirm_ticks=2, confirm_wait_ns=None))
    accounts.tick(a_quote(1, "0.60", "0.62"), a_quote(2, "0.10", "0.62"))

    stood = len(accounts.wait(25).drawdowns)
    accounts.tick(a_quote(26, "0.10", "0.62"))

    assert (stood, len(accounts.drawdowns)) == (0, 1)


def test_an_account_may_have_a_colon_in_its_name() -> None:
    """Its timers carry that name."""
    accounts = Accounts(a_rule(account="desk:7", confirm_ticks=2), a_balance(0, "1000", "desk:7"))
    accounts.hear(a_holding(account="desk:7"))
    accounts.tick(a_quote(1, "0.60", "0.62"), a_quote(2, "0.10", "0.62")).wait(4)

    assert [fired.account for fired in accounts.drawdowns] == ["desk:7"]


def test_a_fill_is_kept_though_it_moves_no_equity() -> None:
    """Fault 41: the cash after a restart holds it."""
    pending = a_pending()
    accounts = Accounts(pending).tick(a_quote(1, "0.60", "0.60")).wait(2)

    accounts.hear(filled(pending, a_fill(2, "1000", "0.60")))

    assert [flow.amount for flow in accounts.wait(4).commits[-1].account_progress[0].flows] == [D("-600.00")]


def test_a_trade_that_changes_without_moving_money_is_not_kept() -> None:
    accounts = Accounts(a_holding()).tick(a_quote(1, "0.60", "0.60")).wait(2)
    known = len(accounts.commits)

    accounts.hear(a_holding(version=9))

    assert accounts.wait(4).commits[known:] == []

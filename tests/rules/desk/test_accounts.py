"""What the desk does with accounts as wholes: it tells AutoStop their rule and cash, and acts when a drawdown fires."""

from decimal import Decimal
from typing import Any

import pytest

from actors.rules.desk.desk import Desk
from bus.messages.accounts import AccountProgress, AccountRules, DrawdownFired
from bus.messages.envelope import Received
from bus.messages.notices import Severity
from bus.messages.orders import Balance
from bus.messages.records import Commit
from bus.messages.stops import Guard, Input, StopSet
from bus.messages.system import SystemCommand, SystemEvent
from bus.messages.trades import TradeState
from tests.rules.desk.builders import (
    DEFAULTS,
    T0,
    S,
    a_change,
    a_close,
    a_command,
    a_desk,
    a_lifecycle,
    a_report,
    an_adopt,
    an_open,
    closes_of,
    code_of,
    commit_of,
    of_kind,
    received,
    reply_of,
    trade_of,
)

D = Decimal
ON = {
    "drawdown.enabled": True,
    "drawdown.ratchet_percent": "70",
    "drawdown.confirm_ticks": "2",
    "drawdown.settle_grace_s": "60",
}


def a_drawdown(account: str = "acc", number: int = 1) -> DrawdownFired:
    values = {"equity": "1100", "high": "1600", "limit": "1120", "cash": "1000"}
    return DrawdownFired(
        account=account,
        number=number,
        inputs={name: Input(value=D(value), ts=T0) for name, value in values.items()},
        guards=(Guard(name="confirm_ticks", passed=True, value=D(2), limit=D(2)),),
        settings_version=1,
        progress=AccountProgress(account=account, high=D(1600), fired=True, fires=number),
        now_ns=T0 + 2 * S,
    )


def holding(*trade_ids: str, **changes: Any) -> Desk:
    """A desk with open positions of the account `acc`."""
    desk = a_desk(**changes)
    for trade_id in trade_ids:
        desk.handle(received(an_adopt(trade_id, allow_immediate=True)))
    return desk


def an_order(verb: str, account: str | None = "acc") -> Received[Any]:
    command = SystemCommand(reason="so", requested_by="eve", account=account)
    return received(command, subject=f"system.request.{verb}")


def test_a_drawdown_begins_one_close_for_each_trade_of_its_account() -> None:
    desk = holding("t1", "t2")
    desk.handle(received(an_adopt("other", account="free", allow_immediate=True)))

    desk.handle(a_drawdown())

    states = {trade_id: trade_of(desk, trade_id).state for trade_id in ("t1", "t2", "other")}
    assert states == {"t1": TradeState.CLOSING, "t2": TradeState.CLOSING, "other": TradeState.OPEN}
    assert {trade_of(desk, trade_id).rule for trade_id in ("t1", "t2")} == {"drawdown"}


def test_each_close_has_its_decision_with_inputs_and_guards() -> None:
    commit = commit_of(holding("t1").handle(a_drawdown(number=3)))

    (decision,) = commit.decisions
    assert (decision.decision_id, decision.rule, decision.fired) == ("t1-drawdown-3", "drawdown", True)
    assert decision.inputs["equity"].value == 1100
    assert [guard.name for guard in decision.guards] == ["confirm_ticks"]


def test_closes_the_system_and_what_the_rule_knows_stand_in_one_commit() -> None:
    """S10: nothing of it stands without the rest."""
    commit = commit_of(holding("t1").handle(a_drawdown()))

    (event,) = commit.system
    assert (event.kind, event.account, event.requested_by) == ("reduce_only", "acc", "watchkeeper")
    assert [progress.fired for progress in commit.account_progress] == [True]
    assert [trade.trade_id for trade in commit.trades] == ["t1"]


def test_people_are_told_once_with_what_to_type() -> None:
    commit = commit_of(holding("t1", "t2").handle(a_drawdown()))

    (notice,) = [notice for notice in commit.notices if notice.severity is Severity.CRITICAL]
    assert notice.kind == "drawdown"
    assert "2 trades" in notice.title
    assert "system rebase --account acc" in notice.body


def test_afterwards_the_account_takes_no_new_risk_and_its_closes_go_on() -> None:
    """Lesson 20"""
    desk = holding("t1")
    desk.handle(a_drawdown())

    assert code_of(desk.handle(received(an_open("t9")))) == "halted"
    assert reply_of(desk.handle(received(a_close("t1"), subject="trade.request.close"))).ok


def test_a_drawdown_that_is_said_again_closes_nothing_twice() -> None:
    desk = holding("t1")
    desk.handle(a_drawdown())

    again = desk.handle(a_drawdown())

    assert [attempt.attempt for attempt in trade_of(desk).attempts] == [1]
    assert commit_of(again).decisions == ()
    assert [notice.kind for notice in commit_of(again).notices] == []


def test_a_trade_that_is_being_closed_keeps_its_close_and_notes_the_second_reason() -> None:
    """Fault 56"""
    desk = holding("t1")
    desk.handle(received(a_close("t1"), subject="trade.request.close"))

    desk.handle(a_drawdown())

    trade = trade_of(desk)
    assert (trade.close_reason, trade.attached, len(trade.attempts)) == ("enough", ("drawdown",), 1)


def test_an_entry_on_its_way_is_cancelled() -> None:
    desk = a_desk()
    desk.handle(received(an_open("t1")))

    commit = commit_of(desk.handle(a_drawdown()))

    assert [cancel.client_order_id for cancel in commit.cancels] == ["t1-entry-1"]


def test_what_awaits_its_settlement_is_left_to_it() -> None:
    desk = a_desk()
    desk.handle(received(an_open("t1", close_ts=T0 + 50 * S)))
    desk.handle(received(a_report("t1"), subject="order.report.t1-entry-1"))
    desk.handle(received(a_lifecycle("close", ts=T0 + 50 * S), received_ns=T0 + 60 * S))

    assert commit_of(desk.handle(a_drawdown())).decisions == ()


def test_an_account_without_trades_only_reduces() -> None:
    desk = a_desk()

    commit = commit_of(desk.handle(a_drawdown()))

    assert ([event.kind for event in commit.system], commit.decisions) == (["reduce_only"], ())


def test_a_thousand_trades_are_closed_in_commits_that_fit() -> None:
    desk = holding(*(f"t{number}" for number in range(1001)))

    said = desk.handle(a_drawdown())

    commits = [commit for commit in of_kind(said, Commit) if commit.decisions]
    assert [len(commit.decisions) for commit in commits] == [500, 500, 1]
    assert [len(commit.system) for commit in commits] == [1, 0, 0]
    assert all(trade.state is TradeState.CLOSING for trade in desk._state.blotter.live.values())


def test_no_close_leaves_before_its_price_is_known() -> None:
    assert closes_of(holding("t1").handle(a_drawdown())) == []


# What AutoStop is told


def test_a_balance_is_kept_and_told_after_the_rule_that_it_is_for() -> None:
    desk = a_desk(layers={("defaults", ""): DEFAULTS | ON})
    balance = Balance(account="new", ts=T0, balance=D(5))

    said = desk.handle(a_command(balance, subject="account.balance.new"))

    assert commit_of(said).balances == (balance,)
    told = [word for word in said if isinstance(word, AccountRules | Balance)]
    assert [type(word) for word in told] == [AccountRules, Balance]


def test_a_rule_is_told_at_the_start_and_with_the_first_trade_of_an_account() -> None:
    desk = a_desk(layers={("defaults", ""): DEFAULTS | ON}, accounts={"old": "paper"})

    started = of_kind(desk.start(T0), AccountRules)
    opened = of_kind(desk.handle(received(an_adopt("t1", allow_immediate=True))), AccountRules)
    again = of_kind(desk.handle(received(an_adopt("t2", allow_immediate=True))), AccountRules)

    assert [[rules.account for rules in told] for told in (started, opened, again)] == [["old"], ["acc"], []]
    assert (started[0].ratchet_percent, started[0].confirm_ticks, started[0].settle_grace_ns) == (D(70), 2, 60 * S)


def test_accounts_without_the_rule_are_told_nothing_of_it() -> None:
    assert of_kind(a_desk(accounts={"old": "paper"}).start(T0), AccountRules) == []


@pytest.mark.parametrize(("name", "told"), [("acc", ["acc"]), ("other", ["other"])])
def test_a_rule_that_is_turned_on_for_an_account_is_told_for_it_alone(name: str, told: list[str]) -> None:
    desk = a_desk(accounts={"acc": "paper", "other": "paper"})
    change = a_change(layer="account", name=name, changes=ON)

    said = desk.handle(received(change, subject="settings.request.set"))

    assert [rules.account for rules in of_kind(said, AccountRules)] == told


def test_a_rule_that_is_turned_off_is_told_as_off() -> None:
    desk = a_desk(layers={("defaults", ""): DEFAULTS | ON}, accounts={"acc": "paper"})
    desk.start(T0)

    said = desk.handle(received(a_change(changes={"drawdown.enabled": False}), subject="settings.request.set"))

    assert [rules.ratchet_percent for rules in of_kind(said, AccountRules)] == [None]


def test_a_rule_without_its_threshold_is_refused() -> None:
    """Lesson 9"""
    change = a_change(changes={"drawdown.enabled": True})

    assert code_of(a_desk().handle(received(change, subject="settings.request.set"))) == "setting_range"


@pytest.mark.parametrize("layer", ["strategy", "symbol"])
def test_a_layer_of_trades_cannot_hold_what_belongs_to_accounts(layer: str) -> None:
    change = a_change(layer=layer, name="x", changes=ON)

    assert code_of(a_desk().handle(received(change, subject="settings.request.set"))) == "setting_range"


def test_a_trade_cannot_carry_it() -> None:
    desk = holding("t1")
    word = StopSet(trade_id="t1", settings={"drawdown.ratchet_percent": "50"}, reason="r", requested_by="eve")

    assert code_of(desk.handle(received(word, subject="stop.request.set"))) == "setting_range"
    assert code_of(desk.handle(received(an_open("t2", stops=({"rule": "drawdown"},))))) == "unknown_setting"


@pytest.mark.parametrize("verb", ["halt", "reduce_only", "resume", "rebase"])
def test_what_a_person_orders_is_told_in_the_house(verb: str) -> None:
    said = a_desk().handle(an_order(verb, None))

    assert [event.kind for event in of_kind(said, SystemEvent)] == [verb]
    assert reply_of(said).ok


def test_a_rebase_resumes_nothing() -> None:
    desk = a_desk(reduce_only=frozenset({"acc"}))

    desk.handle(an_order("rebase"))

    assert code_of(desk.handle(received(an_open("t1")))) == "halted"

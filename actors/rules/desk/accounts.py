"""How the desk deals with accounts as wholes: it tells AutoStop their drawdown rule and their cash, and acts when that rule fires."""

from collections.abc import Iterable
from dataclasses import replace as with_changes
from decimal import Decimal
from functools import partial
from typing import Final

from msgspec.structs import replace

from actors.rules.desk import notices as desk_notices
from actors.rules.desk.commits import TRADES_MAX, Minutes
from actors.rules.desk.room import Rules
from actors.rules.desk.state import DeskState, minutes_of
from actors.rules.settings.layers import Values, is_enabled
from actors.rules.trade.late import WATCHKEEPER
from actors.rules.trade.steps import CloseWanted
from bus.messages.accounts import DRAWDOWN, AccountRules, DrawdownFired
from bus.messages.envelope import Received
from bus.messages.orders import Balance
from bus.messages.stops import StopDecision
from bus.messages.system import SystemEvent
from bus.messages.trades import Trade, TradeState
from bus.messages.units import ZERO, seconds_to_ns

_REASON: Final = f"stop {DRAWDOWN}"


def hear_balance(state: DeskState, received: Received[Balance], balance: Balance) -> list[object]:
    """Keep the cash of an account, and tell AutoStop."""
    minutes = minutes_of(received)
    minutes.balances.append(balance)
    tell_rules(state, minutes, [balance.account], state.rules)
    minutes.others.append(balance)
    return state.conclude(minutes)


def tell_rules(state: DeskState, minutes: Minutes, accounts: Iterable[str], rules: Rules) -> None:
    """Tell AutoStop the drawdown rule of these accounts, where it does not know it as it is under `rules`."""
    for account in accounts:
        told = state.account_rules.get(account)
        now = _account_rules(account, rules, minutes.now_ns)
        if told is None and now.ratchet_percent is None:
            continue
        if told is not None and replace(told, now_ns=now.now_ns) == now:
            continue
        minutes.others.append(now)
        minutes.effects.append(partial(state.account_rules.__setitem__, account, now))


def hear_drawdown(state: DeskState, fired: DrawdownFired) -> list[object]:
    """Close everything of an account, then let it only reduce; nothing holds it back, and nothing is closed twice."""
    concerned = [trade for trade in state.blotter.live.values() if _is_to_be_closed(trade, fired.account)]
    parts = [concerned[start : start + TRADES_MAX] for start in range(0, len(concerned), TRADES_MAX)] or [[]]
    said: list[object] = []
    for number, part in enumerate(parts):
        minutes = Minutes(now_ns=fired.now_ns, cause=f"{DRAWDOWN}:{fired.account}:{fired.number}")
        if number == 0:
            _begin_reducing(state, minutes, fired, len(concerned))
        for trade in part:
            decision = _decision(trade, fired)
            minutes.decisions.append(decision)
            state.tell(minutes, trade, CloseWanted(reason=_REASON, rule=DRAWDOWN, decision=decision))
        said += state.conclude(minutes)
    return said


def _is_to_be_closed(trade: Trade, account: str) -> bool:
    return trade.account == account and trade.state is not TradeState.EXPIRED and not _knows(trade)


def _knows(trade: Trade) -> bool:
    """Whether the close in effect has this reason already: the same drawdown is told again until it is answered."""
    return trade.close_wanted is not None and DRAWDOWN in (trade.rule, *trade.attached)


def _begin_reducing(state: DeskState, minutes: Minutes, fired: DrawdownFired, count: int) -> None:
    minutes.account_progress.append(fired.progress)
    if fired.account not in state.gate.reduce_only:
        minutes.notices.append(desk_notices.drawdown(fired, count))
    event = SystemEvent(
        kind="reduce_only",
        body=f"drawdown: {desk_notices.equity_in_words(fired)}",
        ts=fired.now_ns,
        account=fired.account,
        requested_by=WATCHKEEPER,
    )
    minutes.system.append(event)
    minutes.others.append(event)
    gate = with_changes(state.gate, reduce_only=state.gate.reduce_only | {fired.account})

    def close_gate() -> None:
        state.gate = gate

    minutes.effects.append(close_gate)


def _decision(trade: Trade, fired: DrawdownFired) -> StopDecision:
    return StopDecision(
        decision_id=f"{trade.trade_id}-{DRAWDOWN}-{fired.number}",
        trade_id=trade.trade_id,
        rule=DRAWDOWN,
        fired=True,
        inputs=fired.inputs,
        guards=fired.guards,
        settings_version=fired.settings_version,
        ts=fired.now_ns,
    )


def _account_rules(account: str, rules: Rules, now_ns: int) -> AccountRules:
    values = rules.resolver.of_account(account)
    wait = _number(values, "confirm_max_wait_s")
    return AccountRules(
        account=account,
        ratchet_percent=_number(values, f"{DRAWDOWN}.ratchet_percent") if is_enabled(values, DRAWDOWN) else None,
        confirm_ticks=int(_number(values, f"{DRAWDOWN}.confirm_ticks") or 1),
        confirm_wait_ns=None if wait is None else seconds_to_ns(wait),
        settle_grace_ns=seconds_to_ns(_number(values, f"{DRAWDOWN}.settle_grace_s") or ZERO),
        min_transfer_percent=_number(values, f"{DRAWDOWN}.min_transfer_percent") or ZERO,
        settings_version=rules.version,
        now_ns=now_ns,
    )


def _number(values: Values, key: str) -> Decimal | None:
    value = values.get(key)
    return value if isinstance(value, Decimal) else None

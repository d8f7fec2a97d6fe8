"""What the desk does with inputs that add risk while PostgreSQL is away: requests are refused, commands wait.

Whoever asks hears so at once and may ask again. A command was published for good, so it is kept unacknowledged and heard again
when PostgreSQL is back; LEDGER delivers only so many without an acknowledgement. What reduces risk is applied in memory.
"""

from dataclasses import replace as with_changes
from typing import Any

from msgspec.structs import replace

from actors.rules.desk.opens import STOP_CHECK, refused
from actors.rules.desk.room import refuse
from actors.rules.desk.state import DeskState
from actors.rules.trade.steps import OWNER, timer_key
from bus.messages.envelope import Received
from bus.messages.records import RecordAway, RecordBack
from bus.messages.settings import SettingsSet
from bus.messages.stops import StopDisarm, StopSet, StopWaive
from bus.messages.system import ErrorCode, SystemCommand
from bus.messages.timers import CancelTimer
from bus.messages.trades import TradeAdopt, TradeOpen


def adds_risk(received: Received[Any]) -> bool:
    """Whether an input opens something, loosens a stop, or lets others open something."""
    match received.message:
        case TradeAdopt():
            return False
        case TradeOpen() | StopDisarm() | StopSet() | StopWaive() | SettingsSet():
            return True
        case SystemCommand():
            return received.subject.endswith((".resume", ".rebase"))
        case _:
            return False


def put_off(state: DeskState, received: Received[Any]) -> list[object]:
    """Let a command wait, and refuse a request."""
    if received.delivery is not None:
        state.held.append(received)
        return []
    message = (
        "PostgreSQL is away: nothing that adds risk is taken on before it can be written. Closes go on. Ask again."
    )
    return refused(state, received, refuse(ErrorCode.UNAVAILABLE, message, retry=True))


def begin(state: DeskState, away: RecordAway) -> list[object]:
    """Take on no risk from now on; opens whose stops are still being checked are put off."""
    state.gate = with_changes(state.gate, record_away=True)
    checked, state.checks = state.checks, {}
    said: list[object] = []
    for trade_id, check in checked.items():
        said.append(CancelTimer(owner=OWNER, key=timer_key(trade_id, STOP_CHECK)))
        for received in (check.received, *check.also):
            said += put_off(state, replace(received, received_ns=max(received.received_ns, away.now_ns)))
    return said


def end(state: DeskState, back: RecordBack) -> list[object]:
    """Take on risk again; return the commands that have waited, to be heard as if they came now."""
    state.gate = with_changes(state.gate, record_away=False)
    held, state.held = state.held, []
    return [replace(received, received_ns=max(received.received_ns, back.now_ns)) for received in held]

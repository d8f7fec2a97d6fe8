"""Thresholds that nothing recorded has reached: told when the desk learns what was recorded, and when somebody sets one."""

from actors.rules.desk import notices as desk_notices
from actors.rules.desk.commits import Minutes
from actors.rules.desk.state import DeskState
from actors.rules.settings.layers import Layers
from actors.rules.settings.reachability import unreachable
from bus.messages.notices import Notice
from bus.messages.recording import RangesRecorded
from bus.messages.settings import Layer


def hear_ranges(state: DeskState, word: RangesRecorded) -> list[object]:
    """Keep what is recorded, and tell people which enabled thresholds none of it has reached (Lesson 7)."""
    state.recorded = word
    minutes = Minutes(now_ns=word.now_ns, cause=f"ranges:{word.now_ns}")
    minutes.notices += beyond_reach(state, state.layers, word.now_ns)
    return state.conclude(minutes) if minutes.notices else []


def beyond_reach(state: DeskState, layers: Layers, now_ns: int, only: tuple[Layer, str] | None = None) -> list[Notice]:
    """Return the notice of such thresholds in `layers`, `only` in one of them; none as long as nobody knows what was recorded."""
    if state.recorded is None:
        return []
    found = unreachable(layers, state.recorded.ranges, only)
    return [desk_notices.beyond_reach(found, state.recorded, now_ns)] if found else []

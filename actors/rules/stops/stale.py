"""The fail-safe: what a stale input does to a trade whose policy is `close`, and how it is kept from flattening a book."""

from collections import deque
from typing import Final

from actors.rules.stops.armed import ArmedRule, ArmedTrade
from actors.rules.stops.lenses import Lens
from bus.messages.stops import Rule
from bus.messages.units import NS_PER_S

_TIMER: Final = "stale"
_MINUTE_NS: Final = 60 * NS_PER_S


def closing_rule(armed: ArmedTrade) -> ArmedRule | None:
    """Return the stale rule of `armed` if it closes; None where it only alerts, or is off."""
    rule = armed.rule(Rule.STALE)
    return rule if rule is not None and rule.settings.get("policy") == "close" else None


class StaleCloses:
    """When stale inputs may close trades. started_ns: the last restart."""

    def __init__(self) -> None:
        self.started_ns: int | None = None
        self._closed: deque[int] = deque()

    def due_ns(self, rule: ArmedRule, now_ns: int) -> int | None:
        """Return when `rule` may fire: at `now_ns` or before, it fires now. None: never."""
        limit, since_ns = rule.number("stale_max_closes"), rule.armed.stale_ns
        if since_ns is None or limit == 0:
            return None
        due_ns = since_ns + (rule.span_ns("stale_grace_s") or 0)
        if self.started_ns is not None:
            due_ns = max(due_ns, self.started_ns + (rule.span_ns("feed_restart_grace_s") or 0))
        while self._closed and self._closed[0] + _MINUTE_NS <= now_ns:
            self._closed.popleft()
        if limit is not None and len(self._closed) >= limit:
            due_ns = max(due_ns, self._closed[-int(limit)] + _MINUTE_NS)
        return due_ns

    def note(self, armed: ArmedTrade, lenses: list[Lens], now_ns: int) -> list[object]:
        """Keep since when an input that `armed` looks at through `lenses` is stale; return the timer asked for, or let go."""
        since = [lens.stale_since_ns for lens in lenses if lens.stale_reason is not None]
        if not since:
            armed.stale_ns = None
            return [armed.cancel_timer(_TIMER)] if _TIMER in armed.timers else []
        if armed.stale_ns is None:
            armed.stale_ns = min(since)
        rule = closing_rule(armed)
        due_ns = None if rule is None else self.due_ns(rule, now_ns)
        return [] if due_ns is None or _TIMER in armed.timers else [armed.set_timer(_TIMER, due_ns)]

    def count(self, now_ns: int) -> None:
        """A stale input has closed a trade."""
        self._closed.append(now_ns)

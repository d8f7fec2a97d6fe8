"""What rules have counted, kept so that it survives a restart: on change, at most once in an interval."""

from typing import Final

from actors.rules.stops.armed import OWNER, ArmedRule, ArmedTrade
from actors.rules.stops.nearest import nearest_of
from actors.rules.stops.roster import Roster
from bus.messages.records import Commit
from bus.messages.timers import SetTimer

KEY: Final = "progress"


class ProgressLog:
    """Collects the rules that have counted something, and commits them together when its timer fires."""

    def __init__(self, roster: Roster, interval_ns: int) -> None:
        self._roster = roster
        self._interval_ns = interval_ns
        self._changed: dict[tuple[str, str], None] = {}
        """By trade and rule: a trade that changes meanwhile is armed anew, and goes on from what was counted."""
        self._asked = False

    def note(self, rule: ArmedRule, now_ns: int) -> list[object]:
        """`rule` has counted something; return the timer asked for, if none runs."""
        self._changed[_name(rule)] = None
        return self.ask(now_ns)

    def forget(self, rule: ArmedRule) -> None:
        """`rule` is committed already."""
        self._changed.pop(_name(rule), None)

    def close(self, armed: ArmedTrade, now_ns: int) -> list[object]:
        """The stops of a trade are judged no more, for now: keep all that is known of them at once, for it may end any moment."""
        for rule in armed.rules:
            self.forget(rule)
        kept = tuple(rule.keep(now_ns) for rule in armed.rules)
        cause = f"rest-{armed.trade.trade_id}-{now_ns}"
        return [Commit(sender=OWNER, cause=cause, now_ns=now_ns, progress=kept)] if kept else []

    def ask(self, now_ns: int) -> list[object]:
        """Something has moved, whatever it is; return the timer asked for, if none runs."""
        if self._asked:
            return []
        self._asked = True
        return [SetTimer(owner=OWNER, key=KEY, due_ns=now_ns + self._interval_ns)]

    def flush(self, now_ns: int) -> list[object]:
        """Return the commit of all that has changed since the last one, trailing bests included."""
        self._asked = False
        for rule in filter(None, (self._roster.rule(*name) for name in self._changed)):
            rule.nearest = nearest_of(rule, now_ns)
        moved, self._roster.moved = self._roster.moved, []
        for lens in self._roster.lenses.all():
            if lens.moved:
                moved += lens.take_moved()
        changed, self._changed = self._changed | dict.fromkeys(map(_name, moved)), {}
        rules = (self._roster.rule(*name) for name in changed)
        kept = tuple(rule.keep(now_ns) for rule in rules if rule is not None)
        if not kept:
            return []
        return [Commit(sender=OWNER, cause=f"progress-{now_ns}", now_ns=now_ns, progress=kept)]


def _name(rule: ArmedRule) -> tuple[str, str]:
    return rule.armed.trade.trade_id, rule.rule

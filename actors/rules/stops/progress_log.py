"""What rules have counted, kept so that it survives a restart: on change, at most once in an interval."""

from typing import Final

from actors.rules.stops.armed import OWNER, ArmedRule
from actors.rules.stops.roster import Roster
from bus.messages.records import Commit
from bus.messages.timers import SetTimer

KEY: Final = "progress"


class ProgressLog:
    """Collects the rules that have counted something, and commits them together when its timer fires."""

    def __init__(self, roster: Roster, interval_ns: int) -> None:
        self._roster = roster
        self._interval_ns = interval_ns
        self._changed: dict[ArmedRule, None] = {}
        self._asked = False

    def note(self, rule: ArmedRule, now_ns: int) -> list[object]:
        """`rule` has counted something; return the timer asked for, if none runs."""
        self._changed[rule] = None
        return self.ask(now_ns)

    def forget(self, rule: ArmedRule) -> None:
        """`rule` is committed already."""
        self._changed.pop(rule, None)

    def ask(self, now_ns: int) -> list[object]:
        """Something has moved, whatever it is; return the timer asked for, if none runs."""
        if self._asked:
            return []
        self._asked = True
        return [SetTimer(owner=OWNER, key=KEY, due_ns=now_ns + self._interval_ns)]

    def flush(self, now_ns: int) -> list[object]:
        """Return the commit of all that has changed since the last one, trailing bests included."""
        self._asked = False
        for lens in self._roster.lenses.all():
            if lens.moved:
                self._changed.update(dict.fromkeys(lens.take_moved()))
        changed, self._changed = self._changed, {}
        kept = tuple(rule.progress() for rule in changed if self._roster.knows(rule))
        if not kept:
            return []
        return [Commit(sender=OWNER, cause=f"progress-{now_ns}", now_ns=now_ns, progress=kept)]

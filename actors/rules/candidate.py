"""When an instance may take the lead: everything is there, and no leader has been heard for 3 s.

    wire up -> who leads? -> nobody listens at all        the lead is free at once: after a kill -9 nobody need wait
                          -> a leader answers, or beats   standby, until it has been silent for `SILENCE_NS`
                          -> nothing                      free after `SILENCE_NS`: a leader may be paused, or just starting
    PostgreSQL stays away for longer than we wait           free as ever, but to begin from the snapshot
    a leader says that it has stopped                     free at once
    another was faster                                    standby, as if it had been heard

To take the lead wrongly does no harm but a change of leader: the epoch decides, by compare-and-set. So this need be prompt and
not certain. One that wakes up late (it was paused itself) asks first: what the leader said meanwhile is still unread.

Instants are of a clock that only runs forward: a step of the wall clock must not make a leader seem silent (fault 38).
"""

from typing import Final

from bus.messages import lead
from bus.messages.timers import SetTimer, TimerFired
from bus.messages.units import NS_PER_MS, NS_PER_S

SILENCE_NS: Final = 3 * NS_PER_S
OWNER: Final = "candidate"
_ANSWER_NS: Final = 500 * NS_PER_MS
_LATE_NS: Final = 500 * NS_PER_MS
_PAUSES_NS: Final = (200 * NS_PER_MS, 400 * NS_PER_MS, 800 * NS_PER_MS, NS_PER_S)
"""Between two tries to reach a server: never longer, for it must be in use within 2 s of its return."""
_SILENCE: Final = "silence"
_RECORD: Final = "record"


class Candidate:
    """Hears who is there; says what to try. `why_not` tells people what it waits for.

    patience_ns: how long PostgreSQL may stay away before it begins without; None: it never does.
    """

    def __init__(self, patience_ns: int | None = None) -> None:
        self._patience_ns = patience_ns
        self._missing_since_ns: int | None = None
        self._wire_error: str | None = "not reached yet"
        self._record_error: str | None = "not reached yet"
        self._tries = 0
        self._leader: lead.InstanceHeard | None = None
        self._missed: str | None = None
        self._is_warm = False
        self._free_ns: int | None = None
        """From when on the lead may be taken; None: nothing is known, NATS is away."""

    @property
    def role(self) -> str:
        """What this instance is meanwhile."""
        return lead.STARTING if self._leader is None else lead.STANDBY

    @property
    def epoch(self) -> int:
        """The epoch of the leader that it hears; 0: it hears none."""
        return 0 if self._leader is None else self._leader.epoch

    def why_not(self) -> tuple[str, ...]:
        """Return what it waits for, in words; never empty before it leads."""
        waits = [f"waits for NATS: {self._wire_error}"] if self._wire_error is not None else []
        waits += [f"waits for PostgreSQL: {self._record_error}"] if self._record_error is not None else []
        if self._leader is not None:
            waits.append(f"stands by: {self._leader.instance} leads in epoch {self._leader.epoch}")
        if self._missed is not None:
            waits.append(self._missed)
        return tuple(waits) or ("no leader is heard: takes the lead as soon as that is certain",)

    def handle(self, word: object, now_ns: int) -> list[object]:  # noqa: C901  # one case for each word
        """Return what follows from `word`: `FindLeader`, `OpenRecord`, `WarmUp`, `TakeLead`, and timers."""
        match word:
            case lead.WireUp():
                self._wire_error = None
                return [lead.FindLeader(), *self._free_from(now_ns + SILENCE_NS, now_ns)]
            case lead.WireDown(why=why):
                self._wire_error, self._free_ns = why, None
                return []
            case lead.InstanceHeard(role=lead.LEADER) if self._is_newest(word):
                self._leader, self._missed = word, None
                return [*self._warm_up(), *self._free_from(now_ns + SILENCE_NS, now_ns)]
            case lead.InstanceHeard(role=lead.STOPPED) if self._is_newest(word):
                self._leader = None
                return self._free_from(now_ns, now_ns)
            case lead.NobodyHeard():
                self._leader = None
                return self._free_from(now_ns, now_ns)
            case lead.RecordOpened():
                self._record_error, self._missing_since_ns, self._tries = None, None, 0
                return [*self._warm_up(), *self._go(now_ns)]
            case lead.RecordMissing(why=why):
                self._record_error = why
                if self._missing_since_ns is None:
                    self._missing_since_ns = now_ns
                again = SetTimer(owner=OWNER, key=_RECORD, due_ns=now_ns + self._pause_ns())
                return [again, *self._go(now_ns)]
            case lead.SnapshotRefused(why=why):
                self._missed, self._patience_ns = f"cannot begin without PostgreSQL: {why}", None
                return []
            case lead.LeadMissed(why=why, rival=rival):
                return self._missed_it(why, now_ns, rival=rival)
            case TimerFired(key=key):
                return [lead.OpenRecord()] if key == _RECORD else self._break_silence(word, now_ns)
            case _:
                return []

    def _warm_up(self) -> list[object]:
        """There is time for it while another leads."""
        if self._is_warm or self._leader is None or self._record_error is not None:
            return []
        self._is_warm = True
        return [lead.WarmUp()]

    def _is_newest(self, heard: lead.InstanceHeard) -> bool:
        return self._leader is None or heard.epoch >= self._leader.epoch

    def _free_from(self, free_ns: int, now_ns: int) -> list[object]:
        """Let the lead be free from `free_ns` on, while NATS is there to say otherwise."""
        if self._wire_error is not None:
            return []
        self._free_ns = free_ns
        return self._go(now_ns)

    def _go(self, now_ns: int) -> list[object]:
        without = self._record_error is not None
        if self._free_ns is None or (without and not self._has_waited(now_ns)):
            return []
        if now_ns < self._free_ns:
            return [SetTimer(owner=OWNER, key=_SILENCE, due_ns=self._free_ns)]
        return [lead.TakeLead(without_record=without)]

    def _has_waited(self, now_ns: int) -> bool:
        """Whether PostgreSQL has been away for so long that trades need another guard."""
        if self._patience_ns is None or self._missing_since_ns is None:
            return False
        return now_ns - self._missing_since_ns >= self._patience_ns

    def _break_silence(self, fired: TimerFired, now_ns: int) -> list[object]:
        if self._free_ns is None or now_ns < self._free_ns:
            return self._go(now_ns)
        if now_ns - fired.due_ns > _LATE_NS:
            return [lead.FindLeader(), *self._free_from(now_ns + _ANSWER_NS, now_ns)]
        self._leader = None
        return self._go(now_ns)

    def _missed_it(self, why: str, now_ns: int, *, rival: bool) -> list[object]:
        self._missed = why
        if rival:
            return self._free_from(now_ns + SILENCE_NS, now_ns)
        return self._free_from(now_ns + self._pause_ns(), now_ns)

    def _pause_ns(self) -> int:
        """Return how long to wait before the next try, a longer time each time."""
        pause_ns = _PAUSES_NS[min(self._tries, len(_PAUSES_NS) - 1)]
        self._tries += 1
        return pause_ns

"""Whether NATS is there, and its streams are those on record: what people hear of it, and what is held back meanwhile.

An outage is said once it has lasted for `SAID_AFTER_NS`, for a restart is over before that, and once more when it is over. The
streams are looked at in a steady rhythm and after each reconnection:

    missing, made anew, or behind what it held     somebody has lost messages: an alarm, entries are halted until a person resumes
                                                    them, every account is compared with its venue (faults 13 and 14)
    other settings than it should have             an alarm (fault 14)
    70 % full                                      an alarm: it refuses what does not fit any more (fault 15)
    nothing is answered, look after look           an alarm: JetStream has been disabled, or hangs behind a server that does not (fault 15)

Each is said once, and again when it has ended. A stream that is missing is looked for twice: a cluster may not know it yet.
"""

from collections.abc import Mapping
from typing import Final

from actors.rules.notice_words import told
from actors.rules.transport import notices
from bus.messages.envelope import Received
from bus.messages.lead import WireDown, WireUp
from bus.messages.plain import to_json
from bus.messages.reconcile import VenuesUp
from bus.messages.records import CommitRefused
from bus.messages.streams import StreamsSeen, StreamStanding, StreamsWanted
from bus.messages.system import SystemCommand
from bus.messages.timers import SetTimer, TimerFired
from bus.messages.units import NS_PER_S

OWNER: Final = "transport"
"""The timers' owner, and the sender of what is kept."""
SAID_AFTER_NS: Final = 2 * NS_PER_S
_AGAIN_NS: Final = NS_PER_S
_AWAY: Final = "away"
_LOOK: Final = "look"
JETSTREAM: Final = "JetStream"
_UNANSWERED_MAX: Final = 3
_ENOUGH_ROOM: Final = 5
"""Percent below the alarm before a stream counts as roomy again."""


class TransportWatch:
    """Hears the wire's states and the streams. created: of each stream on disk, by name, as it is on record."""

    def __init__(self, created: Mapping[str, str], *, interval_ns: int, fill_percent_max: int) -> None:
        self._created = dict(created)
        self._interval_ns = interval_ns
        self._fill_percent_max = fill_percent_max
        self._down: WireDown | None = None
        self._unanswered = 0
        self._is_said = False
        self._missing: set[str] = set()
        self._held: dict[str, int] = {}
        self._behind: dict[str, str] = {}
        self._alarms: dict[tuple[str, str], str] = {}

    def handle(self, word: object) -> list[object]:
        """Return what follows from `word`, in the order in which it is to be said."""
        match word:
            case WireDown():
                return self._go_down(word)
            case WireUp(now_ns=now_ns):
                return [*self._come_back(now_ns), *self._look(now_ns)]
            case TimerFired(key=key, now_ns=now_ns):
                return self._look(now_ns) if key == _LOOK else self._say_away(now_ns)
            case StreamsSeen(streams=streams, now_ns=now_ns):
                self._unanswered = 0
                answered = self._alarm(JETSTREAM, "silence", None, now_ns)
                return [*answered, *(said for stream in streams for said in self._judge(stream, now_ns))]
            case CommitRefused():
                return []
            case _:
                raise TypeError(f"nobody watches the transport for {type(word).__name__}")

    # The connection

    def _go_down(self, word: WireDown) -> list[object]:
        if self._down is not None:
            return []
        self._down = word
        return [SetTimer(owner=OWNER, key=_AWAY, due_ns=word.now_ns + SAID_AFTER_NS)]

    def _say_away(self, now_ns: int) -> list[object]:
        down = self._down
        if down is None or self._is_said or now_ns < down.now_ns + SAID_AFTER_NS:
            return []
        self._is_said = True
        return told(notices.away(down, now_ns), sender=OWNER)

    def _come_back(self, now_ns: int) -> list[object]:
        down, self._down = self._down, None
        was_said, self._is_said = self._is_said, False
        self._unanswered = 0
        return told(notices.back(down, now_ns), sender=OWNER) if down is not None and was_said else []

    # The streams

    def _look(self, now_ns: int) -> list[object]:
        said = []
        if self._down is None:
            if self._unanswered >= _UNANSWERED_MAX:
                said = self._alarm(JETSTREAM, "silence", f"it has left {self._unanswered} looks unanswered", now_ns)
            self._unanswered += 1
        return [
            *said,
            StreamsWanted(now_ns=now_ns),
            SetTimer(owner=OWNER, key=_LOOK, due_ns=now_ns + self._interval_ns),
        ]

    def _judge(self, stream: StreamStanding, now_ns: int) -> list[object]:
        name = stream.name
        if stream.created is None and name not in self._missing:
            self._missing.add(name)
            return [SetTimer(owner=OWNER, key=_LOOK, due_ns=now_ns + _AGAIN_NS)]
        loss = self._loss(stream)
        said = self._alarm(name, "loss", loss, now_ns)
        if said and loss is not None:
            said += [_halt(name, loss, now_ns), VenuesUp(now_ns=now_ns)]
        if stream.created is not None:
            self._missing.discard(name)
            said += self._alarm(name, "drift", "; ".join(stream.drift) or None, now_ns)
            said += self._alarm(name, "fill", self._fullness(stream), now_ns)
        return said

    def _loss(self, stream: StreamStanding) -> str | None:
        name, known, held = stream.name, self._created.get(stream.name), self._held.get(stream.name, 0)
        if stream.created is None:
            return f"it is missing; on record is the one made at {known}"
        if known is not None and stream.created != known:
            return f"it was made anew at {stream.created}; on record is the one made at {known}"
        if stream.last_sequence < held:
            self._behind[name] = f"it ended at message {stream.last_sequence} and had held {held} before"
        self._held[name] = max(held, stream.last_sequence)
        # What was lost so does not come back by new messages.
        return self._behind.get(name)

    def _fullness(self, stream: StreamStanding) -> str | None:
        limit = self._fill_percent_max - (_ENOUGH_ROOM if (stream.name, "fill") in self._alarms else 0)
        return f"{stream.fill_percent} % of what it may hold is taken" if stream.fill_percent >= limit else None

    def _alarm(self, name: str, kind: str, why: str | None, now_ns: int) -> list[object]:
        """Say an alarm once, whatever its words become meanwhile, and once more that it has ended."""
        key = (name, kind)
        if why is None:
            return (
                told(notices.well(name, kind, self._alarms.pop(key), now_ns), sender=OWNER)
                if key in self._alarms
                else []
            )
        is_new = key not in self._alarms
        self._alarms[key] = why
        return told(notices.alarm(name, kind, why, now_ns), sender=OWNER) if is_new else []


def _halt(name: str, why: str, now_ns: int) -> Received[SystemCommand]:
    """Return the halt as if a person had asked for it: it stands on record, survives a restart, and is ended by a person."""
    command = SystemCommand(reason=f"stream {name}: {why}", requested_by="watchkeeper")
    key = f"halt:{name}:{now_ns}"
    return Received(
        message=command,
        subject="system.request.halt",
        key=key,
        digest=key,
        body=to_json(command),
        received_ns=now_ns,
    )

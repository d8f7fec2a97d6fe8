"""Whether PostgreSQL takes what is decided, and what people and the rest of the house hear of it.

An outage begins with the first batch that it does not take and ends when nothing waits any more. The house hears at once, since
from then on it takes on no risk; people hear once it has lasted for `SAID_AFTER_NS`, because a restart is over before that.
"""

from typing import Final

from actors.rules.notice_words import told
from bus.messages.notices import Notice, Severity
from bus.messages.records import RecordAway, RecordBack
from bus.messages.timers import SetTimer
from bus.messages.units import NS_PER_MS, NS_PER_S

OWNER: Final = "database"
"""The timers' owner, and the sender of what it keeps."""
RETRY: Final = "retry"
RETRY_NS: Final = 200 * NS_PER_MS
SAID_AFTER_NS: Final = 2 * NS_PER_S


class Outage:
    """One outage after the other. Each method returns what is to be said, in order."""

    def __init__(self) -> None:
        self._since_ns: int | None = None
        self._is_said = False

    @property
    def is_on(self) -> bool:
        """Whether PostgreSQL is away, or has not yet taken all that waited."""
        return self._since_ns is not None

    def failed(self, error: str, waiting: int, now_ns: int) -> list[object]:
        """PostgreSQL has not taken the oldest of `waiting` commits."""
        said: list[object] = [SetTimer(owner=OWNER, key=RETRY, due_ns=now_ns + RETRY_NS)]
        if self._since_ns is None:
            self._since_ns = now_ns
            said.append(RecordAway(error=error, now_ns=now_ns))
        if not self._is_said and now_ns - self._since_ns >= SAID_AFTER_NS:
            self._is_said = True
            said += told(_away(self._since_ns, error, waiting, now_ns), sender=OWNER)
        return said

    def caught_up(self, now_ns: int) -> list[object]:
        """Nothing waits any more."""
        since_ns, self._since_ns = self._since_ns, None
        was_said, self._is_said = self._is_said, False
        if since_ns is None:
            return []
        return [RecordBack(now_ns=now_ns), *(told(_back(since_ns, now_ns), sender=OWNER) if was_said else [])]


def _away(since_ns: int, error: str, waiting: int, now_ns: int) -> Notice:
    return Notice(
        notice_id=f"database_away:{since_ns}",
        kind="database_away",
        severity=Severity.CRITICAL,
        title="PostgreSQL takes nothing",
        body=f"{error[:1000].rstrip('.')}. Stops fire and closes leave all the same; no new trade is taken. {waiting} decisions "
        "wait in memory and are written, in order, when it returns. Type: python run.py check",
        dedupe_key="database_away",
        ts=now_ns,
    )


def _back(since_ns: int, now_ns: int) -> Notice:
    return Notice(
        notice_id=f"database_back:{since_ns}",
        kind="database_back",
        severity=Severity.INFO,
        title="PostgreSQL is back",
        body=f"It was away for {(now_ns - since_ns) // NS_PER_S} s. All that waited is written; new trades are taken again.",
        dedupe_key="database_back",
        ts=now_ns,
    )

"""What was heard before: the dedupe keys of inputs with the digest of their bodies, and the fills that are booked.

Bounded: the oldest is forgotten. PostgreSQL's unique keys stand behind it for what is older.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Final

from actors.rules.memory import remember

REMEMBERED_MAX: Final = 200_000


class Verdict(Enum):
    """What a dedupe key says of an input. CONFLICT: the same key with another body; the first stands."""

    NEW = "new"
    SAME = "same"
    CONFLICT = "conflict"


class Seen:
    """Remembers keys and fills, at most `limit` of each. `judge` changes nothing; `remember` does."""

    def __init__(
        self, keys: Mapping[str, str], fills: Iterable[tuple[str, str]] = (), *, limit: int = REMEMBERED_MAX
    ) -> None:
        self._limit = limit
        self._keys: OrderedDict[str, str] = OrderedDict(keys)
        self._fills: OrderedDict[tuple[str, str], str] = OrderedDict.fromkeys(sorted(fills), "")

    def judge(self, key: str, digest: str) -> Verdict:
        """Return whether (key, digest) is new, heard before, or contradicts what was heard before."""
        known = self._keys.get(key)
        if known is None:
            return Verdict.NEW
        return Verdict.SAME if known == digest else Verdict.CONFLICT

    def remember(self, key: str, digest: str) -> None:
        """Remember an input that has had its effect."""
        remember(self._keys, key, self._keys.get(key, digest), self._limit)

    def booked_on(self, account: str, fill_id: str) -> str | None:
        """Return the trade on which a fill is booked; empty: on one of before the start; None: on none."""
        return self._fills.get((account, fill_id))

    def book(self, account: str, fill_id: str, trade_id: str) -> None:
        """Remember that a fill is booked on a trade."""
        remember(self._fills, (account, fill_id), trade_id, self._limit)

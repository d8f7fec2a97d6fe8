"""One account: what is not agreed there, since when, and what is known of the fills of others."""

from collections.abc import Collection
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from actors.rules.reconcile.comparison import Difference
from actors.rules.reconcile.terms import AccountKey, Place
from bus.messages.orders import VenueFill
from bus.messages.reconcile import AccountStanding

SILENT_AFTER: Final = 3
"""Looks in a row without an answer after which an account that agreed does not count as agreed any more."""
_FOREIGN_MAX: Final = 10_000
_TOLD_MAX: Final = 20


@dataclass(slots=True)
class Suspect:
    """A difference, and when the look that found it first began. is_confirmed: a later look has found the very same."""

    difference: Difference
    first_ns: int
    is_confirmed: bool = False


@dataclass(slots=True)
class Account:
    """How an account stands.

    began_ns: when agreement was last sought anew. seen_ns: up to when its fills were read. told_fills: those of the last look.
    is_blank: the last list was empty while our trades held several things; it stays in doubt for the last of them too.
    crossed: by ticker, how much our trades hold of both sides where they cancel each other, and since which look.
    foreign: fills of others that explain nothing yet, by id. problems: what people were told of, until everything agrees.
    """

    key: AccountKey
    began_ns: int
    answered: bool = False
    reconciled_ns: int | None = None
    seen_ns: int | None = None
    silent: int = 0
    is_blank: bool = False
    error: str = ""
    suspects: dict[Place, Suspect] = field(default_factory=dict)
    crossed: dict[str, tuple[Decimal, int]] = field(default_factory=dict)
    ghosts: set[str] = field(default_factory=set)
    told_fills: frozenset[str] = frozenset()
    foreign: dict[str, VenueFill] = field(default_factory=dict)
    problems: set[tuple[Place | None, str]] = field(default_factory=set)
    told: AccountStanding | None = None

    def begin(self, now_ns: int) -> None:
        """Seek agreement anew: what was found before may not hold any more, whether it agreed or not."""
        self.began_ns = now_ns
        self.answered = False
        self.silent = 0
        self.suspects.clear()
        self.crossed.clear()

    def suspect(self, place: Place, difference: Difference, looked_ns: int) -> int:
        """Take note of a difference; return for how long the very same has been found, nanoseconds."""
        known = self.suspects.get(place)
        if known is None or known.difference != difference:
            known = self.suspects[place] = Suspect(difference, looked_ns)
        return looked_ns - known.first_ns

    def note_foreign(self, fills: list[VenueFill]) -> None:
        """Remember fills of others; the oldest are forgotten."""
        for fill in fills:
            self.foreign.setdefault(fill.fill_id, fill)
        while len(self.foreign) > _FOREIGN_MAX:
            del self.foreign[next(iter(self.foreign))]

    def forget_foreign(self, found: Collection[Place], before_ns: int) -> None:
        """Forget fills of others made before `before_ns` on tickers that agree: whatever they did is in what agrees."""
        differing = {place.ticker for place in found}
        gone = [f.fill_id for f in self.foreign.values() if f.ts < before_ns and f.ticker not in differing]
        for fill_id in gone:
            del self.foreign[fill_id]

    def note_problem(self, place: Place | None, what: str = "") -> bool:
        """Remember that people are told of a problem; return whether they were not told of it yet."""
        is_new = (place, what) not in self.problems
        self.problems.add((place, what))
        return is_new

    def unresolved(self) -> tuple[str, ...]:
        """Return in words what keeps entries away."""
        words = []
        if self.silent and (not self.answered or self.silent >= SILENT_AFTER):
            words.append(f"the venue does not answer: {self.error}")
        elif not self.answered:
            words.append("the venue has not answered yet")
        # An account that agreed stays open to entries while a new difference is looked at again: positions lag behind fills.
        counting = [s for s in self.suspects.items() if s[1].is_confirmed or self.reconciled_ns is None]
        words += [_words(place, suspect.difference) for place, suspect in sorted(counting, key=lambda one: one[0])]
        words += [f"{order} works at the venue though no trade waits for it" for order in sorted(self.ghosts)]
        return tuple(words[:_TOLD_MAX])

    def standing(self, now_ns: int) -> AccountStanding | None:
        """Return how it stands if that is news."""
        unresolved = self.unresolved()
        if unresolved:
            self.reconciled_ns = None
        elif self.reconciled_ns is None:
            self.reconciled_ns = now_ns
        now = AccountStanding(
            venue=self.key.venue,
            account=self.key.account,
            began_ns=self.began_ns,
            answered=self.answered,
            now_ns=now_ns,
            unresolved=unresolved,
            reconciled_ns=self.reconciled_ns,
        )
        if self.told is not None and _same(self.told, now):
            return None
        self.told = now
        return now


def _same(told: AccountStanding, now: AccountStanding) -> bool:
    return (told.began_ns, told.answered, told.unresolved, told.reconciled_ns) == (
        now.began_ns, now.answered, now.unresolved, now.reconciled_ns,
    )  # fmt: skip


def _words(place: Place, difference: Difference) -> str:
    return (
        f"{place.side} {place.ticker}: the venue holds {difference.theirs:f}, our trades add up to {difference.ours:f}"
    )

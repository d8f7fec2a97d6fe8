"""What `system.request.status` tells: counted from what the actors say, never asked of them."""

from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from actors.rules.coverage.protection import Protection
from bus.messages.accounts import EquityStanding
from bus.messages.lead import TicksMissed
from bus.messages.notices import Notice
from bus.messages.reconcile import AccountStanding
from bus.messages.records import Commit
from bus.messages.stops import StopCoverage
from bus.messages.streams import StreamsSeen
from bus.messages.system import AccountHealth, ActorHealth, Status, SystemEvent
from bus.messages.trades import Trade
from bus.messages.units import NS_PER_S

EVERY: Final = "*"
"""In `Status.reduce_only`: all accounts."""


_ACCOUNTS_TOLD: Final = 50
_UNRESOLVED_TOLD: Final = 3
"""A message has its limit, and health is told every second."""
_URGENT: Final = ("fired", "not_armed", "armed", "off")


class StatusBoard:
    """Counts open trades by state and by coverage. Bounded by the number of trades that have not ended.

    quarantined: inputs that were not applied, since the start. unheard_ns: how long the house waits for a venue's first answer
    before it acts without one.
    """

    def __init__(
        self,
        *,
        instance: str,
        epoch: int,
        version: str,
        live_enabled: bool,
        is_halted: bool = False,
        unheard_ns: int = 0,
        reduce_only: Iterable[str] = (),
        protection: Protection | None = None,
    ) -> None:
        self.instance = instance
        self.epoch = epoch
        self._version = version
        self._live_enabled = live_enabled
        self._states: dict[str, str] = {}
        self.protection = protection or Protection()
        self._standings: dict[tuple[str, str], AccountStanding] = {}
        self._unheard_ns = unheard_ns
        self.is_watching = False
        """Set once the house has started every actor and every input flows."""
        self.is_halted = is_halted
        self._reduce_only = set(reduce_only)
        self._equity: dict[str, EquityStanding] = {}
        self._record_error: str | None = None
        self._without_record: tuple[str, ...] = ()
        self._wire_error: str | None = None
        self._fill: dict[str, int] = {}
        self.quarantined = 0
        self._missed_ticks = 0

    def note(self, word: Trade | StopCoverage | SystemEvent | AccountStanding | EquityStanding | Notice) -> None:
        """Take a change into account."""
        match word:
            case StopCoverage():
                self.protection.note_coverage(word, word.ts)
            case Notice():
                self.protection.note_notice(word)
            case AccountStanding():
                self._standings[word.venue, word.account] = word
            case EquityStanding():
                self._equity[word.account] = word
            case SystemEvent():
                self._note_system(word)
            case Trade():
                self._note_trade(word)

    def note_record(self, error: str | None) -> None:
        """Take into account that PostgreSQL takes nothing, and why; None: it does again, and nothing waits."""
        self._record_error = error

    def note_without_record(self, words: str) -> None:
        """Take into account that this house began without PostgreSQL, until the next one begins."""
        self._without_record = (words,)

    def note_wire(self, error: str | None) -> None:
        """Take into account that NATS is away, and why; None: it is there."""
        self._wire_error = error

    def note_missed(self, word: TicksMissed) -> None:
        """Take into account that market data went by unheard."""
        self._missed_ticks += word.count

    def note_streams(self, seen: StreamsSeen) -> None:
        """Take into account how full the streams are."""
        self._fill = {stream.name: stream.fill_percent for stream in seen.streams}

    def note_kept(self, commit: Commit) -> None:
        """Take into account what now stands on record."""
        self.quarantined += len(commit.quarantined)

    def note_refused(self) -> None:
        """Take into account a commit that the record refused: what it wanted is in quarantine."""
        self.quarantined += 1

    def status(self, actors: tuple[ActorHealth, ...], now_ns: int, account: str | None = None) -> Status:
        """Return the whole as it stands. account: the only one whose standing is told; None: as many as fit into a message."""
        protection = self.protection
        unprotected_ns = protection.unprotected_ns(now_ns)
        dead = tuple(_what_fails(actor) for actor in actors if not (actor.alive and actor.answers))
        away = () if self._wire_error is None else (f"NATS is away: {self._wire_error}",)
        why = (
            *away,
            *self._without_record,
            *(self._unheard(now_ns) if self.is_watching else ("not every input flows yet",)),
            *dead,
        )
        return Status(
            ready=not why,
            role="leader",
            instance=self.instance,
            epoch=self.epoch,
            version=self._version,
            ts=now_ns,
            level=self._level(),
            databases={"nats": _standing(self._wire_error), "postgres": _standing(self._record_error)},
            stream_fill_percent=self._fill,
            live_enabled=self._live_enabled,
            halted=self.is_halted,
            reduce_only=tuple(sorted(name or EVERY for name in self._reduce_only))[:_ACCOUNTS_TOLD],
            equity=self._equities(account),
            why_not_ready=why,
            actors=actors,
            trades=dict(Counter(self._states.values())),
            coverage=protection.counts(),
            accounts=self._accounts(account),
            quarantined=self.quarantined,
            missed_ticks=self._missed_ticks,
            unprotected_trade_seconds=str(_seconds(sum(unprotected_ns.values()))),
            unprotected_seconds={why: str(_seconds(ns)) for why, ns in sorted(unprotected_ns.items())},
            unprotected=dict(sorted(protection.unprotected().items())),
            unprotected_last_hour_seconds=str(_seconds(protection.last_hour_ns(now_ns))),
            unprotected_allowed_seconds=str(_seconds(protection.allowed_ns)),
            coverage_mismatches=protection.mismatches,
        )

    def _accounts(self, account: str | None) -> tuple[AccountHealth, ...]:
        """Return how accounts stand, those with something unresolved first."""
        chosen = sorted(
            (standing for standing in self._standings.values() if account in (None, standing.account)),
            key=lambda standing: (not standing.unresolved, standing.venue, standing.account),
        )
        return tuple(_health(standing) for standing in chosen[:_ACCOUNTS_TOLD])

    def _equities(self, account: str | None) -> tuple[EquityStanding, ...]:
        """Return what accounts are worth, those whose drawdown has fired first, then those whose rule cannot work."""
        chosen = sorted(
            (standing for standing in self._equity.values() if account in (None, standing.account)),
            key=lambda standing: (_URGENT.index(standing.drawdown), standing.account),
        )
        return tuple(chosen[:_ACCOUNTS_TOLD])

    def _level(self) -> str:
        if self._wire_error is not None:
            return "cascading"
        return "none" if self._record_error is None else "critical"

    def _unheard(self, now_ns: int) -> tuple[str, ...]:
        """Return which accounts still wait for their venue's first answer, closes with them."""
        return tuple(
            f"{word.venue} has not said yet what {word.account} holds"
            for word in self._standings.values()
            if not word.answered and now_ns < word.began_ns + self._unheard_ns
        )

    def _note_system(self, event: SystemEvent) -> None:
        match event.kind, event.account:
            case "halt", None:
                self.is_halted = True
            case "reduce_only", account:
                self._reduce_only.add(account or "")
            case "resume", None:
                self.is_halted = False
                self._reduce_only.clear()
            case "resume", account:
                self._reduce_only.discard(account)
            case _:
                pass

    def _note_trade(self, trade: Trade) -> None:
        self.protection.note_trade(trade, trade.ts)
        if trade.state.is_terminal:
            self._states.pop(trade.trade_id, None)
        else:
            self._states[trade.trade_id] = trade.state


def _seconds(ns: int) -> Decimal:
    return Decimal(ns) / NS_PER_S


def _health(standing: AccountStanding) -> AccountHealth:
    return AccountHealth(
        venue=standing.venue,
        account=standing.account,
        reconciled_ts=standing.reconciled_ns,
        unresolved=standing.unresolved[:_UNRESOLVED_TOLD],
    )


def _standing(error: str | None) -> str:
    return "up" if error is None else f"away: {error}"


def _what_fails(actor: ActorHealth) -> str:
    return f"{actor.name} has not answered yet" if actor.alive else f"{actor.name} is not alive"

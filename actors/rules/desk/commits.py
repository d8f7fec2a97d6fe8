"""What one word leads to: kept in commits, and said in the order that DESIGN idea 6 wants.

First what reduces risk and may not wait (closes, cancels), then the other direct messages, then the commits, then what the rest
of the house needs to know. A commit holds a trade once and at most `TRADES_MAX` of them; where several are needed, the first
holds what was changed for all, the last the proof of the input with its answer: an input whose last commit does not stand comes
again, and finds the trades of the first ones as it would leave them.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from actors.rules import notice_words
from actors.rules.trade.steps import OWNER, Step
from bus.messages import addresses
from bus.messages.accounts import AccountProgress
from bus.messages.envelope import Malformed, Message, Outgoing, Received
from bus.messages.notices import Notice
from bus.messages.orders import Balance, OrderCancel, OrderReport, OrderSubmit, Position, Settlement
from bus.messages.records import Answer, Commit, FillRow, InboxRow, JournalEntry, Quarantined
from bus.messages.settings import SettingsChanged
from bus.messages.stops import StopDecision
from bus.messages.system import Reply, SystemEvent
from bus.messages.trades import Trade

TRADES_MAX: Final = 500

Source = Received[Any] | Malformed | None


@dataclass(slots=True, kw_only=True)
class Minutes:
    """Collects what is decided about one word. Pure: `effects` are the changes of memory, made once everything is computed.

    source: the input, acknowledged and answered by the last commit. proof: its inbox row, if it had an effect.
    """

    now_ns: int
    cause: str
    source: Source = None
    proof: InboxRow | None = None
    answer: Answer | None = None
    changes: list[tuple[Trade | None, Step]] = field(default_factory=list)
    decisions: list[StopDecision] = field(default_factory=list)
    known: list[StopDecision] = field(default_factory=list)
    """Decisions that were told before: they are kept, and not said again."""
    notices: list[Notice] = field(default_factory=list)
    reports: list[OrderReport] = field(default_factory=list)
    positions: list[Position] = field(default_factory=list)
    balances: list[Balance] = field(default_factory=list)
    account_progress: list[AccountProgress] = field(default_factory=list)
    settlements: list[Settlement] = field(default_factory=list)
    settings: list[SettingsChanged] = field(default_factory=list)
    system: list[SystemEvent] = field(default_factory=list)
    quarantined: list[Quarantined] = field(default_factory=list)
    others: list[object] = field(default_factory=list)
    """Words for the house that need no commit."""
    effects: list[Callable[[], None]] = field(default_factory=list)
    has_left: bool = False
    """Whether what is urgent has been said."""

    def take(self, before: Trade | None, step: Step) -> None:
        """Take one decision about a trade; `before` is None for one that was not there."""
        self.changes.append((before, step))

    def prove(self, received: Received[Any]) -> None:
        """Let the inbox row of `received` stand with the rest."""
        delivery = received.delivery
        self.proof = InboxRow(
            key=received.key,
            digest=received.digest,
            subject=received.subject,
            body=received.body,
            received_ns=received.received_ns,
            stream=delivery.stream if delivery is not None else None,
            sequence=delivery.sequence if delivery is not None else None,
        )

    def quarantine(self, word: Received[Any] | Malformed, reason: str) -> None:
        """Keep the raw bytes of what is not applied."""
        delivery = word.delivery
        self.quarantined.append(
            Quarantined(
                subject=word.subject,
                body=word.body,
                reason=reason,
                received_ns=word.received_ns,
                stream=delivery.stream if delivery is not None else None,
                sequence=delivery.sequence if delivery is not None else None,
                key=word.key if isinstance(word, Received) else None,
            )
        )

    def reply(self, reply: Reply) -> None:
        """Answer whoever asked, if anybody did, once the last commit stands."""
        if self.source is not None and self.source.reply_to is not None:
            self.answer = Answer(reply_to=self.source.reply_to, reply=reply)

    def trades(self) -> list[Trade]:
        """Return the trades that changed, as they stand after it, in order."""
        return [step.trade for before, step in self.changes if step.trade is not before]

    def urgent(self) -> list[object]:
        """Return the closes and cancels, once: they may leave before the record of them is made."""
        if self.has_left:
            return []
        self.has_left = True
        steps = [step for _, step in self.changes]
        said: list[object] = [self._submit(s.trade.venue, order, direct=True) for s in steps for order in s.closes]
        return said + [self._cancel(s.trade.venue, cancel) for s in steps for cancel in s.cancels]

    def words(self) -> list[object]:
        """Return everything that is still to be said, in order."""
        said = self.urgent()
        steps = [step for _, step in self.changes]
        notices = self._notices()
        said += [outgoing for outgoing in (*self._decisions(), *map(notice_words.outgoing, notices)) if outgoing.direct]
        said += self._commits(notices)
        said += self.trades()
        for step in steps:
            said += [*step.timers, *step.marks, *step.questions]
        return [*said, *self.others, *notices]

    def _notices(self) -> list[Notice]:
        return [*(notice for _, step in self.changes for notice in step.notices), *self.notices]

    def _decisions(self) -> Iterator[Outgoing]:
        for decision in self.decisions:
            yield Outgoing(
                subject=addresses.stop_decision(decision.trade_id),
                msg_id=f"decision:{decision.decision_id}",
                message=decision,
                direct=decision.fired,
                cause=self.cause,
            )

    def _commits(self, notices: Sequence[Notice]) -> list[Commit]:
        """Return the commits; none if there is nothing to keep, to answer or to acknowledge."""
        parts = list(_parts(self.changes)) or [[]]
        commits = []
        for number, part in enumerate(parts):
            first, last = number == 0, number == len(parts) - 1
            kept = [(before, step) for before, step in part if step.trade is not before]
            commit = Commit(
                sender=OWNER,
                cause=self.cause,
                now_ns=self.now_ns,
                inbox=self.proof if last else None,
                trades=tuple(step.trade for _, step in kept),
                journal=tuple(entry for before, step in part for entry in self._journal(before, step)),
                orders=tuple(order for _, step in part for order in (*step.entries, *step.closes, *step.taken)),
                cancels=tuple(cancel for _, step in part for cancel in step.cancels),
                fills=tuple(
                    FillRow(account=step.trade.account, trade_id=step.trade.trade_id, fill=fill)
                    for _, step in part
                    for fill in step.fills
                ),
                outbox=(*self._outbox(part), *(self._common_outbox(notices) if first else ())),
                answer=self.answer if last else None,
                delivery=self.source.delivery if last and self.source is not None else None,
                **(self._common(notices) if first else {}),
            )
            if _says_something(commit):
                commits.append(commit)
        return commits

    def _common(self, notices: Sequence[Notice]) -> dict[str, Any]:
        """Return what belongs to the word as a whole: it stands in the first commit."""
        return {
            "reports": tuple(self.reports),
            "decisions": (*self.decisions, *self.known),
            "notices": tuple(notices),
            "settings": tuple(self.settings),
            "system": tuple(self.system),
            "positions": tuple(self.positions),
            "balances": tuple(self.balances),
            "account_progress": tuple(self.account_progress),
            "settlements": tuple(self.settlements),
            "quarantined": tuple(self.quarantined),
        }

    def _journal(self, before: Trade | None, step: Step) -> tuple[JournalEntry, ...]:
        """Return the edges taken; a trade that was not there begins with its first state."""
        if before is not None or not step.edges:
            return step.edges
        edge = step.edges[0]
        assert edge.from_state is not None
        born = JournalEntry(
            trade_id=edge.trade_id,
            version=edge.version,
            from_state=None,
            to_state=edge.from_state,
            cause=edge.cause,
            ts=edge.ts,
        )
        return born, *step.edges

    def _outbox(self, part: Sequence[tuple[Trade | None, Step]]) -> Iterator[Outgoing]:
        for before, step in part:
            if step.trade is not before:
                yield self._outgoing(addresses.trade_event(step.trade), addresses.trade_id(step.trade), step.trade)
            venue = step.trade.venue
            for order in step.entries:
                yield self._submit(venue, order, direct=False)
            for order in step.closes:
                yield self._submit(venue, order, direct=True)
            for cancel in step.cancels:
                yield self._cancel(venue, cancel)

    def _common_outbox(self, notices: Sequence[Notice]) -> Iterator[Outgoing]:
        yield from self._decisions()
        yield from map(notice_words.outgoing, notices)
        for changed in self.settings:
            yield self._outgoing(addresses.SETTINGS_CHANGED, f"settings:{changed.version}", changed)
        for event in self.system:
            yield self._outgoing(addresses.system_event(event.kind), f"system:{event.kind}:{self.cause}", event)

    def _submit(self, venue: str, order: OrderSubmit, *, direct: bool) -> Outgoing:
        subject = addresses.order_submit(venue, order.trade_id)
        return self._outgoing(subject, addresses.submit_id(order), order, direct=direct)

    def _cancel(self, venue: str, cancel: OrderCancel) -> Outgoing:
        subject = addresses.order_cancel(venue, cancel.trade_id)
        return self._outgoing(subject, addresses.cancel_id(cancel), cancel, direct=True)

    def _outgoing(self, subject: str, msg_id: str, message: Message, *, direct: bool = False) -> Outgoing:
        return Outgoing(subject=subject, msg_id=msg_id, message=message, direct=direct, cause=self.cause)


def _parts(changes: Sequence[tuple[Trade | None, Step]]) -> Iterator[list[tuple[Trade | None, Step]]]:
    """Cut `changes` so that no part holds a trade twice, or more than `TRADES_MAX`."""
    part: list[tuple[Trade | None, Step]] = []
    held: set[str] = set()
    for before, step in changes:
        if step.trade.trade_id in held or len(part) == TRADES_MAX:
            yield part
            part, held = [], set()
        part.append((before, step))
        held.add(step.trade.trade_id)
    if part:
        yield part


def _says_something(commit: Commit) -> bool:
    return any(
        (
            commit.inbox,
            commit.trades,
            commit.journal,
            commit.outbox,
            commit.reports,
            commit.positions,
            commit.settlements,
            commit.quarantined,
            commit.answer,
            commit.delivery,
        )
    )

"""A decision in the making: one trade with what has been decided about it so far. It ends as one `Step`."""

from typing import Any, Final

from msgspec.structs import replace

from actors.rules.trade.edges import move, way
from actors.rules.trade.steps import LOOKUP, OWNER, Context, Step, timer_key
from bus.messages.notices import Notice
from bus.messages.orders import OrderCancel, OrderSubmit, VenueQuestion
from bus.messages.records import JournalEntry
from bus.messages.stops import MarkWanted
from bus.messages.timers import CancelTimer, SetTimer
from bus.messages.trades import Attempt, AttemptState, Fill, Purpose, Trade, TradeState
from bus.messages.units import NS_PER_S

LOOKUP_AFTER_NS: Final = 2 * NS_PER_S
ENDED_KEPT: Final = 20
"""How many closes that ended without a fill a trade remembers: one that nobody takes is tried for days. PostgreSQL has them all."""
FORGOTTEN: Final = "forgotten"
"""Evidence of such a close when something is heard of it after all."""


class Draft:
    """Collects facts and outputs. Nothing leaves it before `step`, so that an error leaves everything as it was."""

    def __init__(self, trade: Trade, context: Context) -> None:
        self.before = trade
        self.trade = trade
        self.context = context
        self.edges: list[JournalEntry] = []
        self.entries: list[OrderSubmit] = []
        self.closes: list[OrderSubmit] = []
        self.cancels: list[OrderCancel] = []
        self.taken: list[OrderSubmit] = []
        self.timers: list[SetTimer | CancelTimer] = []
        self.marks: list[MarkWanted] = []
        self.questions: list[VenueQuestion] = []
        self.notices: list[Notice] = []
        self.fills: list[Fill] = []
        self.late: list[Step] = []

    @property
    def now_ns(self) -> int:
        """The only "now"."""
        return self.context.now_ns

    @property
    def version(self) -> int:
        """The version that the trade will have if anything changes."""
        return self.before.version + 1

    def change(self, **facts: Any) -> None:  # noqa: ANN401  # the fields of Trade
        """Set fields of the trade; its state changes only by `go`."""
        self.trade = replace(self.trade, **facts)

    def put(self, attempt: Attempt) -> None:
        """Add an attempt, or replace the one of the same id."""
        attempts = self.trade.attempts
        if any(a.client_order_id == attempt.client_order_id for a in attempts):
            attempts = tuple(attempt if a.client_order_id == attempt.client_order_id else a for a in attempts)
        else:
            attempts = tuple(sorted((*_worth_keeping(attempts), attempt), key=_in_order_of_issue))
        self.change(attempts=attempts)

    def go(self, to: TradeState) -> None:
        """Take the edges to `to`, each one journal entry. Raises: IllegalMove if there is no way."""
        for state in way(self.trade.state, to):
            origin = self.trade.state
            self.trade = move(self.trade, state)
            self.edges.append(
                JournalEntry(
                    trade_id=self.trade.trade_id,
                    version=self.version,
                    from_state=origin,
                    to_state=state,
                    cause=self.context.cause,
                    ts=self.now_ns,
                )
            )

    def wake(self, what: str, due_ns: int) -> None:
        """Set, or move, a timer of this trade."""
        self.timers.append(SetTimer(owner=OWNER, key=timer_key(self.trade.trade_id, what), due_ns=due_ns))

    def expect_an_answer(self) -> None:
        """Look up soon what flies, unless its answer comes before: a venue answers within milliseconds."""
        self.wake(LOOKUP, self.now_ns + LOOKUP_AFTER_NS)

    def let_sleep(self, *whats: str) -> None:
        """Forget timers of this trade."""
        self.timers += [CancelTimer(owner=OWNER, key=timer_key(self.trade.trade_id, what)) for what in whats]

    def ask(self, attempt: Attempt) -> None:
        """Ask the venue what it knows of one order."""
        self.questions.append(
            VenueQuestion(
                venue=self.context.venue.name,
                account=self.trade.account,
                client_order_id=attempt.client_order_id,
                trade_id=self.trade.trade_id,
                now_ns=self.now_ns,
            )
        )

    def cancel(self, attempt: Attempt, reason: str) -> None:
        """Cancel an order, once."""
        if attempt.cancel_requested or attempt.state is AttemptState.DEAD:
            return
        self.put(replace(attempt, cancel_requested=True))
        self.cancels.append(
            OrderCancel(
                client_order_id=attempt.client_order_id,
                trade_id=self.trade.trade_id,
                account=self.trade.account,
                reason=reason,
                epoch=self.context.epoch,
                ts=self.now_ns,
            )
        )

    def step(self) -> Step:
        """Return the decision. The trade is the very same object if none of its facts changed."""
        trade = self.before
        if self.trade != self.before:
            trade = replace(self.trade, version=self.version, ts=self.now_ns, cause=self.context.cause)
        return Step(
            trade=trade,
            edges=tuple(self.edges),
            entries=tuple(self.entries),
            closes=tuple(self.closes),
            cancels=tuple(self.cancels),
            taken=tuple(self.taken),
            timers=tuple(self.timers),
            marks=tuple(self.marks),
            questions=tuple(self.questions),
            notices=tuple(self.notices),
            fills=tuple(self.fills),
            late=tuple(self.late),
        )


def _in_order_of_issue(attempt: Attempt) -> tuple[bool, int]:
    return attempt.purpose is Purpose.CLOSE, attempt.attempt


def _worth_keeping(attempts: tuple[Attempt, ...]) -> tuple[Attempt, ...]:
    """Forget the oldest closes that ended without a fill, but none that alone knows of its stop's decision."""
    ended = [a for a in attempts if a.purpose is Purpose.CLOSE and a.state is AttemptState.DEAD and not a.filled]
    if len(ended) <= ENDED_KEPT:
        return attempts
    dropped = {a.client_order_id for a in ended[:-ENDED_KEPT]}
    decided = {a.decision_id for a in attempts if a.client_order_id not in dropped}
    return tuple(a for a in attempts if a.client_order_id not in dropped or a.decision_id not in decided)


def find(trade: Trade, client_order_id: str) -> Attempt | None:
    """Return that order of the trade, or None. One that was forgotten is given back as ended, with nothing filled."""
    known = next((a for a in trade.attempts if a.client_order_id == client_order_id), None)
    return known or _forgotten(trade, client_order_id)


def _forgotten(trade: Trade, client_order_id: str) -> Attempt | None:
    """Return a close whose number has been used and that is not among the attempts any more: as the newest, but dead."""
    newest = last_close(trade)
    trade_and_purpose, _, number = client_order_id.rpartition("-")
    if newest is None or trade_and_purpose != f"{trade.trade_id}-{Purpose.CLOSE}" or not number.isdecimal():
        return None
    if not 0 < int(number) < newest.attempt:
        return None
    return Attempt(
        client_order_id=client_order_id,
        purpose=Purpose.CLOSE,
        attempt=int(number),
        state=AttemptState.DEAD,
        quantity=newest.quantity,
        side=newest.side,
        evidence=FORGOTTEN,
    )


def entry_of(trade: Trade) -> Attempt | None:
    """Return the entry order; None for an adopted trade."""
    return next((a for a in trade.attempts if a.purpose is Purpose.ENTRY), None)


def last_close(trade: Trade) -> Attempt | None:
    """Return the newest close order, or None."""
    return next((a for a in reversed(trade.attempts) if a.purpose is Purpose.CLOSE), None)


def alive(trade: Trade, purpose: Purpose | None = None) -> tuple[Attempt, ...]:
    """Return the orders that are not proven dead, WANTED ones among them, in order of issue."""
    return tuple(
        a for a in trade.attempts if a.state is not AttemptState.DEAD and (purpose is None or a.purpose is purpose)
    )


def in_flight(trade: Trade) -> tuple[Attempt, ...]:
    """Return the orders that have left and are not proven dead."""
    return tuple(a for a in alive(trade) if a.state is not AttemptState.WANTED)


def lacking(trade: Trade, purpose: Purpose | None = None) -> tuple[Attempt, ...]:
    """Return the orders that count as dead though the venue told of more than they have booked, in order of issue."""
    return tuple(
        a
        for a in trade.attempts
        if a.state is AttemptState.DEAD and a.filled < a.reported and (purpose is None or a.purpose is purpose)
    )


def reopen(draft: Draft, purpose: Purpose) -> bool:
    """Let the oldest order that lacks a fill be alive again until it is booked, but no close beside one that flies; whether it waits."""
    missing = lacking(draft.trade, purpose)
    flies = any(a.purpose is purpose for a in in_flight(draft.trade))
    if missing and not (flies and purpose is Purpose.CLOSE):
        draft.put(replace(missing[0], state=AttemptState.SENT))
    return bool(missing)

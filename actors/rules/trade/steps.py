"""What the life of a trade is told besides the words of the house, and what it answers.

A `Step` is one decision about one trade: the trade after it, the edges that it took, and everything to be said because of it.
Desk turns a Step into a Commit and into the words that leave at once (DESIGN idea 6); it adds nothing of its own to a trade.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal

from bus.messages.market import Lifecycle
from bus.messages.notices import Notice
from bus.messages.orders import OrderCancel, OrderReport, OrderSubmit, Position, Settlement, VenueAnswer, VenueQuestion
from bus.messages.reconcile import AccountStanding, ClosedOutside
from bus.messages.records import JournalEntry, OrderRefused, OrderStored
from bus.messages.stops import BidReturned, Mark, MarkGiven, MarkWanted, StopDecision
from bus.messages.timers import CancelTimer, SetTimer, TimerFired
from bus.messages.trades import Fill, Trade

OWNER: Final = "trade_desk"
"""The timers' owner."""

ENTRY_TIMEOUT: Final = "entry_timeout"
NEXT_ATTEMPT: Final = "next_attempt"
REST_OVER: Final = "rest_over"
LOOKUP: Final = "lookup"
EXPIRY: Final = "expiry"


def timer_key(trade_id: str, what: str) -> str:
    """`<trade_id>:<what>`; a trade id holds no colon."""
    return f"{trade_id}:{what}"


def trade_of(key: str) -> str:
    """Return the trade that a timer's key names."""
    return key.partition(":")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueTerms:
    """How a venue closes, and its bounds.

    style: `sell` sells the own side; `buy_opposite` buys the other side of an event contract.
    netting: both sides of one ticker cancel each other. cutoff_ns: no order leaves this close to close time.
    settle_bound_ns: an empty lookup proves nothing until this long after an order's expires_ts.
    """

    name: str
    style: Literal["sell", "buy_opposite"] = "sell"
    netting: bool = False
    cutoff_ns: int = 1_000_000_000
    settle_bound_ns: int = 5_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What surrounds one decision.

    now_ns: the only "now". cause: the id of the input. held: netting venues only, how much of that side a close may use
    (SPEC 1.3, Netting venues: what others' closes in flight use is already taken off); None: no limit known.
    unheard_until_ns: the venue has not said yet what the account holds: no close leaves before this, and one that leaves then is
    flagged `unreconciled`; None: it has.
    """

    now_ns: int
    epoch: int
    cause: str
    venue: VenueTerms
    held: Decimal | None = None
    unheard_until_ns: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseWanted:
    """Somebody wants a trade closed: a fired stop (rule, decision, mark) or a person.

    quantity: a part only; None: all of it. mark: what prices the first attempt; None: it is asked for.
    """

    reason: str
    rule: str | None = None
    decision: StopDecision | None = None
    mark: Mark | None = None
    quantity: Decimal | None = None


Event = (
    OrderReport
    | VenueAnswer
    | CloseWanted
    | MarkGiven
    | BidReturned
    | TimerFired
    | Lifecycle
    | Settlement
    | Position
    | OrderStored
    | OrderRefused
    | ClosedOutside
    | AccountStanding
)
"""Everything that can happen to a trade. Desk hands over what concerns that trade only: by trade_id, client_order_id or ticker."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One decision. `trade` is the very same object if nothing changed, else its version is exactly one higher.

    edges: the states passed through, in order; one step may take several (pending -> open -> closing), all of one version.
    entries: leave after their commit. closes, cancels: leave at once and stand in the commit as well.
    taken: closes that left before and whose record was lost: they stand in the commit, and are not said again.
    marks, questions: said at once. fills: booked in this step, `price` of the trade's own side.
    late: steps of trades born here (`r-<hash of fill_id>`, from a fill of a trade that had ended), in order.
    """

    trade: Trade
    edges: tuple[JournalEntry, ...] = ()
    entries: tuple[OrderSubmit, ...] = ()
    closes: tuple[OrderSubmit, ...] = ()
    cancels: tuple[OrderCancel, ...] = ()
    taken: tuple[OrderSubmit, ...] = ()
    timers: tuple[SetTimer | CancelTimer, ...] = ()
    marks: tuple[MarkWanted, ...] = ()
    questions: tuple[VenueQuestion, ...] = ()
    notices: tuple[Notice, ...] = ()
    fills: tuple[Fill, ...] = ()
    late: tuple["Step", ...] = ()

"""Trades: what others ask for, and the trade itself as everybody sees it after each change."""

from enum import StrEnum
from typing import Any

import msgspec

from bus.messages.envelope import Message
from bus.messages.market import Result, StrikeType
from bus.messages.units import ZERO, Money, Name, Number, Price, Quantity, SettingValue, Text, TradeId, UtcNs


class Mode(StrEnum):
    """Whether real money is at stake. Unknown is refused, never guessed."""

    PAPER = "paper"
    LIVE = "live"


class Side(StrEnum):
    """Yes and no of an event contract, long and short of a linear instrument."""

    YES = "yes"
    NO = "no"
    LONG = "long"
    SHORT = "short"

    @property
    def is_event(self) -> bool:
        """Whether it is a side of an event contract."""
        return self in (Side.YES, Side.NO)

    @property
    def opposite(self) -> "Side":
        """The other side of the same instrument."""
        return _OPPOSITE[self]


_OPPOSITE = {Side.YES: Side.NO, Side.NO: Side.YES, Side.LONG: Side.SHORT, Side.SHORT: Side.LONG}


class TradeState(StrEnum):
    """Where a trade stands (SPEC 1.3)."""

    REQUESTED = "requested"
    PENDING = "pending"
    OPEN = "open"
    PARTIAL_OPEN = "partial_open"
    REJECTED = "rejected"
    CLOSING = "closing"
    PARTIAL_CLOSING = "partial_closing"
    CLOSED = "closed"
    EXPIRED = "expired"
    SETTLED = "settled"
    UNKNOWN = "unknown"

    @property
    def is_terminal(self) -> bool:
        """Whether nothing but an adjustment can follow."""
        return self in (TradeState.REJECTED, TradeState.CLOSED, TradeState.SETTLED)


class Purpose(StrEnum):
    """What an order is for."""

    ENTRY = "entry"
    CLOSE = "close"


class AttemptState(StrEnum):
    """What is known of one order that we issued.

    WANTED: decided, waiting for a mark to price it. SENT: on its way or accepted, no terminal evidence yet.
    RESTING: accepted and resting at the venue (gtc), or found to work there after nobody knew. UNKNOWN: looked up until there is evidence.
    DEAD: ended by evidence, whatever it filled; the next attempt may begin.
    """

    WANTED = "wanted"
    SENT = "sent"
    RESTING = "resting"
    UNKNOWN = "unknown"
    DEAD = "dead"


class Attempt(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One order of a trade, from decision to evidence.

    evidence: what ended it: a report status, or `empty_lookup`.
    """

    client_order_id: str
    purpose: Purpose
    attempt: int
    state: AttemptState
    quantity: Quantity
    filled: Quantity = ZERO
    limit_price: Price | None = None
    order_type: str = "limit"
    time_in_force: str = "ioc"
    sent_ns: UtcNs | None = None
    expires_ns: UtcNs | None = None
    cancel_requested: bool = False
    evidence: str | None = None
    decision_id: str | None = None
    side: Side | None = None
    """The side named in the order: the opposite one where a venue closes by buying it. None: the trade's own."""
    nth: int = 1
    """Which try of the close in effect it is: slippage and waiting grow with it."""
    reported: Quantity = ZERO
    """The most that the venue said it has filled; more than `filled`: a fill is missing, so it is not DEAD yet."""
    refused: bool = False
    """ORDERS has not taken it so far: unprotected(order_refused)."""


class Fill(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One fill of one of our orders; `fees` of this fill, `price` of the trade's own side."""

    fill_id: str
    client_order_id: str
    purpose: Purpose
    price: Price
    quantity: Quantity
    fees: Money
    ts: UtcNs


class Coverage(StrEnum):
    """Whether an open trade is protected (SPEC 1.4)."""

    ARMED = "armed"
    CLOSING = "closing"
    WAIVED = "waived"
    UNPROTECTED = "unprotected"


class StopSpec(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A rule armed on a trade, with its settings fully resolved through the layers.

    settings: exact numbers by the names of SPEC 1.2; a missing key means "off".
    """

    rule: str
    settings: dict[str, SettingValue] = {}


class Waiver(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A person's word that a trade may stand without a stop."""

    by: Name
    reason: Text
    until_ns: UtcNs | None = None


class Trade(Message, frozen=True, kw_only=True, omit_defaults=True):
    """A whole trade after a change. Published as `trade.event.<state>.<trade_id>`, kept in PostgreSQL.

    open_quantity: entry fills less close fills. entry_cost, exit_proceeds: sums of price x quantity of the trade's own fills.
    pnl: realised (and settled) dollars, fees booked already taken off. rule: what closed it. version: +1 with each change.
    overrides: the trade's own settings layer, by full key (`probability.floor_percent`). stops, settings: what is in force,
    resolved through all layers at `settings_version`: each armed rule with its own settings and guards, and the general ones.
    """

    trade_id: TradeId
    state: TradeState
    version: int
    account: Name
    venue: Name
    mode: Mode
    ticker: Name
    side: Side
    quantity: Quantity
    ts: UtcNs
    symbol: Name | None = None
    limit_price: Price | None = None
    strike_type: StrikeType | None = None
    strike: Number | None = None
    cap_strike: Number | None = None
    close_ts: UtcNs | None = None
    tick_size: Price | None = None
    lot_size: Quantity | None = None
    strategy: Name | None = None
    requested_by: Name | None = None
    expires_ts: UtcNs | None = None
    requested_ts: UtcNs | None = None
    open_quantity: Quantity = ZERO
    filled_quantity: Quantity = ZERO
    entry_cost: Money = ZERO
    closed_quantity: Quantity = ZERO
    exit_proceeds: Money = ZERO
    unpriced_quantity: Quantity = ZERO
    """The part of `closed_quantity` that somebody else closed at the venue at a price that nobody knows; `pnl` leaves it out."""
    entry_price: Price | None = None
    entry_ts: UtcNs | None = None
    exit_price: Price | None = None
    exit_ts: UtcNs | None = None
    fees: Money = ZERO
    pnl: Money = ZERO
    outcome: str | None = None
    rule: str | None = None
    close_reason: str | None = None
    close_wanted: Quantity | None = None
    """What is left of the close in effect: open quantity for a whole close, less for a part. None: nobody wants it closed."""
    attached: tuple[str, ...] = ()
    """Other reasons that arrived while a close was in effect."""
    result: Result | None = None
    payout: Price | None = None
    settlement_fees: Money = ZERO
    """This trade's share of what the venue charges for settling; becomes part of `fees` when it settles."""
    dust: bool = False
    halted: bool = False
    next_attempt_ns: UtcNs | None = None
    """When the next close attempt may leave; None while nothing waits."""
    stops: tuple[StopSpec, ...] = ()
    overrides: dict[str, SettingValue] = {}
    settings: dict[str, SettingValue] = {}
    waiver: Waiver | None = None
    coverage: Coverage | None = None
    coverage_why: str | None = None
    settings_version: int = 0
    attempts: tuple[Attempt, ...] = ()
    fills: tuple[Fill, ...] = ()
    cause: str = ""
    legacy_id: int | None = None


class TradeOpen(Message, frozen=True, kw_only=True, omit_defaults=True):
    """Open a trade. Source: `trade.request.open`, `trade.command.open` (which must carry `expires_ts`).

    stops: each `{"rule": NAME, SETTING: VALUE, ...}`. mode: a text, so that an unknown one gets a clear refusal.
    """

    trade_id: TradeId
    account: Name
    mode: Name
    ticker: Name
    side: Side
    quantity: Quantity
    venue: Name | None = None
    symbol: Name | None = None
    limit_price: Price | None = None
    strike_type: StrikeType | None = None
    strike: Number | None = None
    cap_strike: Number | None = None
    close_ts: UtcNs | None = None
    tick_size: Price | None = None
    lot_size: Quantity | None = None
    strategy: Name | None = None
    requested_by: Name | None = None
    expires_ts: UtcNs | None = None
    stops: tuple[dict[str, Any], ...] | None = None
    no_stop_reason: Text | None = None
    allow_immediate: bool = False


class TradeAdopt(TradeOpen, frozen=True, kw_only=True, omit_defaults=True):
    """Take over a position that exists already. Source: `trade.request.adopt`, `trade.command.adopt`."""

    entry_price: Price
    entry_ts: UtcNs
    fees: Money = ZERO


class TradeClose(Message, frozen=True, kw_only=True, omit_defaults=True):
    """Close a trade, or a part of it. Source: `trade.request.close`, `trade.command.close`."""

    trade_id: TradeId
    reason: Text
    requested_by: Name
    quantity: Quantity | None = None
    command_id: Name | None = None


class TradeGet(Message, frozen=True, kw_only=True, omit_defaults=True):
    """Ask for one trade. Source: `trade.request.get`."""

    trade_id: TradeId


class TradeList(Message, frozen=True, kw_only=True, omit_defaults=True):
    """Ask for trades, by id after `after`, at most `limit` (1-1000). Source: `trade.request.list`."""

    states: tuple[TradeState, ...] | None = None
    account: Name | None = None
    symbol: Name | None = None
    since: UtcNs | None = None
    limit: int = 100
    after: TradeId | None = None


class Trades(Message, frozen=True, kw_only=True, omit_defaults=True):
    """The answer to `TradeList`; `next` is the `after` of the next page."""

    trades: tuple[Trade, ...]
    next: TradeId | None = None


class CloseInEffect(Message, frozen=True, kw_only=True, omit_defaults=True):
    """The answer to `TradeClose`: the one close in effect, and whether this request began it."""

    trade_id: TradeId
    state: TradeState
    began: bool
    reason: Text | None = None
    client_order_id: str | None = None

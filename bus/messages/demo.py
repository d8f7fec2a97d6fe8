"""What `run.py demo --json` prints. Seconds and instants are recorded time, latencies wall time."""

import msgspec

from bus.messages.envelope import Message
from bus.messages.settings import Value
from bus.messages.trades import Side, StopSpec, TradeState
from bus.messages.units import Money, Number, Price, Quantity, UtcNs


class DemoRecording(msgspec.Struct, frozen=True, kw_only=True):
    """What was played. events: messages of the recording that were applied; from, to: the first and the last instant."""

    name: str
    events: int
    begin: UtcNs | None = msgspec.field(name="from")
    end: UtcNs | None = msgspec.field(name="to")


class DemoSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What the trades were decided by, so that others can decide them again.

    stops: every stop setting of the defaults layer, by key; a trade's own are on the trade. venue: how the simulated venue works
    (`latency_ms`, `style`, `cutoff_s`, `fee_model`, `fee_percent`). strategy: the entry strategy's. source: the feed's name.
    """

    source: str
    stops: dict[str, Value]
    venue: dict[str, Value]
    strategy: dict[str, object]


class DemoTrade(msgspec.Struct, frozen=True, kw_only=True):
    """One trade as it stood at the end; null: never came to that. rule: what closed it."""

    trade_id: str
    ticker: str
    side: Side
    quantity: Quantity
    entry_price: Price | None
    entry_ts: UtcNs | None
    stops: tuple[StopSpec, ...]
    state: TradeState
    rule: str | None
    exit_price: Price | None
    exit_ts: UtcNs | None
    fees: Money
    pnl: Money


class DemoCounts(msgspec.Struct, frozen=True, kw_only=True):
    """How many trades. opened: filled at least in part; the rest by how they stood at the end. open: all that had not ended."""

    opened: int
    stopped: int
    settled: int
    expired: int
    open: int
    rejected: int


class Spread(msgspec.Struct, frozen=True, kw_only=True):
    """Microseconds: the median and the 99th percentile of `n` measurements; null without any."""

    p50: int | None
    p99: int | None
    n: int


class RoundTrip(msgspec.Struct, frozen=True, kw_only=True):
    """Microseconds of a NATS round trip."""

    p50: int | None
    p99: int | None


class DemoLatency(msgspec.Struct, frozen=True, kw_only=True):
    """tick_to_order: from a word's release to the close order that it caused."""

    tick_to_order: Spread
    nats_round_trip: RoundTrip


class DemoCommits(msgspec.Struct, frozen=True, kw_only=True):
    """What PostgreSQL was given."""

    rows: int
    transactions: int


class DemoSummary(Message, frozen=True, kw_only=True):
    """The whole document.

    lost_messages: of the recording, never heard. duplicate_closes: close orders that left while another of the same trade was
    alive, or twice. unprotected_trade_seconds: recorded seconds that open trades stood unprotected, summed. quarantined: inputs.
    """

    recording: DemoRecording
    settings: DemoSettings
    trades: tuple[DemoTrade, ...]
    counts: DemoCounts
    pnl: Money
    latency_us: DemoLatency
    commits: DemoCommits
    lost_messages: int
    duplicate_closes: int
    unprotected_trade_seconds: Number
    quarantined: int

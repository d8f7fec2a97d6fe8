"""The system itself: replies, status, health, heartbeats, events."""

from enum import StrEnum
from typing import Any

import msgspec

from bus.messages.accounts import EquityStanding
from bus.messages.envelope import Message
from bus.messages.units import Name, Text, UtcNs


class ErrorCode(StrEnum):
    """Why a request was refused: a closed list. `retry` in the reply says whether the same words may succeed later."""

    MALFORMED = "malformed"
    CONFLICT = "conflict"  # the same id with another body: the first stands
    NOT_FOUND = "not_found"
    EXPIRED = "expired"
    TERMINAL = "terminal"  # the trade has ended
    UNKNOWN_MODE = "unknown_mode"
    LIVE_DISABLED = "live_disabled"
    VENUE_REQUIRED = "venue_required"
    VENUE_UNKNOWN = "venue_unknown"
    ACCOUNT_MODE = "account_mode"  # an account is paper or live, never both
    OPPOSITE_OPEN = "opposite_open"
    UNRECONCILED = "unreconciled"  # the account does not agree with its venue, or nobody knows yet whether it does
    STOP_REQUIRED = "stop_required"
    STOP_IMMEDIATE = "stop_immediate"
    UNKNOWN_SETTING = "unknown_setting"
    SETTING_RANGE = "setting_range"
    VERSION_CHANGED = "version_changed"
    MARKET_CLOSED = "market_closed"
    HALTED = "halted"
    LIMIT = "limit"  # a hard limit of new risk, which the message names
    NOT_LEADER = "not_leader"
    NOT_READY = "not_ready"
    UNAVAILABLE = "unavailable"
    INTERNAL = "internal"


class Error(msgspec.Struct, frozen=True, kw_only=True):
    """What went wrong, in words that say what to do."""

    code: ErrorCode
    message: str
    retry: bool = False


class Reply(Message, frozen=True, kw_only=True, omit_defaults=True):
    """Every answer to a request."""

    ok: bool
    instance: str
    epoch: int
    ts: UtcNs
    result: Any = None
    error: Error | None = None


class Heartbeat(Message, frozen=True, kw_only=True, omit_defaults=True):
    """Another service says that it lives. Source: `system.heartbeat.<service>`; not stored."""

    service: Name
    ts: UtcNs
    status: Name
    detail: Text | None = None


class SystemCommand(Message, frozen=True, kw_only=True, omit_defaults=True):
    """Halt, reduce_only, resume, status. Source: `system.request.<verb>`."""

    reason: Text = ""
    requested_by: Name = "unknown"
    account: Name | None = None


class SystemEvent(Message, frozen=True, kw_only=True, omit_defaults=True):
    """Something happened to the system. Published as `system.event.<kind>`."""

    kind: str
    body: Text
    ts: UtcNs
    account: Name | None = None
    requested_by: Name | None = None


class ActorHealth(msgspec.Struct, frozen=True, kw_only=True):
    """One actor as the supervisor sees it.

    answers: since it was started, a beat has gone through its inbox and come back. inbox: what waits, words and ticks.
    folded: ticks of a flood that it never saw, since the start: what they could decide, those decide that it saw. late: ticks that came
    more than 2 s after their instant, in one read with newer ones: they count, and fire nothing.
    """

    name: str
    alive: bool
    inbox: int
    restarts: int
    handled: int
    answers: bool = True
    folded: int = 0
    late: int = 0


class AccountHealth(msgspec.Struct, frozen=True, kw_only=True):
    """How an account stands with its venue. reconciled_ts: since when all agrees, None while something in `unresolved` does not."""

    venue: Name
    account: Name
    reconciled_ts: UtcNs | None
    unresolved: tuple[Text, ...]


class Status(Message, frozen=True, kw_only=True, omit_defaults=True):
    """The answer to `system.request.status`, and `system.health.watchkeeper` (not stored).

    ready: it leads, every open trade is watched, and every account's venue was asked. latency_us: by name, microseconds (`tick_to_order_p50`).
    reduce_only: accounts that take no new risk, `*` for all of them. equity: of accounts whose cash is stated, or whose drawdown
    rule is on. trades: open trades by state. coverage: open trades by coverage. unprotected: open trades that are, by reason.
    unprotected_trade_seconds: in sum, since start; unprotected_seconds: the same by reason. unprotected_last_hour_seconds, of which
    unprotected_allowed_seconds are allowed (0: no objective). missed_ticks: that went by while the connection to NATS was lost, at
    least, since the start. coverage_mismatches: trades whose coverage could not be right.
    """

    ready: bool
    role: str
    instance: str
    epoch: int
    version: str
    ts: UtcNs
    level: str = "none"
    live_enabled: bool = False
    halted: bool = False
    reduce_only: tuple[str, ...] = ()
    equity: tuple[EquityStanding, ...] = ()
    why_not_ready: tuple[str, ...] = ()
    actors: tuple[ActorHealth, ...] = ()
    trades: dict[str, int] = {}
    coverage: dict[str, int] = {}
    feeds: dict[str, int] = {}
    """By source, milliseconds since its last message."""
    accounts: tuple[AccountHealth, ...] = ()
    latency_us: dict[str, int] = {}
    databases: dict[str, str] = {}
    """NATS and PostgreSQL: `up`, or `away` and why."""
    stream_fill_percent: dict[str, int] = {}
    """By stream on disk, how much of what it may hold is taken."""
    quarantined: int = 0
    missed_ticks: int = 0
    unprotected_trade_seconds: str = "0"
    unprotected_seconds: dict[str, str] = {}
    unprotected: dict[str, int] = {}
    unprotected_last_hour_seconds: str = "0"
    unprotected_allowed_seconds: str = "0"
    coverage_mismatches: int = 0

"""The subject grammar, one table (DESIGN section 5): what may be said, by whom, as which message, kept in which stream.

Parsing, the streams and the AsyncAPI document read this table; a subject that is not in it does not exist (there is no
fallback). `<name>` in a pattern is one escaped token; where the message has a field of that name, both must agree.
`bus.messages.addresses` escapes tokens and names where our own decisions go.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Final

from bus.messages import addresses, explain, market, notices, orders, settings, stops, system, trades
from bus.messages.envelope import Message


class Direction(StrEnum):
    """Who speaks, seen from Watchkeeper."""

    HEARD = "heard"
    ASKED = "asked"  # somebody asks us and gets a `Reply`
    SAID = "said"
    ASKS = "asks"  # we ask somebody


class UnknownSubject(ValueError):  # noqa: N818  # an outcome: whoever reads it quarantines the message
    """No row of the table has this subject."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One row. stream: where it is kept, None: nowhere. reply: what an asker gets. result: what a `Reply` brings if it is ok."""

    pattern: str
    message: type[Message]
    direction: Direction
    stream: str | None
    reply: type[Message] | None
    doc: str
    result: type[Message] | None = None
    tokens: tuple[str, ...] = field(init=False)
    fields: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "tokens", tuple(self.pattern.split(".")))
        object.__setattr__(self, "fields", frozenset(self.message.__struct_fields__))

    @property
    def verb(self) -> str:
        """The last token: what a request or command asks for."""
        return self.tokens[-1]

    @property
    def filter(self) -> str:
        """The subject that a stream or a subscriber names to get this and its kin, without prefix."""
        if len(self.tokens) == 2:
            return self.pattern
        return ".".join((*self.tokens[:2], ">"))


@dataclass(frozen=True, slots=True)
class Address:
    """A parsed subject: its row, and its unescaped tokens by name."""

    route: Route
    tokens: tuple[tuple[str, str], ...]


def _heard(pattern: str, message: type[Message], stream: str | None, doc: str) -> Route:
    return Route(pattern=pattern, message=message, direction=Direction.HEARD, stream=stream, reply=None, doc=doc)


def _asked(pattern: str, message: type[Message], result: type[Message], doc: str) -> Route:
    return Route(
        pattern=pattern,
        message=message,
        direction=Direction.ASKED,
        stream=None,
        reply=system.Reply,
        result=result,
        doc=doc,
    )


def _said(pattern: str, message: type[Message], stream: str | None, doc: str) -> Route:
    return Route(pattern=pattern, message=message, direction=Direction.SAID, stream=stream, reply=None, doc=doc)


def _asks(pattern: str, message: type[Message], reply: type[Message], doc: str) -> Route:
    return Route(pattern=pattern, message=message, direction=Direction.ASKS, stream=None, reply=reply, doc=doc)


EPOCH: Final = "order.epoch"
STATUS: Final = "system.request.status"
HEALTH: Final = "system.health.watchkeeper"

ROUTES: Final[tuple[Route, ...]] = (
    _heard("market.quote.<ticker>", market.Quote, "MARKET", "The best prices of one ticker."),
    _heard("market.price.<symbol>", market.SpotPrice, "MARKET", "A price of the underlying."),
    _heard("market.probability.<ticker>", market.Probability, "MARKET", "Percent that YES wins."),
    _heard("market.momentum.<symbol>", market.Momentum, "MARKET", "Momentum of the underlying, percent."),
    _heard("market.feed.<source>", market.FeedBeat, "MARKET", "A feed says that it lives."),
    _heard("market.lifecycle.<ticker>", market.Lifecycle, "LEDGER", "A market opens, halts, closes, settles."),
    _heard(
        "trade.command.open",
        trades.TradeOpen,
        "LEDGER",
        "Open a trade, answered by `trade.event.*`; carries `expires_ts`.",
    ),
    _heard("trade.command.adopt", trades.TradeAdopt, "LEDGER", "Take over a position, answered by `trade.event.*`."),
    _heard("trade.command.close", trades.TradeClose, "LEDGER", "Close a trade, answered by `trade.event.*`."),
    _heard("order.report.<client_order_id>", orders.OrderReport, "ORDERS", "What happened to an order."),
    _heard("account.position.<account>", orders.Position, "LEDGER", "What the venue says we hold."),
    _heard("account.settlement.<account>", orders.Settlement, "LEDGER", "How the venue settled a ticker."),
    _heard("account.balance.<account>", orders.Balance, "LEDGER", "The cash of an account."),
    _heard("system.heartbeat.<service>", system.Heartbeat, None, "Another service says that it lives."),
    _asked("trade.request.open", trades.TradeOpen, trades.Trade, "Open a trade; the reply comes after the commit."),
    _asked("trade.request.adopt", trades.TradeAdopt, trades.Trade, "Take over a position that exists already."),
    _asked(
        "trade.request.close",
        trades.TradeClose,
        trades.CloseInEffect,
        "Close a trade or a part; the reply tells the one close in effect.",
    ),
    _asked("trade.request.get", trades.TradeGet, trades.Trade, "One trade."),
    _asked("trade.request.list", trades.TradeList, trades.Trades, "Trades, page by page."),
    _asked("stop.request.arm", stops.StopArm, trades.Trade, "Turn a rule on for a trade."),
    _asked("stop.request.disarm", stops.StopDisarm, trades.Trade, "Turn a rule off for a trade."),
    _asked("stop.request.set", stops.StopSet, trades.Trade, "Change settings of a trade's own layer."),
    _asked("stop.request.waive", stops.StopWaive, trades.Trade, "Accept that a trade stands without a stop."),
    _asked("settings.request.get", settings.SettingsGet, settings.SettingsView, "The stop settings, one layer or all."),
    _asked(
        "settings.request.set",
        settings.SettingsSet,
        settings.SettingsChanged,
        "Change a layer, if its version is still the expected one.",
    ),
    _asked(
        "history.request.settings",
        settings.HistoryGet,
        settings.SettingsHistory,
        "Who changed which stop setting, newest first, page by page.",
    ),
    _asked(
        "history.request.capsule",
        explain.CapsuleGet,
        explain.Capsule,
        "What is kept of a trade that has ended: how near its rules came, what was decided, when it was unprotected.",
    ),
    _asked(STATUS, system.SystemCommand, system.Status, "How it stands; every instance answers."),
    _asked(
        "system.request.halt",
        system.SystemCommand,
        system.SystemEvent,
        "Take no new risk, until resumed; closes go on.",
    ),
    _asked("system.request.reduce_only", system.SystemCommand, system.SystemEvent, "As halt, for one account or all."),
    _asked("system.request.resume", system.SystemCommand, system.SystemEvent, "End a halt."),
    _asked(
        "system.request.rebase",
        system.SystemCommand,
        system.SystemEvent,
        "Let the drawdown rule of one account or all begin anew; resumes nothing.",
    ),
    _said(EPOCH, orders.EpochRecord, "ORDERS", "Who leads, kept for ever, changed by compare-and-set."),
    _said("order.submit.<venue>.<trade_id>", orders.OrderSubmit, "ORDERS", "Send this order."),
    _said("order.cancel.<venue>.<trade_id>", orders.OrderCancel, "ORDERS", "Cancel this order, and never send it."),
    _said("trade.event.<state>.<trade_id>", trades.Trade, "LEDGER", "The whole trade after a change."),
    _said(
        "stop.decision.<trade_id>", stops.StopDecision, "LEDGER", "A rule's condition held: it fired, or was held back."
    ),
    _said("stop.coverage.<trade_id>", stops.StopCoverage, "LEDGER", "Whether a trade is protected, on change."),
    _said("settings.event.changed", settings.SettingsChanged, "LEDGER", "What was changed, by whom, why."),
    _said("system.event.<kind>", system.SystemEvent, "LEDGER", "Halts, epochs, restarts."),
    _said("notice.<severity>.<kind>", notices.Notice, "NOTICES", "What people should know."),
    _said(HEALTH, system.Status, None, "How it stands, about once a second."),
    _asks(
        "venue.request.orders.<venue>", orders.VenueOrdersRequest, orders.VenueOrders, "Orders as the venue knows them."
    ),
    _asks(
        "venue.request.fills.<venue>", orders.VenueOrdersRequest, orders.VenueFills, "Fills as the venue knows them."
    ),
    _asks(
        "venue.request.positions.<venue>",
        orders.VenueOrdersRequest,
        orders.VenuePositions,
        "Positions as the venue knows them.",
    ),
)

TICKS: Final = (market.Quote, market.SpotPrice, market.Probability, market.Momentum, market.FeedBeat)
"""What needs no inbox row and may be folded under overload."""


def _by_shape() -> dict[tuple[str, ...], tuple[Route, ...]]:
    found: dict[tuple[str, ...], tuple[Route, ...]] = {}
    for route in ROUTES:
        shape = (route.tokens[0], str(len(route.tokens)))
        found[shape] = (*found.get(shape, ()), route)
    return found


_BY_SHAPE: Final = _by_shape()


@lru_cache(maxsize=65_536)
def parse(subject: str) -> Address:
    """Return where `subject` (without prefix) belongs. Raises: UnknownSubject."""
    tokens = subject.split(".")
    for route in _BY_SHAPE.get((tokens[0], str(len(tokens))), ()):
        if all(want == got or want[0] == "<" for want, got in zip(route.tokens, tokens, strict=True)):
            named = ((want[1:-1], got) for want, got in zip(route.tokens, tokens, strict=True) if want[0] == "<")
            try:
                return Address(route, tuple((name, addresses.unescape(token)) for name, token in named))
            except ValueError as error:
                raise UnknownSubject(str(error)) from None
    raise UnknownSubject(f"no message is said on {subject[:200]!r}")


def stream_subjects(stream: str) -> tuple[str, ...]:
    """Return the filters of `stream`, without prefix, in the order of the table."""
    found: dict[str, None] = {}
    for route in ROUTES:
        if route.stream == stream:
            kinds = [f"notice.{level}.>" for level in notices.Severity] if stream == "NOTICES" else [route.filter]
            found.update(dict.fromkeys(kinds))
    return tuple(found)


def matches(pattern: str, subject: str) -> bool:
    """Say whether `subject` is of `pattern`, a filter with `*` and a last `>`."""
    wants, gots = pattern.split("."), subject.split(".")
    for number, want in enumerate(wants):
        if want == ">":
            return len(gots) > number
        if number >= len(gots) or want not in ("*", gots[number]):
            return False
    return len(wants) == len(gots)


@dataclass(frozen=True, slots=True)
class Prefix:
    """What stands before every subject of this installation; empty: nothing."""

    text: str = ""

    def add(self, subject: str) -> str:
        """Return `subject` as it goes over the wire."""
        return f"{self.text}.{subject}" if self.text else subject

    def remove(self, subject: str) -> str:
        """Return `subject` as the table has it. Raises: UnknownSubject if it is of another installation."""
        if not self.text:
            return subject
        if not subject.startswith(self.text + "."):
            raise UnknownSubject(f"{subject[:200]!r} does not begin with {self.text!r}")
        return subject[len(self.text) + 1 :]

    def stream(self, name: str) -> str:
        """Return the name of our stream `name` on a server that may hold other installations."""
        return f"{self.text.replace('.', '_')}_{name}" if self.text else name

"""Recorded market data: one JSON line becomes the messages that its feed would have published (DESIGN section 5, last paragraph).

A recording is a file of JSON lines in order of `ts`, gzipped or plain, read line by line: it may be larger than memory. Cents
become dollars by moving the point in their text, so that nothing is rounded; `ts` is copied as it stands.

A line is one message, with these exceptions. What nobody subscribes to (`kind: trade`, other events) is counted and left out.
Betfair records a market's life under the market's id (`1.166811431`) but its quotes under the runner's
(`1.166811431:60424`), which is what is traded: a market's event is therefore also published for each of its runners seen so
far. And it says `open` where a suspension ends, which here is `resumed`.
"""

import gzip
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import IO, Final, Protocol

import msgspec

from bus.messages.addresses import escape
from bus.messages.market import LifecycleEvent

LINE_HEADER: Final = "Wk-Line"
"""Where the event stands in the recording, from 1."""
ORDER_HEADER: Final = "Wk-Order"
"""Which message of this replay it is, from 1 without a gap: lines may be left out, and one may give several messages."""

EVENTS: Final[dict[str, LifecycleEvent]] = {
    "created": LifecycleEvent.CREATED,
    "open": LifecycleEvent.OPEN,
    "close_date_updated": LifecycleEvent.CLOSE_TS_CHANGED,
    "suspended": LifecycleEvent.HALTED,
    "close": LifecycleEvent.CLOSE,
    "closed": LifecycleEvent.CLOSE,
    "determined": LifecycleEvent.DETERMINED,
    "settled": LifecycleEvent.SETTLED,
    "runner_winner": LifecycleEvent.SETTLED,
    "runner_loser": LifecycleEvent.SETTLED,
}
"""What the recorders called it, and what it is called here."""

_RUNNER_MARK: Final = ":"
_SIDES: Final = ("yes_bid", "yes_ask", "no_bid", "no_ask")
_NS_PER_MICROSECOND: Final = 1_000


class _Line(msgspec.Struct):
    """A line as it was recorded; prices stay text (`Raw`), so that no float ever holds them."""

    ts: str
    kind: str
    ticker: str = ""
    symbol: str = ""
    source: str = ""
    event: str = ""
    result: str = ""
    rule: str = ""
    close_ts: str = ""
    price: msgspec.Raw = msgspec.Raw()
    strike: msgspec.Raw = msgspec.Raw()
    yes_bid: msgspec.Raw = msgspec.Raw()
    yes_ask: msgspec.Raw = msgspec.Raw()
    no_bid: msgspec.Raw = msgspec.Raw()
    no_ask: msgspec.Raw = msgspec.Raw()


class RecordedEvent(msgspec.Struct, frozen=True):
    """One message of a recording, ready to be published. line: from 1. ts: RFC 3339 as recorded."""

    line: int
    ts: str
    subject: str
    payload: bytes


def instant_ns(ts: str) -> int:
    """Return an RFC 3339 instant as nanoseconds since the epoch. Raises: ValueError if it is none, or names no zone."""
    moment = datetime.fromisoformat(ts)
    if moment.tzinfo is None:
        raise ValueError(f"{ts!r} names no time zone")
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return ((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds) * _NS_PER_MICROSECOND


def instant_text(ns: int) -> str:
    """Return `ns` as RFC 3339 in UTC with microseconds (finer digits are dropped)."""
    moment = datetime.fromtimestamp(ns // 1_000_000_000, tz=UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{ns // 1_000 % 1_000_000:06d}Z"


class ClosingLines(Protocol):
    """Lines that are read one by one and closed."""

    def __iter__(self) -> Iterator[bytes]:
        """Yield them."""
        ...

    def close(self) -> None:
        """Let go of what they come from."""
        ...


def open_recording(path: Path) -> IO[bytes]:
    """Open a recording for reading line by line. Raises: OSError."""
    return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")  # type: ignore[return-value] # GzipFile reads as IO[bytes]


class Recording:
    """Reads a recording from its start. source: the feed's name, given to quotes and prices that carry none.

    lines: what reads the file; its lines are closed as a file is.
    """

    def __init__(self, path: Path, *, source: str = "", lines: Callable[[Path], ClosingLines] = open_recording) -> None:
        self.path = path
        self._open = lines
        self.lines = 0
        """Lines read so far."""
        self.ignored: Counter[str] = Counter()
        """What was left out, by kind and event; `unreadable` for a line that is no event."""
        self._source = source
        self._decode = msgspec.json.Decoder(_Line).decode
        self._quotes: dict[str, tuple[str, bytes]] = {}
        self._prices: dict[str, tuple[str, bytes]] = {}
        self._runners: dict[str, list[str]] = {}
        self._halted: set[str] = set()
        self._dollars: dict[bytes, bytes] = {}

    def __iter__(self) -> Iterator[RecordedEvent]:
        messages: dict[str, Callable[[_Line], list[tuple[str, bytes]]]] = {
            "quote": self._quote,
            "price": self._price,
            "lifecycle": self._lifecycle,
        }
        with closing(self._open(self.path)) as file:
            for raw in file:
                self.lines += 1
                try:
                    line = self._decode(raw)
                    published = messages[line.kind](line) if line.kind in messages else []
                except (msgspec.MsgspecError, ArithmeticError, ValueError):
                    self.ignored["unreadable"] += 1
                    continue
                if not published:
                    self.ignored[f"{line.kind} {line.event}".strip()] += 1
                for subject, payload in published:
                    yield RecordedEvent(self.lines, line.ts, subject, payload)

    def _quote(self, line: _Line) -> list[tuple[str, bytes]]:
        known = self._quotes.get(line.ticker)
        if known is None:
            known = self._quotes[line.ticker] = self._address("market.quote.", "ticker", line.ticker, line.source)
            market, mark, _ = line.ticker.partition(_RUNNER_MARK)
            if mark:
                self._runners.setdefault(market, []).append(line.ticker)
        subject, start = known
        parts = [start, line.ts.encode(), b'"']
        for side, cents in zip(_SIDES, (line.yes_bid, line.yes_ask, line.no_bid, line.no_ask), strict=True):
            text = bytes(cents)
            if text and text != b"null":
                parts.append(b',"%b":"%b"' % (side.encode(), self._in_dollars(text)))
        parts.append(b"}")
        return [(subject, b"".join(parts))]

    def _price(self, line: _Line) -> list[tuple[str, bytes]]:
        known = self._prices.get(line.symbol)
        if known is None:
            known = self._prices[line.symbol] = self._address("market.price.", "symbol", line.symbol, line.source)
        subject, start = known
        return [(subject, b'%b%b","price":"%b"}' % (start, line.ts.encode(), _plain(bytes(line.price))))]

    def _address(self, prefix: str, name: str, value: str, source: str) -> tuple[str, bytes]:
        """Return the subject of `value`'s ticks, and the start of their payload up to the text of `ts`."""
        fields = {name: value}
        if source or self._source:
            fields["source"] = source or self._source
        return prefix + escape(value), msgspec.json.encode(fields)[:-1] + b',"ts":"'

    def _in_dollars(self, cents: bytes) -> bytes:
        dollars = self._dollars.get(cents)
        if dollars is None:
            dollars = self._dollars[cents] = f"{Decimal(cents.decode()).scaleb(-2):f}".encode()
        return dollars

    def _lifecycle(self, line: _Line) -> list[tuple[str, bytes]]:
        event = EVENTS.get(line.event)
        if event is None:
            return []
        if event is LifecycleEvent.HALTED:
            self._halted.add(line.ticker)
        elif event is LifecycleEvent.OPEN and line.ticker in self._halted:
            self._halted.discard(line.ticker)
            event = LifecycleEvent.RESUMED
        facts: dict[str, str] = {"ts": line.ts, "event": event.value}
        for name in ("symbol", "result", "close_ts"):
            if text := getattr(line, name):
                facts[name] = text
        if (strike := bytes(line.strike)) not in (b"", b"null"):
            facts["strike"] = _plain(strike).decode()
            if line.rule == "yes if price at close >= strike":
                facts["strike_type"] = "above"
        tickers = [line.ticker, *self._runners.get(line.ticker, ())]
        return [(f"market.lifecycle.{escape(t)}", msgspec.json.encode({"ticker": t, **facts})) for t in tickers]


def _plain(number: bytes) -> bytes:
    """Return a JSON number without an exponent. Raises: ArithmeticError if it is none."""
    return f"{Decimal(number.decode()):f}".encode()

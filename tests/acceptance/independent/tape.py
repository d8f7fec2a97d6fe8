"""What was recorded, market by market. Part of the independent check: imports nothing of Watchkeeper."""

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

S = 1_000_000_000


def instant(text: str) -> int:
    """Return an RFC 3339 instant in nanoseconds."""
    since = datetime.fromisoformat(text) - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * S + since.microseconds * 1_000


def seconds(value: object) -> int:
    return int(Decimal(str(value)) * S)


@dataclass(frozen=True)
class Event:
    """One line about one market. Prices in dollars; a side where nobody is stands as None."""

    line: int
    ts: int
    kind: str
    yes_bid: Decimal | None = None
    yes_ask: Decimal | None = None
    no_bid: Decimal | None = None
    no_ask: Decimal | None = None
    price: Decimal | None = None
    what: str = ""
    result: str | None = None
    close_ts: int | None = None


@dataclass
class Market:
    """Everything recorded about one ticker or symbol, in order, and the feed that said it."""

    events: list[Event] = field(default_factory=list)
    feed: str = ""


@dataclass
class Tape:
    """A whole recording: its markets, when each feed spoke, and where each line stands."""

    markets: dict[str, Market] = field(default_factory=dict)
    feeds: dict[str, list[int]] = field(default_factory=dict)
    by_line: dict[int, tuple[str, Event]] = field(default_factory=dict)
    last_ts: int = 0


def read(recording: Path, source: str, until_ts: int) -> Tape:
    """Read what a recording holds up to `until_ts`; `source` names the feed of lines that carry none."""
    tape = Tape()
    opener = gzip.open if recording.suffix == ".gz" else open
    with opener(recording, "rt") as lines:
        for number, text in enumerate(lines, 1):
            facts = json.loads(text, parse_float=Decimal, parse_int=Decimal)
            if instant(facts["ts"]) > until_ts:
                continue
            for name, event in _events(number, facts, tape):
                market = tape.markets.setdefault(name, Market())
                market.events.append(event)
                tape.by_line[number] = (name, event)
                tape.last_ts = event.ts
                if event.kind != "lifecycle":
                    market.feed = facts.get("source") or source or name
                    tape.feeds.setdefault(market.feed, []).append(event.ts)
    return tape


def _events(number: int, facts: dict[str, Any], tape: Tape) -> Iterator[tuple[str, Event]]:
    ts = instant(facts["ts"])
    match facts["kind"]:
        case "quote":
            yield (
                facts["ticker"],
                Event(
                    number,
                    ts,
                    "quote",
                    yes_bid=_bid(facts.get("yes_bid")),
                    yes_ask=_ask(facts.get("yes_ask")),
                    no_bid=_bid(facts.get("no_bid")),
                    no_ask=_ask(facts.get("no_ask")),
                ),
            )
        case "price":
            yield facts["symbol"], Event(number, ts, "price", price=facts["price"])
        case "lifecycle":
            close_ts = instant(facts["close_ts"]) if "close_ts" in facts else None
            event = Event(number, ts, "lifecycle", what=facts["event"], result=facts.get("result"), close_ts=close_ts)
            # Betfair closes and suspends the market; what is traded is its runners, `market:runner`.
            runners = [name for name in tape.markets if name.startswith(facts["ticker"] + ":")]
            for name in (facts["ticker"], *runners):
                yield name, event


def _bid(cents: Decimal | None) -> Decimal | None:
    return None if not cents else cents / 100


def _ask(cents: Decimal | None) -> Decimal | None:
    return None if cents is None or cents <= 0 or cents >= 100 else cents / 100

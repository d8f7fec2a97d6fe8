"""Trades and ticks for the benchmarks."""

import json
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal

from tests.bench.raw import RawClient, publication

CALM = Decimal("0.900")
"""A bid at which nothing fires."""
_WINDOW = 200


def instant() -> str:
    """Return now, as the wire writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def quote(ticker: str, bid: Decimal, ts: str | None = None) -> bytes:
    """Return the publication of one quote, two cents wide. ts: now unless given."""
    ask_price = bid + Decimal("0.02")
    payload = (
        f'{{"ticker":"{ticker}","ts":"{ts or instant()}","source":"bench","yes_bid":"{bid}","yes_ask":"{ask_price}"}}'
    )
    return publication(f"market.quote.{ticker}", payload.encode())


def ticker_of(number: int) -> str:
    """Return the name of a market."""
    return f"BENCH-{number:03d}"


def quotes(markets: int, step: int, level: Decimal = CALM) -> bytes:
    """Return one quote of each market, at CALM far above every stop; what is bid moves with `step`."""
    ts, bid = instant(), level + Decimal(step % 5) / 1000
    return b"".join(quote(ticker_of(number), bid, ts) for number in range(markets))


def beat() -> bytes:
    """Return the feed's word that it may be silent for an hour: what is measured is not what silence does."""
    payload = f'{{"source":"bench","ts":"{instant()}","max_silence_s":3600}}'
    return publication("market.feed.bench", payload.encode())


def adoption(trade_id: str, ticker: str, stop_price: Decimal) -> dict[str, object]:
    """Return a request to adopt a live trade with one price stop."""
    return {
        "trade_id": trade_id,
        "account": "bench",
        "venue": "bench",
        "mode": "live",
        "ticker": ticker,
        "side": "yes",
        "quantity": "10",
        "entry_price": "0.95",
        "entry_ts": instant(),
        "tick_size": "0.001",
        "stops": [{"rule": "price", "stop_price": str(stop_price), "confirm_ticks": "1"}],
        "requested_by": "bench",
    }


def adopt_all(url: str, requests: Iterable[dict[str, object]]) -> int:
    """Adopt trades, a window of requests at a time. Returns how many stand. Raises: RuntimeError at the first refusal."""
    waiting = 0
    done = 0
    with RawClient(url) as client:
        client.subscribe("_INBOX.bench.adopt")
        answers = client.messages()
        for payload in requests:
            body = json.dumps(payload).encode()
            client.send(b"PUB trade.request.adopt _INBOX.bench.adopt %d\r\n%s\r\n" % (len(body), body))
            waiting += 1
            if waiting >= _WINDOW:
                done += _accepted(next(answers)[2])
                waiting -= 1
        for _ in range(waiting):
            done += _accepted(next(answers)[2])
    return done


def _accepted(answer: bytes) -> int:
    reply = json.loads(answer)
    if not reply["ok"]:
        raise RuntimeError(f"a trade was refused: {reply['error']}")
    return 1


def pace(started_ns: int, sent: int, per_second: int) -> None:
    """Wait until `sent` messages are due; a paced publisher, not a poll."""
    ahead_s = sent / per_second - (time.monotonic_ns() - started_ns) / 1e9
    if ahead_s > 0:
        time.sleep(ahead_s)

"""Small recordings and demo documents for the tests of the independent check. It, too, imports nothing of Watchkeeper."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

START = 1_784_000_000


def at(second: float) -> str:
    """Return the instant `second` seconds into the recording."""
    return datetime.fromtimestamp(START + second, tz=UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def a_quote(second: float, bid: int | None, ask: int | None) -> dict[str, Any]:
    """Return a recorded quote of ticker T, in cents."""
    no_bid, no_ask = (None if ask is None else 100 - ask), (None if bid is None else 100 - bid)
    sides = {"yes_bid": bid, "yes_ask": ask, "no_bid": no_bid, "no_ask": no_ask}
    return {"ts": at(second), "kind": "quote", "ticker": "T", **sides}


def a_price(second: float, price: str) -> dict[str, Any]:
    """Return a recorded price of symbol BTC."""
    return {"ts": at(second), "kind": "price", "symbol": "BTC", "price": float(price)}


def an_end(second: float, event: str, result: str | None = None) -> dict[str, Any]:
    """Return a recorded lifecycle event of ticker T."""
    end = {"ts": at(second), "kind": "lifecycle", "ticker": "T", "event": event}
    return end if result is None else {**end, "result": result}


def a_stop(rule: str, **settings: str) -> dict[str, Any]:
    """Return a stop as a trade in the document carries it."""
    guards = {"profit": {}, "time": {}}.get(rule, {"confirm_ticks": "2"})
    return {"rule": rule, "settings": {**guards, "max_quote_disagreement": "0.18", **settings}}


def a_trade(*stops: dict[str, Any], **facts: Any) -> dict[str, Any]:  # any field of the document
    """Return a trade of 10 YES, entered on line 1 at 0.51; `facts` say how it ended."""
    trade = {
        "trade_id": "demo-1",
        "ticker": "T",
        "side": "yes",
        "quantity": "10",
        "entry_price": "0.51",
        "entry_ts": at(0.05),
        "stops": list(stops),
        "state": "open",
        "rule": None,
        "exit_price": None,
        "exit_ts": None,
        "fees": "0",
        "pnl": "0",
    }
    return {**trade, **facts}


def a_document(*trades: dict[str, Any], to: float) -> dict[str, Any]:
    """Return the demo's document, as far as the check reads it."""
    stops = {
        "confirm_max_wait_s": "2",
        "crossed_max_s": "2",
        "max_spread": "0.20",
        "max_silence_s": "300",
        "max_input_age_s": "300",
        "max_frozen_s": "0",
        "close_slippage": "0.05",
        "close_slippage_percent": "0.5",
        "close_empty_book": "rest",
        "rest_max_s": "5",
    }
    venue = {"latency_ms": "50", "style": "sell", "cutoff_s": "1", "fee_model": "none"}
    (pnl,) = {trade["pnl"] for trade in trades}
    return {
        "recording": {"to": at(to)},
        "settings": {"source": "feed", "stops": stops, "venue": venue},
        "trades": list(trades),
        "pnl": pnl,
    }


def a_recording(folder: Path, *lines: dict[str, Any]) -> Path:
    """Write `lines` as a recording."""
    path = folder / "recording.jsonl"
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    return path

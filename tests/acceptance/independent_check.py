"""Decides the demo's trades again, from the recording alone, and compares.

    python -m tests.acceptance.independent_check DEMO.json RECORDING.jsonl.gz

It (with the modules in `independent` beside it) imports nothing of Watchkeeper and was written from SPEC 1.1 to 1.3, not from the code that it checks. From the document it takes the
settings and, for each trade, what was asked for: line, side, quantity, stops. From the recording it takes everything else:
at what price the entry was filled, when which stop had to fire, when and at what price the close was filled, what was paid at
settlement. Decimal and whole nanoseconds throughout: it agrees exactly or says where it does not.

It models what recordings contain: quotes without sizes, prices of an underlying, market lifecycles; feeds that are never silent
for longer than they may be; no fees. It complains about anything else instead of passing over it.
"""

import bisect
import json
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.acceptance.independent.life import Fate, Life
from tests.acceptance.independent.stops import Asked, Stop
from tests.acceptance.independent.tape import S, Tape, instant, read, seconds

MODELLED = {"probability", "price", "loss", "profit", "trailing", "time", "stale"}


def shown(ns: int | None) -> str:
    return "nothing" if ns is None else datetime.fromtimestamp(ns / S, tz=UTC).isoformat(timespec="milliseconds")


def check(document: dict[str, Any], recording: Path) -> list[str]:
    """Return every difference between the demo's document and what the recording says; empty: it agrees exactly."""
    settings = document["settings"]
    end_ts = instant(document["recording"]["to"])
    tape = read(recording, settings["source"], end_ts)
    latency = int(Decimal(str(settings["venue"]["latency_ms"])) * 1_000_000)
    found = _unmodelled(settings)
    pnl = Decimal(0)
    for trade in document["trades"]:
        found += [f"{trade['trade_id']}: {text}" for text in _check_trade(trade, tape, settings, end_ts + latency)]
        pnl += Decimal(trade["pnl"])
    if pnl != Decimal(document["pnl"]):
        found.append(f"the trades' pnl adds up to {pnl}, the document says {document['pnl']}")
    if len({trade["trade_id"] for trade in document["trades"]}) != len(document["trades"]):
        found.append("a trade stands in the document twice")
    return found


def _unmodelled(settings: dict[str, Any]) -> list[str]:
    venue = settings["venue"]
    wanted = {"style": "sell", "fee_model": "none"}
    return [f"venue.{key} {venue[key]!r} is not modelled" for key, value in wanted.items() if venue[key] != value]


def _check_trade(trade: dict[str, Any], tape: Tape, settings: dict[str, Any], end_ts: int) -> list[str]:
    line = int(trade["trade_id"].removeprefix("demo-"))
    if line not in tape.by_line:
        return ["its line is not in the recording"]
    name, event = tape.by_line[line]
    if name != trade["ticker"]:
        return [f"line {line} is about {name}, not about {trade['ticker']}"]
    stops = [Stop(stop["rule"], _numbers(stop["settings"])) for stop in trade["stops"]]
    filled = trade["entry_price"] is not None
    asked = Asked(
        side=trade["side"],
        quantity=Decimal(trade["quantity"]),
        entry_price=Decimal(trade["entry_price"]) if filled else Decimal(0),
        entry_ts=instant(trade["entry_ts"]) if filled else 0,
        stops=stops,
    )
    life = Life(asked, tape.markets[name], settings, line, end_ts)
    entry = life.fill_of_entry(event.ts)
    if entry is None or not filled:
        return _compare("state", trade["state"], "rejected") + _compare("entry_price", trade["entry_price"], entry)
    latency = int(Decimal(str(settings["venue"]["latency_ms"])) * 1_000_000)
    found = _compare("entry_price", asked.entry_price, entry)
    found += _compare_instant("entry_ts", asked.entry_ts, event.ts + latency)
    found += _silences(asked, trade, tape, name, settings)
    return found or _compare_fate(trade, life.play())


def _numbers(settings: dict[str, Any]) -> dict[str, Decimal]:
    return {key: Decimal(str(value)) for key, value in settings.items() if key != "policy"}


def _silences(asked: Asked, trade: dict[str, Any], tape: Tape, name: str, settings: dict[str, Any]) -> list[str]:
    """Say where an input would have been stale, or a rule is not known here: what follows then is not modelled."""
    found = [f"rule {stop.rule} is not modelled" for stop in asked.stops if stop.rule not in MODELLED]
    linear = trade["side"] in ("long", "short")
    limit = seconds(settings["stops"]["max_input_age_s" if linear else "max_silence_s"])
    spoke = tape.feeds[tape.markets[name].feed]
    until = instant(trade["exit_ts"]) if trade["exit_ts"] else spoke[-1]
    first = max(0, bisect.bisect_right(spoke, asked.entry_ts) - 1)
    last = bisect.bisect_left(spoke, until)
    gap = max((b - a for a, b in zip(spoke[first:last], spoke[first + 1 : last + 1], strict=False)), default=0)
    if gap > limit:
        found.append(f"its feed was silent for {gap / S} s: staleness is not modelled")
    if linear and Decimal(str(settings["stops"]["max_frozen_s"])):
        found.append("frozen prices are not modelled")
    return found


def _compare_fate(trade: dict[str, Any], fate: Fate) -> list[str]:
    found = _compare("state", trade["state"], fate.state) + _compare("rule", trade["rule"], fate.rule)
    exit_price = None if trade["exit_price"] is None else Decimal(trade["exit_price"])
    found += _compare("exit_price", exit_price, fate.exit_price)
    found += _compare_instant("exit_ts", None if trade["exit_ts"] is None else instant(trade["exit_ts"]), fate.exit_ts)
    found += _compare("fees", Decimal(trade["fees"]), Decimal(0))
    return found + _compare("pnl", Decimal(trade["pnl"]), fate.pnl)


def _compare(name: str, is_: object, must: object) -> list[str]:
    return [] if is_ == must else [f"{name} is {is_}, must be {must}"]


def _compare_instant(name: str, is_: int | None, must: int | None) -> list[str]:
    return [] if is_ == must else [f"{name} is {shown(is_)}, must be {shown(must)}"]


def main(words: list[str]) -> int:
    """Compare a document with a recording; 0: they agree."""
    found = check(json.loads(Path(words[0]).read_text()), Path(words[1]))
    for text in found:
        sys.stdout.write(f"{text}\n")
    sys.stdout.write(f"{len(found)} differences\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

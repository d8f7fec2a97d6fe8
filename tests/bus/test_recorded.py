import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from bus.recorded import RecordedEvent, Recording, instant_ns, instant_text

TS = "2026-07-14T00:00:35.000Z"


def recorded(folder: Path, *lines: dict[str, Any] | str, source: str = "") -> tuple[list[RecordedEvent], Recording]:
    path = folder / "recording.jsonl.gz"
    text = "".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines)
    path.write_bytes(gzip.compress(text.encode()))
    recording = Recording(path, source=source)
    return list(recording), recording


def a_quote(**facts: object) -> dict[str, Any]:
    return {"ts": TS, "kind": "quote", "ticker": "T", **facts}


def a_lifecycle(event: str, ticker: str = "T", **facts: object) -> dict[str, Any]:
    return {"ts": TS, "kind": "lifecycle", "ticker": ticker, "event": event, **facts}


@pytest.mark.parametrize(
    ("cents", "dollars"),
    [("0", "0.00"), ("3", "0.03"), ("97.087379", "0.97087379"), ("99.9", "0.999"), ("100", "1.00"), ("1e1", "0.1")],
)
def test_cents_become_dollars_without_rounding(tmp_path: Path, cents: str, dollars: str) -> None:
    """Lesson 63."""
    (event,), _ = recorded(tmp_path, f'{{"ts":"{TS}","kind":"quote","ticker":"T","yes_bid":{cents}}}')

    assert json.loads(event.payload)["yes_bid"] in (dollars, f"{dollars}0")


def test_a_side_where_nobody_is_is_left_out(tmp_path: Path) -> None:
    (event,), _ = recorded(tmp_path, a_quote(yes_bid=None, yes_ask=97))

    assert json.loads(event.payload) == {"ticker": "T", "ts": TS, "yes_ask": "0.97"}


def test_a_quote_is_published_under_its_escaped_ticker(tmp_path: Path) -> None:
    (event,), _ = recorded(tmp_path, {**a_quote(yes_bid=1), "ticker": "KXBTCD-T119499.99"})

    assert event.subject == "market.quote.KXBTCD-T119499%2E99"


def test_a_price_is_copied_as_it_was_written(tmp_path: Path) -> None:
    line = f'{{"ts":"{TS}","kind":"price","symbol":"BTC-USD","price":63304.20030119507}}'

    (event,), _ = recorded(tmp_path, line)

    assert (event.subject, json.loads(event.payload)["price"]) == ("market.price.BTC-USD", "63304.20030119507")


def test_the_feed_is_named_where_the_line_names_none(tmp_path: Path) -> None:
    named = {"ts": TS, "kind": "price", "symbol": "B", "price": 1, "source": "own"}

    events, _ = recorded(tmp_path, a_quote(yes_bid=1), named, source="given")

    assert [json.loads(event.payload)["source"] for event in events] == ["given", "own"]


@pytest.mark.parametrize(
    ("recorded_as", "published_as"),
    [
        ("created", "created"),
        ("open", "open"),
        ("close_date_updated", "close_ts_changed"),
        ("suspended", "halted"),
        ("close", "close"),
        ("closed", "close"),
        ("determined", "determined"),
        ("settled", "settled"),
        ("runner_winner", "settled"),
        ("runner_loser", "settled"),
    ],
)
def test_what_happened_to_a_market_is_called_by_our_names(tmp_path: Path, recorded_as: str, published_as: str) -> None:
    (event,), _ = recorded(tmp_path, a_lifecycle(recorded_as))

    assert json.loads(event.payload)["event"] == published_as


def test_a_lifecycle_carries_what_was_announced(tmp_path: Path) -> None:
    announced = {
        "symbol": "BTC-USD",
        "strike": 63123.54486379762,
        "close_ts": TS,
        "rule": "yes if price at close >= strike",
    }

    (event,), _ = recorded(tmp_path, {**a_lifecycle("open"), **announced})

    assert json.loads(event.payload) == {
        "ticker": "T",
        "ts": TS,
        "event": "open",
        "symbol": "BTC-USD",
        "close_ts": TS,
        "strike": "63123.54486379762",
        "strike_type": "above",
    }


def test_a_strike_that_nobody_knew_is_left_out(tmp_path: Path) -> None:
    (event,), _ = recorded(tmp_path, a_lifecycle("open", strike=None))

    assert "strike" not in json.loads(event.payload)


def test_what_happens_to_a_market_happens_to_each_runner_seen(tmp_path: Path) -> None:
    runners = [{**a_quote(yes_bid=1), "ticker": f"1.5:{name}"} for name in ("A", "B")]

    events, _ = recorded(tmp_path, *runners, a_lifecycle("suspended", "1.5"), a_lifecycle("open", "1.5"))

    said = [(event.subject, json.loads(event.payload)["event"], event.line) for event in events[2:]]
    assert said == [
        ("market.lifecycle.1%2E5", "halted", 3),
        ("market.lifecycle.1%2E5:A", "halted", 3),
        ("market.lifecycle.1%2E5:B", "halted", 3),
        ("market.lifecycle.1%2E5", "resumed", 4),
        ("market.lifecycle.1%2E5:A", "resumed", 4),
        ("market.lifecycle.1%2E5:B", "resumed", 4),
    ]


def test_what_nobody_subscribes_to_is_counted_and_left_out(tmp_path: Path) -> None:
    trade = {"ts": TS, "kind": "trade", "ticker": "T", "yes_price": 23}

    events, recording = recorded(tmp_path, trade, a_lifecycle("weighed"), "not json", '{"ts":1}', a_quote(yes_bid=1))

    assert [event.line for event in events] == [5]
    assert recording.ignored == {"trade": 1, "lifecycle weighed": 1, "unreadable": 2}


def test_a_plain_file_is_read_as_a_packed_one(tmp_path: Path) -> None:
    path = tmp_path / "recording.jsonl"
    path.write_text(json.dumps(a_quote(yes_bid=1)))

    assert [event.line for event in Recording(path)] == [1]


def test_an_instant_survives_the_way_there_and_back() -> None:
    text = "2026-07-14T03:38:44.123456Z"

    assert instant_text(instant_ns(text)) == text


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        instant_ns("2026-07-14T03:38:44")

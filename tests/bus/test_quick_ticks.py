"""The quick way to read a tick gives what `plain` gives, or fails as it does."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus.messages.market import FeedBeat, Momentum, Probability, Quote, SpotPrice, Tick
from bus.messages.plain import from_json
from bus.quick_ticks import reader

KINDS = (Quote, SpotPrice, Probability, Momentum, FeedBeat)
READERS = {kind: reader(kind) for kind in KINDS}
TEXTS = ("0.30", "0.300", "-0", "1", "1e3", "NaN", "", "x", "2026-07-14T12:00:00Z", "2026-07-14T12:00:00.123456+00:00")
BAD_INSTANTS = ("2026-07-14T12:00:00.1234567Z", "2026-02-30T12:00:00Z", "2026-07-14 12:00:00Z", "2026-07-14T12:00:00.Z")
OTHERS: tuple[Any, ...] = (0.3, 1, -1, None, True, [])
VALUES: st.SearchStrategy[Any] = st.sampled_from((*TEXTS, *BAD_INSTANTS, *OTHERS))
GOOD: dict[str, Any] = {
    "ticker": "KX-1",
    "symbol": "BTC",
    "source": "kalshi",
    "ts": "2026-07-14T12:00:00.5Z",
    "price": "1.50",
    "probability": "97.1",
    "momentum": "-0.35",
    "max_silence_s": 5,
}
NAMES = sorted({field.name for kind in KINDS for field in msgspec.structs.fields(kind)})


def outcome(read: Any, body: bytes) -> Tick | str:
    try:
        found: Tick = read(body)
    except msgspec.DecodeError as error:
        return str(error)
    return found


@given(st.sampled_from(KINDS), st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=4))
def test_what_is_read_is_what_plain_reads_first_and_again(kind: type[Tick], changes: dict[str, Any]) -> None:
    body = json.dumps(GOOD | changes).encode()
    expected = outcome(lambda given: from_json(kind, given), body)

    found = [outcome(READERS[kind], body) for _ in range(2)]

    assert [repr(one) for one in found] == [repr(expected)] * 2


@pytest.mark.parametrize("kind", KINDS[:-1])
def test_the_same_numbers_of_another_ticker_are_that_ticker_s(kind: type[Tick]) -> None:
    said = [json.dumps(GOOD | {"ticker": name, "symbol": name, "source": None}).encode() for name in ("A", "B")]

    found = [READERS[kind](body) for body in said]

    assert [getattr(one, "ticker", getattr(one, "symbol", None)) for one in found] == ["A", "B"]
    assert [one.source for one in found] == [None, None]

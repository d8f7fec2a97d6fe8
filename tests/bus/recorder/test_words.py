"""A word that was packed is the word again, digit for digit."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus.codec import Codec
from bus.messages.addresses import order_submit
from bus.messages.envelope import Malformed, Message, Received
from bus.messages.market import FeedBeat, Momentum, Part, Probability, Quote, SpotPrice, Ticks
from bus.messages.orders import OrderArrived, OrderCancel
from bus.messages.plain import to_json
from bus.messages.records import OrdersTail, Recovered
from bus.messages.system import Reply
from bus.messages.timers import TimerFired
from bus.recorder.words import UnreadableWord, WrittenQuote, look, pack, unpack
from tests.bus.examples import BY_TYPE, DECISION, EXAMPLES, NS, ORDER, TRADE

THIRD = Decimal(1) / 3


def back(word: object) -> object:
    name, raw = pack(word)
    return unpack((name, msgspec.Raw(bytes(raw))))


def received(message: Message, subject: str) -> Received[Any]:
    word = Codec().decode(subject, to_json(message), {}, NS)
    assert isinstance(word, Received), word
    return word


HEARD = [word for word in EXAMPLES if not isinstance(word, Reply)]
"""A reply may hold anything; it is said, and never heard."""


@pytest.mark.parametrize("word", HEARD, ids=lambda word: type(word).__name__)
def test_every_message_comes_back(word: Message) -> None:
    assert back(word) == word


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_a_number_keeps_every_digit_and_its_exponent(number: Decimal) -> None:
    found = back(msgspec.structs.replace(TRADE, fees=number))

    assert str(found.fees) == str(number)  # type: ignore[attr-defined]


def test_ticks_of_every_kind_come_back_in_their_order() -> None:
    ticks = Ticks(
        batch=(
            Quote(ticker="KX", ts=NS, yes_bid=THIRD),
            SpotPrice(symbol="BTC", ts=NS, price=Decimal("61000.50")),
            Probability(ticker="KX", ts=NS, probability=Decimal("40.0")),
            Momentum(symbol="BTC", ts=NS, momentum=Decimal("-0.35")),
            FeedBeat(source="kalshi", ts=NS, max_silence_s=2.5),
        ),
        received_ns=NS + 1,
    )

    for part in Part:
        assert back(msgspec.structs.replace(ticks, part=part)) == msgspec.structs.replace(ticks, part=part)


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        (Ticks, ("batch", "received_ns", "part")),
        (Received, ("message", "subject", "key", "digest", "body", "received_ns", "delivery", "reply_to")),
        (OrderArrived, ("order", "token", "sequence", "now_ns")),
        # Where the orders stand decides nothing, and is left out.
        (OrdersTail, ("submits", "sequences", "reports", "decisions", "stream", "last")),
    ],
)
def test_a_word_that_is_packed_by_hand_has_no_field_that_would_be_forgotten(
    kind: type[msgspec.Struct], fields: tuple[str, ...]
) -> None:
    assert kind.__struct_fields__ == fields


def test_a_quote_is_written_with_each_field_that_it_has() -> None:
    assert WrittenQuote.__struct_fields__ == Quote.__struct_fields__


def test_a_quote_with_sizes_and_one_of_a_linear_instrument_come_back() -> None:
    numbers = {name: Decimal(number) / 8 for number, name in enumerate(Quote.__struct_fields__[3:])}
    whole = Quote(ticker="KX", ts=NS, source="kalshi", **numbers)
    ticks = Ticks(batch=(whole, Quote(ticker="BTC", ts=NS, ask=Decimal("61000.50"))), received_ns=NS)

    assert back(ticks) == ticks


def test_an_input_is_read_from_its_own_bytes_by_its_subject() -> None:
    word = received(ORDER, order_submit("kalshi", ORDER.trade_id))

    assert back(word) == word


def test_what_a_start_begins_with_comes_back_with_its_settings() -> None:
    layers = {("global", ""): {"price.floor": Decimal("0.30"), "on": True, "style": "sell"}}
    found = Recovered(trades=(TRADE,), layers=layers, fill_ids=frozenset([("a", "f1")]), reduce_only=frozenset([""]))

    assert back(found) == found


def test_the_end_of_orders_comes_back_with_what_could_not_be_read() -> None:
    bad = Malformed(subject="order.report.x.t", body=b"\xff", reason="not UTF-8", received_ns=NS)
    tail = OrdersTail(submits=(ORDER,), reports=(bad,), decisions=(DECISION,), last=9)

    assert back(tail) == tail


def test_an_order_or_a_cancel_on_its_way_to_paper_comes_back() -> None:
    cancel = BY_TYPE[OrderCancel]
    assert isinstance(cancel, OrderCancel)
    for order in (ORDER, cancel):
        word = OrderArrived(order=order, token="t", sequence=4, now_ns=NS)

        assert back(word) == word


@pytest.mark.parametrize(
    ("name", "raw", "words"),
    [
        ("Nothing", b"\x80", "no word is called Nothing"),
        ("Trade", b"\x80", "missing required field"),
        ("Ticks", b"\x92\x01\x91\x92\x63\x80", "Ticks"),
        ("Trade", b"\xc1", "Trade"),
    ],
)
def test_what_is_no_word_says_so(name: str, raw: bytes, words: str) -> None:
    with pytest.raises(UnreadableWord, match=words):
        unpack((name, msgspec.Raw(raw)))


def test_a_field_of_newer_code_is_ignored_and_a_missing_one_has_its_default() -> None:
    fields: Any = look(pack(TimerFired(owner="o", key="k", due_ns=NS, now_ns=NS)))
    fields["later"] = 1

    found = unpack(("TimerFired", msgspec.Raw(msgspec.msgpack.encode(fields))))

    assert found == TimerFired(owner="o", key="k", due_ns=NS, now_ns=NS)

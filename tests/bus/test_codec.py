"""What is read, and what is not: hostile and merely broken input."""

import json
from decimal import Decimal
from typing import Any

import pytest

from bus.codec import Codec
from bus.messages.envelope import Malformed, Received
from bus.messages.market import Quote
from bus.messages.orders import OrderReport
from bus.subjects import Prefix

NOW_NS = 1_752_685_200_000_000_000
QUOTE: dict[str, Any] = {"ticker": "KX-1.5", "ts": "2025-07-16T17:00:00.123456Z", "yes_bid": "0.45"}
OPEN: dict[str, Any] = {
    "trade_id": "T1",
    "account": "acc",
    "mode": "paper",
    "ticker": "KX-1.5",
    "side": "yes",
    "quantity": "10",
}
REPORT: dict[str, Any] = {"client_order_id": "T1-close-1", "ts": "2025-07-16T17:00:00Z", "status": "accepted"}


def quote(**changes: Any) -> object:
    return read("market.quote.KX-1%2E5", QUOTE | changes)


def read(subject: str, payload: object, **headers: str) -> object:
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Codec().decode(subject, body, named, NOW_NS, reply_to="_INBOX.1")


def raw_quote(price: str) -> object:
    return read(
        "market.quote.KX-1%2E5", f'{{"ticker":"KX-1.5","ts":"2025-07-16T17:00:00Z","yes_bid":{price}}}'.encode()
    )


def key_of(subject: str, payload: object, **headers: str) -> str:
    word = read(subject, payload, **headers)
    assert isinstance(word, Received), word
    return word.key


def digest_of(payload: object) -> str:
    word = read("trade.request.open", payload)
    assert isinstance(word, Received), word
    return word.digest


def test_a_quote_is_read_in_dollars_exactly() -> None:
    """Lesson 43: a golden message."""
    assert quote() == Quote(ticker="KX-1.5", ts=1_752_685_200_123_456_000, yes_bid=Decimal("0.45"))


def test_a_report_of_a_fill_is_read_with_its_fraction() -> None:
    """Lesson 43, Lesson 45"""
    fill = {"fill_id": "f1", "fill_price": "0.305", "fill_quantity": "2.75", "fees": "-0.0035", "status": "filled"}

    word = read("order.report.T1-close-1", REPORT | fill)

    assert isinstance(word, Received)
    assert isinstance(word.message, OrderReport)
    assert (word.message.fill_price, word.message.fill_quantity, word.message.fees) == (
        Decimal("0.305"),
        Decimal("2.75"),
        Decimal("-0.0035"),
    )


@pytest.mark.parametrize(
    "price",
    [
        '"-0.1"',
        '"NaN"',
        '"Infinity"',
        '"-Infinity"',
        '"sNaN"',
        '"1e999"',
        '" 1"',
        '"1_000"',
        '"٣"',
        '"1e-3"',
        '"-0"',
        '""',
        "NaN",
        "Infinity",
        "1e999",
        "-0.5",
        "true",
        "[]",
        '"0.1234567890123"',
        '"1234567890123456789"',
    ],
)
def test_what_is_no_price_is_refused(price: str) -> None:
    """Fault 34"""
    assert isinstance(raw_quote(price), Malformed)


@pytest.mark.parametrize(("price", "exact"), [("0.1", "0.1"), ("1", "1"), ("0.30", "0.30"), ('"0.10"', "0.10")])
def test_a_price_as_a_json_number_is_taken_from_its_text(price: str, exact: str) -> None:
    """Fault 35"""
    word = raw_quote(price)

    assert isinstance(word, Quote)
    assert str(word.yes_bid) == exact


@pytest.mark.parametrize(
    "ts",
    [
        "1970-01-01T00:00:00Z",
        "2262-01-01T00:00:00Z",
        "0001-01-01T00:00:00Z",
        "2025-07-16T17:00:00",
        "2025-07-16T17:00:00+02:00",
        "2025-02-30T17:00:00Z",
        "2025-07-16 17:00:00Z",
        "2025-07-16T17:00:00.1234567Z",
        0,
        1_752_685_200,
        None,
    ],
)
def test_what_is_no_instant_in_utc_is_refused(ts: object) -> None:
    """Fault 31"""
    assert isinstance(quote(ts=ts), Malformed)


@pytest.mark.parametrize(
    "body",
    [
        b'{"ticker":"KX-1.5","ts":"2025-07-16T17:00:00Z","source":"' + b"x" * 10_000_000 + b'"}',
        b"[" * 60_000,
        b'{"a":' * 13_000,
        b'{"ticker":"KX-1.5","ts":"2025-07-16T17:00:00Z","yes_bid":' + b"9" * 5000 + b"}",
        b'{"ticker":"KX-1.5","ts":"2025-07-16T17:00:00Z","extra":' + b"9" * 5000 + b"}",
        b'{"ticker":"KX-1.5","ts":"2025-07-16T17:00:00Z","source":"a\\u0000b"}',
        b'{"ticker":"KX-1.5","ts":"2025-07-16T17:00:00Z","source":"a\x00b"}',
        b'{"ticker":"KX-1.5","ts":"2025-07-16T17:00:00Z","source":"\\ud800"}',
        b'{"ticker":"KX-1.5","ts":"2025-07-16T17:00:00Z","source":"\xff\xfe"}',
        b'{"ticker":"KX-1.5","ts":"2025-07-16T17:00:00Z"',
        b"",
        b"null",
        b"42",
    ],
)
def test_a_hostile_body_is_malformed_and_never_an_exception(body: bytes) -> None:
    """Fault 36"""
    assert isinstance(read("market.quote.KX-1%2E5", body), Malformed)
    assert isinstance(read("trade.request.open", body), Malformed)


def test_what_is_kept_of_an_oversized_body_is_bounded() -> None:
    """Fault 36"""
    word = read("trade.request.open", b"x" * 10_000_000)

    assert isinstance(word, Malformed)
    assert len(word.body) == 65_536


def test_a_key_that_stands_twice_is_refused_where_money_moves() -> None:
    """Fault 36: the decoder alone would let the last one win."""
    body = json.dumps(OPEN).encode()[:-1] + b',"quantity":"1000"}'

    word = read("trade.request.open", body)

    assert isinstance(word, Malformed)
    assert "quantity" in word.reason


def test_a_key_that_stands_twice_further_down_is_refused_too() -> None:
    """Fault 36"""
    body = json.dumps(OPEN).encode()[:-1] + b',"stops":[{"rule":"price","rule":"loss"}]}'

    assert isinstance(read("trade.request.open", body), Malformed)


def test_deep_but_reasonable_payloads_pass() -> None:
    stops = [{"rule": "price", "stop_price": "0.3"}] * 40

    word = read("trade.request.open", OPEN | {"stops": stops})

    assert isinstance(word, Received)


def test_an_unknown_field_is_ignored() -> None:
    """Fault 37"""
    assert quote(colour="green") == quote()


@pytest.mark.parametrize(
    ("subject", "payload"),
    [
        ("market.colour.KX", QUOTE),
        ("trade.request.explode", OPEN),
        ("trade.request", OPEN),
        ("order.report", REPORT),
        ("nonsense", {}),
        ("order.report.T1-close-1", REPORT | {"status": "mostly_filled"}),
        ("trade.request.open", OPEN | {"side": "maybe"}),
        ("trade.request.open", OPEN | {"trade_id": "x" * 41}),
        ("trade.request.open", OPEN | {"trade_id": "a b"}),
    ],
)
def test_what_is_not_known_is_quarantined_not_guessed(subject: str, payload: object) -> None:
    """Fault 37, Lesson 32"""
    assert isinstance(read(subject, payload), Malformed)


def test_an_unknown_lifecycle_event_is_left_to_the_rules_to_count() -> None:
    word = read("market.lifecycle.KX-1%2E5", {"ticker": "KX-1.5", "ts": "2025-07-16T17:00:00Z", "event": "renamed"})

    assert isinstance(word, Received)


@pytest.mark.parametrize(
    ("subject", "payload"),
    [
        ("market.quote.OTHER", QUOTE),
        ("order.report.T2-close-1", REPORT),
        ("account.balance.other", {"account": "acc", "ts": "2025-07-16T17:00:00Z", "balance": "1"}),
    ],
)
def test_a_subject_that_contradicts_its_payload_is_refused(subject: str, payload: object) -> None:
    assert isinstance(read(subject, payload), Malformed)


def test_a_malformed_request_still_knows_whom_to_answer() -> None:
    word = read("trade.request.open", b"{")

    assert isinstance(word, Malformed)
    assert word.reply_to == "_INBOX.1"


def test_the_digest_leaves_out_the_instant_and_the_spelling() -> None:
    """Fault 25"""
    spaced = json.dumps(dict(reversed(OPEN.items())) | {"ts": "2025-07-16T17:00:00Z"}, indent=3).encode()

    assert digest_of(spaced) == digest_of(OPEN)


@pytest.mark.parametrize("change", [{"quantity": "11"}, {"stops": []}, {"limit_price": 0.1}])
def test_the_digest_tells_another_body(change: dict[str, Any]) -> None:
    """Fault 25"""
    assert digest_of(OPEN | change) != digest_of(OPEN)


def test_numbers_beyond_a_floats_precision_have_digests_of_their_own() -> None:
    nearly = json.dumps(OPEN).encode()[:-1] + b',"extra":0.10000000000000001}'

    assert digest_of(nearly) != digest_of(OPEN | {"extra": 0.1})


@pytest.mark.parametrize(
    ("subject", "payload", "key"),
    [
        ("order.report.T1-close-1", REPORT, "report:T1-close-1:accepted"),
        ("order.report.T1-close-1", REPORT | {"fill_id": "f7"}, "report:T1-close-1:f7"),
        ("trade.command.open", OPEN, "command:open:T1"),
        ("trade.request.open", OPEN, "command:open:T1"),
        (
            "trade.request.close",
            {"trade_id": "T1", "reason": "r", "requested_by": "me", "command_id": "c1"},
            "command:close:T1:c1",
        ),
        (
            "account.balance.acc",
            {"account": "acc", "ts": "2025-07-16T17:00:00Z", "balance": "1"},
            f"balance:acc:{NOW_NS}",
        ),
        (
            "market.lifecycle.KX",
            {"ticker": "KX", "ts": "2025-07-16T17:00:00Z", "event": "open"},
            f"lifecycle:KX:open:{NOW_NS}",
        ),
    ],
)
def test_the_dedupe_key_follows_from_the_message(subject: str, payload: object, key: str) -> None:
    """Fault 24"""
    assert key_of(subject, payload) == key


def test_a_given_message_id_is_the_key_within_its_kind() -> None:
    """Fault 24"""
    assert key_of("order.report.T1-close-1", REPORT, Nats_Msg_Id="7") == "report:7"
    assert key_of("trade.command.open", OPEN, Nats_Msg_Id="7") == "command:open:7"


def test_arming_again_later_is_not_a_duplicate() -> None:
    body = {"trade_id": "T1", "rule": "price", "reason": "r", "requested_by": "me"}

    first = Codec().decode("stop.request.arm", json.dumps(body).encode(), {}, NOW_NS, reply_to="_INBOX.1")
    later = Codec().decode("stop.request.arm", json.dumps(body).encode(), {}, NOW_NS, reply_to="_INBOX.2")

    assert isinstance(first, Received)
    assert isinstance(later, Received)
    assert first.key != later.key


def test_another_installations_subject_is_not_ours() -> None:
    word = Codec(Prefix("blue")).decode("green.market.quote.KX", b"{}", {}, NOW_NS)

    assert isinstance(word, Malformed)


def test_a_prefix_is_taken_off() -> None:
    word = Codec(Prefix("blue.one")).decode("blue.one.market.quote.KX-1%2E5", json.dumps(QUOTE).encode(), {}, NOW_NS)

    assert word == quote()

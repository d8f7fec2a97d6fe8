"""Numbers and instants, written and read exactly; what is no number is refused."""

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as some

from bus.messages import plain
from bus.messages.market import Quote, SpotPrice, Ticks
from bus.messages.orders import OrderReport, Settlement
from bus.messages.settings import SettingsChanged
from bus.messages.system import Reply
from bus.messages.trades import StopSpec, Trade
from tests.db.builders import NOW_NS, a_fill, a_trade, an_attempt

SPOT = '{{"symbol":"BTC","ts":"2025-07-16T17:00:00Z","price":{}}}'


@given(some.decimals(min_value=0, max_value=10**18 - 1, places=12, allow_nan=False, allow_infinity=False))
def test_a_price_is_read_as_it_was_written(price: Decimal) -> None:
    spot = SpotPrice(symbol="BTC", ts=NOW_NS, price=price)

    assert plain.from_json(SpotPrice, plain.to_json(spot)).price.as_tuple() == price.as_tuple()


@given(some.integers(min_value=0, max_value=9_214_646_399_999_999))
def test_an_instant_is_read_as_it_was_written(instant_us: int) -> None:
    text = plain.instant_text(instant_us * 1000)

    assert plain.read_instant(text) == instant_us * 1000


@pytest.mark.parametrize(
    ("number", "text"),
    [
        ("1E+3", "1000"),
        ("0E-8", "0.00000000"),
        ("1E-12", "0.000000000001"),
        ("-0.10", "-0.10"),
        ("119499.99", "119499.99"),
        ("0.33333333333333333333", "0.333333333333"),
    ],
)
def test_a_number_is_written_in_plain_notation(number: str, text: str) -> None:
    assert plain.number_text(Decimal(number)) == text


@pytest.mark.parametrize("number", ["NaN", "sNaN", "Infinity", "-Infinity", "1E+18", "-1E+400"])
def test_what_could_not_be_read_back_is_not_written(number: str) -> None:
    with pytest.raises(ValueError, match=r"not a number|outside"):
        plain.number_text(Decimal(number))


@pytest.mark.parametrize("instant_ns", [-1, 10**19, 9_214_646_400_000_000_000])
def test_an_instant_of_no_calendar_is_not_written(instant_ns: int) -> None:
    with pytest.raises(ValueError, match=r"outside|not an instant"):
        plain.instant_text(instant_ns)


@pytest.mark.parametrize(
    "literal",
    [
        *('"NaN"', '"Infinity"', '"-Infinity"', '"sNaN"', '"1e5"', '"1E+1000000"', '" 1"', '"1 "', '"1_000"', '"+1"'),
        *(
            '"-0"',
            '"-0.00"',
            '"-1"',
            "-1",
            "-0.5",
            '"."',
            '"1."',
            '".5"',
            '""',
            '"0x1"',
            '"\u0661"',
            '"\uff11"',
            '"1\\n"',
        ),
        *("1e999", "1e400", "1e18", "1000000000000000000", "9" * 5000, '"1234567890123456789"', '"0.1234567890123"'),
        *("0.30000000000000004", "true", "null", "[1]", '{"a":1}', "NaN", "Infinity"),
    ],
)
def test_what_is_no_price_is_refused(literal: str) -> None:
    """Fault 34"""
    with pytest.raises(msgspec.DecodeError):
        plain.from_json(SpotPrice, SPOT.format(literal))


@pytest.mark.parametrize(
    ("literal", "price"),
    [
        ('"0.45"', "0.45"),
        ("0.45", "0.45"),
        ("0.1", "0.1"),
        ("1", "1"),
        ("1e-05", "0.00001"),
        ("1.5E3", "1500"),
        ('"000.10"', "0.10"),
        ("0.300000000000", "0.300000000000"),
    ],
)
def test_a_price_is_read_digit_for_digit(literal: str, price: str) -> None:
    """Fault 35"""
    assert str(plain.from_json(SpotPrice, SPOT.format(literal)).price) == price


@pytest.mark.parametrize(
    "text",
    [
        *("2025-07-16T17:00:00", "2025-07-16 17:00:00Z", "2025-07-16T17:00:00+02:00", "2025-07-16T17:00:00.1234567Z"),
        *(
            "2025-02-30T00:00:00Z",
            "2025-07-16T24:00:00Z",
            "2025-07-16T23:59:60Z",
            "1969-12-31T23:59:59Z",
            "2262-01-01T00:00:00Z",
        ),
        *("\u0662025-07-16T17:00:00Z", "", "now", "1752685200"),
    ],
)
def test_what_is_no_instant_in_utc_is_refused(text: str) -> None:
    with pytest.raises(msgspec.DecodeError):
        plain.from_json(SpotPrice, f'{{"symbol":"BTC","ts":"{text}","price":"1"}}')


@pytest.mark.parametrize(
    ("text", "instant_us"),
    [
        ("2025-07-16T17:00:00Z", 1_752_685_200_000_000),
        ("2025-07-16T17:00:00+00:00", 1_752_685_200_000_000),
        ("2025-07-16T17:00:00.5Z", 1_752_685_200_500_000),
        ("2025-07-16T17:00:00.000001Z", 1_752_685_200_000_001),
    ],
)
def test_an_instant_is_read_to_the_microsecond(text: str, instant_us: int) -> None:
    assert plain.read_instant(text) == instant_us * 1000


def test_a_loss_may_be_negative_a_price_not() -> None:
    body = '{"account":"a","ticker":"T","ts":"2025-07-16T17:00:00Z","result":"no","revenue":"-4.50"}'

    assert plain.from_json(Settlement, body).revenue == Decimal("-4.50")


def test_a_trade_is_read_as_it_was_written() -> None:
    trade = a_trade(attempts=(an_attempt("t-1", 1),), fills=(a_fill().fill,))

    assert plain.from_json(Trade, plain.to_json(trade)) == trade


def test_settings_keep_what_they_are() -> None:
    spec = StopSpec(rule="stale", settings={"grace_s": Decimal("30.0"), "policy": "alert", "enabled": True})  # type: ignore[dict-item]

    read = plain.from_json(StopSpec, plain.to_json(spec)).settings

    assert [(type(value), str(value)) for value in read.values()] == [(Decimal, "30.0"), (str, "alert"), (bool, "True")]


def test_free_values_are_written_exactly_too() -> None:
    reply = Reply(ok=True, instance="i", epoch=1, ts=NOW_NS, result={"trades": [a_trade()], "pnl": Decimal("1E-7")})

    assert b'"entry_price":"0.45"' in plain.to_json(reply)
    assert b'"pnl":"0.0000001"' in plain.to_json(reply)


def test_a_free_number_never_becomes_a_float() -> None:
    body = plain.to_json(
        {"version": 1, "layer": "defaults", "name": "", "before": {}, "reason": "", "requested_by": "me"}
    )
    text = body.decode()[:-1] + ',"ts":"2025-07-16T17:00:00Z","after":{"max_spread":0.20}}'

    assert plain.from_json(SettingsChanged, text).after == {"max_spread": Decimal("0.20")}


def test_what_is_at_its_default_is_left_out() -> None:
    assert plain.to_json(Quote(ticker="T", ts=0)) == b'{"ticker":"T","ts":"1970-01-01T00:00:00Z"}'


def test_unknown_fields_are_ignored() -> None:
    """Fault 37"""
    assert plain.from_json(Quote, '{"ticker":"T","ts":"1970-01-01T00:00:00Z","new":[1]}') == Quote(ticker="T", ts=0)


@pytest.mark.parametrize(
    "body",
    [
        b'{"client_order_id":"x","ts":"2025-07-16T17:00:00Z","status":"maybe"}',
        b'{"client_order_id":"\xff","ts":"2025-07-16T17:00:00Z","status":"filled"}',
        b'{"client_order_id":"\\ud800","ts":"2025-07-16T17:00:00Z","status":"filled"}',
        b'{"client_order_id":7,"ts":"2025-07-16T17:00:00Z","status":"filled"}',
        b"[" * 100_000,
        b"{",
        b"",
    ],
)
def test_what_cannot_be_read_raises_a_decode_error(body: bytes) -> None:
    """Fault 36"""
    with pytest.raises(msgspec.DecodeError):
        plain.from_json(OrderReport, body)


def test_what_is_only_said_inside_can_be_written_too() -> None:
    ticks = Ticks(batch=(SpotPrice(symbol="BTC", ts=0, price=Decimal("1.50")),), received_ns=1000)

    assert b'"price":"1.50"' in plain.to_json(ticks)

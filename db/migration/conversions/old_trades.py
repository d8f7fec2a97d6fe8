"""What Watchkeeper's own tables need of the old system's trades, beside the exact copy of them: nothing here is taken back from.

A column that is made of these has no sources, only a context: the cells are restored by the columns of the exact copy.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal
from math import ulp
from typing import Any, Final

import msgspec

from bus.messages.plain import to_json
from bus.messages.trades import Mode, Side, Trade, TradeState
from db.migration.cells import Cell
from db.migration.conversions.base import Either, OfOne, Unconvertible, Value
from db.migration.conversions.instants import ClosingTime, DateAndTime
from db.migration.conversions.numbers import decimal_of, spelled_number

_STEP: Final = Decimal("1e-12")
"""Watchkeeper's finest."""
_DIGITS_MAX: Final = 18
_NOISE_ULPS: Final = 4
"""How far a few sums and products of floats are off, in units of the last place."""
_ROUNDING: Final = Context(prec=60, rounding=ROUND_HALF_EVEN)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SIDES: Final = {"Y": Side.YES, "N": Side.NO, "yes": Side.YES, "no": Side.NO}
_OUTCOMES: Final = {"W": "win", "L": "loss", "D": "draw"}


class Denoised(OfOne, frozen=True, kw_only=True, tag="denoised", tag_field="name"):
    """A price or an amount without the noise of floats, into numeric: 0.9299999999999999 (it was 1 - 0.07) is 0.93.

    What is taken off is no more than what a few sums of floats are off; a number with more digits that count is refused. magnitude: without its sign.
    """

    magnitude: bool = False

    def _there(self, cell: Cell) -> Value:
        number = denoised(cell)
        return number.copy_abs() if self.magnitude else number

    def _back(self, value: Value) -> Cell:
        # It has no source: what it was stands in the exact copy.
        del value
        return None


class HeldSide(OfOne, frozen=True, kw_only=True, tag="held_side", tag_field="name"):
    """The side of a position, into text: above 0 is yes, below 0 no, as the venue says it."""

    def _there(self, cell: Cell) -> Value:
        number = decimal_of(cell)
        if not number:
            raise Unconvertible("a position of 0 says no side")
        return Side.YES.value if number > 0 else Side.NO.value

    def _back(self, value: Value) -> Cell:
        # It has no source: what it was stands in the exact copy.
        del value
        return None


class TradeBody(msgspec.Struct, frozen=True, kw_only=True, tag="trade_body", tag_field="name"):
    """A closed trade as `trade.event` says it, into jsonb. reads: what the cells are, by the old system's names. zone: of its clock."""

    account: str
    mode: str
    reads: tuple[str, ...]
    zone: str
    prefix: str = "legacy-"
    venue: str = "kalshi"

    def convert(self, cells: Sequence[Cell]) -> Value:
        """Return the JSON. Raises: Unconvertible, naming what is missing."""
        row = dict(zip(self.reads, cells, strict=True))
        try:
            return as_jsonb(json.loads(to_json(self._trade(row))))
        except (KeyError, ValueError, TypeError, ArithmeticError) as error:
            reason = error.reason if isinstance(error, Unconvertible) else f"{type(error).__name__} in it"
            raise Unconvertible(f"no whole trade: {reason}") from None

    def invert(self, value: Value) -> tuple[Cell, ...]:
        """Return nothing: it is made of what other columns restore."""
        assert isinstance(value, str)
        return ()

    def _trade(self, row: dict[str, Cell]) -> Trade:
        number = row["id"]
        quantity, entry = denoised(row["position"]), denoised(row["buy_price"])
        exit_price = None if row["sell_price"] is None else denoised(row["sell_price"])
        opened = _ns(DateAndTime(zone=self.zone).convert((row["date"], row["time"])))
        formats = ("YYYY-MM-DD hh:mm:ss", "YYYY-MM-DDThh:mm:ss.f*", "YYYY-MM-DDThh:mm:ss.f*+hh:mm")
        closed = _ns(ClosingTime(zone=self.zone, formats=formats).convert((row["closed_at"], row["date"], row["time"])))
        optional: dict[str, Any] = {
            "symbol": row.get("symbol"),
            "strategy": row.get("trade_strategy"),
            "close_reason": row.get("close_method"),
        }
        strike = row.get("strike")
        return Trade(
            trade_id=f"{self.prefix}{int(number) if isinstance(number, int) else _refuse('an id')}",
            state=TradeState.CLOSED,
            version=1,
            account=self.account,
            venue=self.venue,
            mode=self.mode if self.mode.startswith("?") else Mode(self.mode),  # type: ignore[arg-type]  # a question until it is answered
            ticker=str(row["ticker"] or _refuse("a ticker")),
            side=_SIDES[str(row["side"])],
            quantity=quantity,
            ts=closed,
            strike=spelled_number(strike) if isinstance(strike, str) else None,
            requested_ts=opened,
            filled_quantity=quantity,
            entry_cost=entry * quantity,
            closed_quantity=quantity,
            exit_proceeds=Decimal(0) if exit_price is None else exit_price * quantity,
            unpriced_quantity=quantity if exit_price is None else Decimal(0),
            entry_price=entry,
            entry_ts=opened,
            exit_price=exit_price,
            exit_ts=closed,
            fees=denoised(row["fees"]),
            pnl=denoised(row["pnl"]),
            outcome=_OUTCOMES.get(str(row.get("win_loss"))),
            cause="migration",
            legacy_id=number if isinstance(number, int) else None,
            **{name: value for name, value in optional.items() if value},
        )


def as_jsonb(value: object) -> str:
    """Return JSON as PostgreSQL's jsonb spells it, so that it is the same on the way back: short keys first, a space behind each comma and colon."""
    match value:
        case dict():
            keys = sorted(value, key=lambda key: (len(key.encode()), key.encode()))
            return "{" + ", ".join(f"{as_jsonb(key)}: {as_jsonb(value[key])}" for key in keys) + "}"
        case list():
            return "[" + ", ".join(map(as_jsonb, value)) + "]"
        case _:
            return json.dumps(value, ensure_ascii=False)


def denoised(cell: Cell) -> Decimal:
    """Return the number of a cell to twelve decimals, without zeros at its end. Raises: Unconvertible if anything that counts is lost."""
    number = decimal_of(cell)
    if number.adjusted() >= _DIGITS_MAX:
        raise Unconvertible("an amount of more digits than Watchkeeper has")
    rounded = number.quantize(_STEP, context=_ROUNDING)
    noise = Decimal(_NOISE_ULPS * ulp(cell)) if isinstance(cell, float) else Decimal(0)
    if abs(rounded - number) > noise:
        raise Unconvertible("a number of more decimals than Watchkeeper has")
    return Decimal(format(rounded, "f").rstrip("0").rstrip("."))


def _ns(value: Value | Either) -> int:
    if isinstance(value, Either):
        raise Unconvertible("a local time that the clock showed twice")
    if not isinstance(value, datetime):
        raise Unconvertible("no time")
    return (value - _EPOCH) // timedelta(microseconds=1) * 1000


def _refuse(what: str) -> Any:  # noqa: ANN401  # it never returns
    raise Unconvertible(f"{what} is missing")

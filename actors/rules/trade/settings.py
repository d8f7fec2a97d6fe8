"""What a trade's own settings say about its orders, with the defaults of SPEC 1.3 where it carries none."""

from decimal import Decimal
from typing import Final

from bus.messages.trades import Trade
from bus.messages.units import seconds_to_ns

_DEFAULTS: Final[dict[str, Decimal | str]] = {
    "close_slippage": Decimal("0.05"),
    "close_slippage_percent": Decimal("0.5"),
    "close_empty_book": "rest",
    "rest_max_s": Decimal(5),
    "entry_timeout_s": Decimal(30),
    "entry_valid_s": Decimal(5),
    "close_valid_s": Decimal(30),
}


def number(trade: Trade, key: str) -> Decimal:
    """Return the exact number under `key`. Raises: TypeError if the trade carries a word there."""
    value = trade.settings.get(key, _DEFAULTS[key])
    if isinstance(value, str):
        raise TypeError(f"{key} of trade {trade.trade_id} is the word {value!r}, not a number")
    return value


def span_ns(trade: Trade, key: str) -> int:
    """Return the seconds under `key` as nanoseconds."""
    return seconds_to_ns(number(trade, key))


def rests_on_empty_book(trade: Trade) -> bool:
    """Whether a close without a bid rests at the venue (`close_empty_book`), else it is tried again and again."""
    return trade.settings.get("close_empty_book", _DEFAULTS["close_empty_book"]) == "rest"

"""Conversions: from the cells of a SQLite row to one value of PostgreSQL, and back. Pure.

Each is a frozen struct whose fields are its parameters, found in a plan by its name (`Conversion` is the union of all):

    conversion = { name = "instant", formats = ["YYYY-MM-DD hh:mm:ss"], zone = "America/New_York" }

- `convert(cells)` returns the value, an `Either` of two where nothing decides between them, or raises `Unconvertible`. `cells` are
  those of the plan column's `sources`, then of its `context` (columns that are read, and restored by others).
- `invert(value)` returns the cells of `sources`. It needs not be the inverse of everything that `convert` takes: `moving.move` tries it
  for each value, and keeps the original beside those (as literals of SQL, `cells.literal`) that do not come back bit for bit.
- A NULL is NULL, unless a conversion says otherwise.

Values as they must arrive: `int` in bigint, integer, smallint; `float` in double precision, bit for bit; `Decimal` in numeric, with its
own number of decimals, which PostgreSQL keeps in an unconstrained numeric and which tells 2 from 2.0 on the way back; aware `datetime`
in timestamptz, naive in timestamp; `date`, `time`, `bool`; `str` in text or json; `bytes` in bytea.

`numbers.py`, `texts.py`, `instants.py` have them, `old_trades.py` and `old_fills.py` what only the ready plan needs; `spelling.py` reads dates and times by format, exactly and nothing else.
"""

from db.migration.conversions.instants import ClosingTime, DateAndTime, DateOnly, Epoch, Instant, LocalTime, TimeOnly
from db.migration.conversions.numbers import Boolean, Double, Integer, Money, Numeric, TextNumber
from db.migration.conversions.old_fills import Matched, OwnPrice
from db.migration.conversions.old_trades import Denoised, HeldSide, TradeBody
from db.migration.conversions.texts import Blob, Constant, Json, Literal, Prefixed, Text, Words

Conversion = (
    Blob
    | Boolean
    | ClosingTime
    | Constant
    | DateAndTime
    | DateOnly
    | Denoised
    | Double
    | Epoch
    | HeldSide
    | Instant
    | Integer
    | Json
    | Literal
    | LocalTime
    | Matched
    | Money
    | Numeric
    | OwnPrice
    | Prefixed
    | Text
    | TextNumber
    | TimeOnly
    | TradeBody
    | Words
)

__all__ = ["Conversion"]

"""One column, batch by batch: what is kept is of fixed size, whatever the column holds."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Any, Final

from db.migration.cells import Cell, literal, storage_class
from db.migration.profile_words import ColumnProfile, MoneyGuess, Numbers, Outlier, Seen, Texts
from db.migration.sqlite_schema import SqliteColumn
from db.migration.text_kinds import FALSE_WORDS, TRUE_WORDS, kind_of

_VALUES_MAX: Final = 24
_VALUE_LENGTH_MAX: Final = 64
_SHOWN_MAX: Final = 80
_SEEN_MAX: Final = 5
_RARE: Final = 0.1
"""A kind of value that fewer cells have is an outlier."""
_KEPT_FORMATS_MAX: Final = 32
_MONEY: Final = (
    "price",
    "cost",
    "fee",
    "pnl",
    "profit",
    "amount",
    "balance",
    "total",
    "revenue",
    "payout",
    "exposure",
    "capital",
    "usd",
    "dollar",
    "cent",
    "bid",
    "ask",
    "freight",
    "stake",
    "volume",
)
_CENTS: Final = ("cents", "_cent")
_EPOCHS: Final = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
_EPOCH_RANGE_S: Final = (631_152_000, 4_102_444_800)
"""1990 to 2100."""
_TIME_NAMES: Final = ("time", "date", "_at", "_ts", "ts", "created", "updated", "expir", "start", "end")

KeyOf = Callable[[int], str]


class ColumnProfiler:
    """Sees each cell of one column once."""

    def __init__(self, column: SqliteColumn) -> None:
        self._column = column
        self._storage: Counter[str] = Counter()
        self._kinds: Counter[str] = Counter()
        self._formats: Counter[str] = Counter()
        self._spelled: Counter[str] = Counter()
        self._text_decimals: Counter[int] = Counter()
        self._decimals: Counter[int] = Counter()
        self._odd: Counter[str] = Counter()
        self._seen: dict[str, list[Seen]] = {}
        self._ends: dict[str, tuple[Any, Seen]] = {}
        self._lengths: tuple[int, int] | None = None
        self._blob: int | None = None
        self._values: Counter[str] | None = Counter()

    def see(self, cells: Sequence[Cell], key_of: KeyOf) -> None:
        """Take in the cells of a batch. key_of: the key of the row at a place of it."""
        counted = Counter(map(type, cells))
        for kind, number in counted.items():
            name = storage_class(kind()) if kind is not type(None) else "null"
            self._storage[name] += number
            if kind is not type(None):
                self._see_kind(kind, cells if number == len(cells) else None, cells, key_of)

    def _see_kind(self, kind: type, pure: Sequence[Cell] | None, cells: Sequence[Cell], key_of: KeyOf) -> None:
        those: Any = pure if pure is not None else [cell for cell in cells if type(cell) is kind]
        self._keep_values(those)
        if kind is bytes:
            self._blob = max(self._blob or 0, *map(len, those))
            self._note("blob", those[0], cells, key_of)
        elif kind is str:
            self._see_texts(those, cells, key_of)
        else:
            self._see_numbers(kind, those, cells, key_of)

    def _see_numbers(self, kind: type, those: Sequence[Any], cells: Sequence[Cell], key_of: KeyOf) -> None:
        self._note("whole number" if kind is int else "float", those[0], cells, key_of)
        self._end("numbers", those, cells, key_of)
        if kind is int:
            return
        for number, times in Counter(those).items():
            if math.isinf(number):
                self._odd["infinite"] += times
                self._note("infinite", number, cells, key_of)
                continue
            # A Counter takes 0.0 and -0.0 for one: both are looked at again below.
            self._odd["whole"] += times if number.is_integer() else 0
            exponent = Decimal(repr(number)).normalize().as_tuple().exponent
            assert isinstance(exponent, int)
            self._decimals[max(0, -exponent)] += times
        if 0.0 in those:
            self._odd["negative zero"] += sum(1 for one in those if one == 0.0 and math.copysign(1.0, one) < 0)

    def _see_texts(self, those: Sequence[str], cells: Sequence[Cell], key_of: KeyOf) -> None:
        lengths = [len(one) for one in those]
        low, high = self._lengths or (lengths[0], lengths[0])
        self._lengths = (min(low, *lengths), max(high, *lengths))
        self._end("texts", those, cells, key_of)
        for text, times in Counter(those).items():
            kind = kind_of(text)
            self._kinds[kind.name] += times
            self._note(kind.name, text, cells, key_of)
            if kind.name == "date or time":
                for one in kind.details:
                    if one in self._formats or len(self._formats) < _KEPT_FORMATS_MAX:
                        self._formats[one] += times
            elif kind.name == "number":
                self._spelled.update(dict.fromkeys(kind.details, times))
                self._text_decimals[kind.decimals] += times

    def _keep_values(self, those: Iterable[Any]) -> None:
        if self._values is None:
            return
        for cell, times in Counter(those).items():
            if isinstance(cell, str | bytes) and len(cell) > _VALUE_LENGTH_MAX:
                self._values = None
                return
            self._values[literal(cell)] += times
        if len(self._values) > _VALUES_MAX:
            self._values = None

    def _note(self, kind: str, cell: Cell, cells: Sequence[Cell], key_of: KeyOf) -> None:
        """Keep the first of a kind, and where they stand."""
        kept = self._seen.setdefault(kind, [])
        if len(kept) < _SEEN_MAX and not any(one.value == shown(cell) for one in kept):
            kept.append(_seen(cell, cells, key_of))

    def _end(self, what: str, those: Sequence[Any], cells: Sequence[Cell], key_of: KeyOf) -> None:
        """Keep the smallest and the largest of numbers or texts."""
        low, high = min(those), max(those)
        if f"{what} low" not in self._ends or low < self._ends[f"{what} low"][0]:
            self._ends[f"{what} low"] = (_beginning(low), _seen(low, cells, key_of))
        if f"{what} high" not in self._ends or high > self._ends[f"{what} high"][0]:
            self._ends[f"{what} high"] = (_beginning(high), _seen(high, cells, key_of))

    def profile(self, distinct: int) -> ColumnProfile:
        """Return what was seen. distinct: different values, NULL not counted."""
        numbers = self._storage["integer"] + self._storage["real"]
        return ColumnProfile(
            name=self._column.name,
            declared=self._column.declared,
            storage={name: number for name, number in self._storage.items() if number},
            distinct=distinct,
            empties=self._kinds["empty"],
            numbers=self._numbers() if numbers else None,
            texts=self._texts() if self._storage["text"] else None,
            longest_blob=self._blob,
            values=dict(sorted(self._values.items())) if self._values is not None else {},
            booleans=self._booleans(),
            zone=_zone(self._formats),
            epoch=self._epoch(),
            money=self._money() if numbers or self._kinds["number"] else None,
            outliers=self._outliers(),
        )

    def _numbers(self) -> Numbers:
        return Numbers(
            smallest=self._ends["numbers low"][1],
            largest=self._ends["numbers high"][1],
            decimals=dict(sorted(self._decimals.items())),
            whole_reals=self._odd["whole"],
            infinite=self._odd["infinite"],
            negative_zeros=self._odd["negative zero"],
        )

    def _texts(self) -> Texts:
        assert self._lengths is not None
        return Texts(
            kinds=dict(self._kinds),
            shortest=self._lengths[0],
            longest=self._lengths[1],
            smallest=self._ends["texts low"][1],
            largest=self._ends["texts high"][1],
            formats=dict(self._formats),
            plus=self._spelled["plus"],
            dollar=self._spelled["dollar"],
            commas=self._spelled["commas"],
            leading_zeros=self._spelled["leading zeros"],
            decimals=dict(sorted(self._text_decimals.items())),
        )

    def _booleans(self) -> tuple[str, ...]:
        """Return the spellings if the column holds nothing else: 0 and 1, or words for both."""
        if not self._values or len(self._values) > 4:
            return ()
        words = [one.strip("'").lower() for one in self._values]
        is_so = all(one in ("0", "1") or one in TRUE_WORDS or one in FALSE_WORDS for one in words)
        return tuple(sorted(self._values)) if is_so else ()

    def _epoch(self) -> str | None:
        if not self._storage["integer"] or self._storage["text"] or not _named(self._column.name, _TIME_NAMES):
            return None
        low, high = self._ends["numbers low"][0], self._ends["numbers high"][0]
        for unit, per_second in _EPOCHS.items():
            if _EPOCH_RANGE_S[0] <= low / per_second and high / per_second <= _EPOCH_RANGE_S[1]:
                return unit
        return None

    def _money(self) -> MoneyGuess | None:
        name = self._column.name.lower()
        if not _named(name, _MONEY):
            return None
        scale = max((*self._decimals, *self._text_decimals), default=0)
        if _named(name, _CENTS):
            return MoneyGuess(unit="cents", scale=max(scale - 2, 2), why="its name says cents")
        if scale or self._spelled["dollar"]:
            return MoneyGuess(
                unit="dollars",
                scale=scale,
                why="it has a dollar sign" if self._spelled["dollar"] else "it has decimals",
            )
        return MoneyGuess(unit="unclear", scale=0, why="whole numbers only: dollars or cents, ask who writes them")

    def _outliers(self) -> tuple[Outlier, ...]:
        filled = sum(self._storage.values()) - self._storage["null"]
        counted = {
            "whole number": self._storage["integer"],
            "float": self._storage["real"] - self._odd["infinite"],
            "blob": self._storage["blob"],
        }
        counted |= {"infinite": self._odd["infinite"]} | dict(self._kinds)
        return tuple(
            Outlier(kind=kind, rows=rows, seen=tuple(self._seen.get(kind, ())))
            for kind, rows in counted.items()
            if 0 < rows <= max(1, filled * _RARE) and rows < filled
        )


def shown(cell: Cell) -> str:
    """Return a cell as a literal, a long one cut."""
    if isinstance(cell, str | bytes) and len(cell) > _SHOWN_MAX:
        return literal(cell[:_SHOWN_MAX]) + "..."
    return literal(cell)


def _beginning(value: Any) -> Any:  # noqa: ANN401  # a number or a text
    """Return what later values are compared with: of a long text its beginning, so that what is kept stays small."""
    return value[:_SHOWN_MAX] if isinstance(value, str) else value


def _seen(cell: Cell, cells: Sequence[Cell], key_of: KeyOf) -> Seen:
    # `index` alone takes 1 and 1.0 for one.
    place = next(at for at, one in enumerate(cells) if type(one) is type(cell) and one == cell)
    return Seen(value=shown(cell), key=key_of(place))


def _named(name: str, parts: Iterable[str]) -> bool:
    lowered = name.lower()
    return any(part in lowered for part in parts)


def _zone(formats: Counter[str]) -> str | None:
    zones = set()
    for one in formats:
        if "hh" in one and "YYYY" in one:
            zones.add("UTC" if one.endswith("Z") else "offset" if "+hh" in one else "none")
    return "mixed" if len(zones) > 1 else zones.pop() if zones else None

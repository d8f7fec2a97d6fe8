"""Between which ends the inputs of stops have stood in a recording: for whoever asks whether a threshold could have been reached.

    python -m bus.recorder.ranges FOLDER SINCE_NS

prints a `RangesRecorded`, at the lowest priority: it may take minutes where segments are read for the first time. What a whole segment
tells is kept beside it, in `<segment>.ranges`; the newest one still grows, and is read each time.
"""

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from bus.messages.market import Momentum, Probability, Quote, SpotPrice, Tick, Ticks
from bus.messages.plain import from_json, to_json
from bus.messages.recording import InputRange, RangeKind, RangesRecorded
from bus.messages.units import HUNDRED, ONE, ZERO, Number
from bus.recorder.recorder import RANGES
from bus.recorder.segments import Block, ForeignSegment, read_blocks, segments
from bus.recorder.words import UnreadableWord, unpack
from config.background import step_back

_Key = tuple[RangeKind, str]


def recorded_ranges(folder: Path, since_ns: int) -> RangesRecorded | None:
    """Return what the recording in `folder` tells of the time from `since_ns` on; None if it tells nothing. Damaged parts are passed over."""
    found = segments(folder)
    told = [_told_by(path, is_whole=path != found[-1]) for path in found]
    wanted = [one for one in told if one is not None and one.end_ns >= since_ns]
    if not wanted:
        return None
    end_ns = max(one.end_ns for one in wanted)
    ranges = _together(each for one in wanted for each in one.ranges)
    return RangesRecorded(begin_ns=min(one.begin_ns for one in wanted), end_ns=end_ns, ranges=ranges, now_ns=end_ns)


def _told_by(path: Path, *, is_whole: bool) -> RangesRecorded | None:
    kept = path.with_suffix(RANGES)
    if is_whole:
        with suppress(OSError, msgspec.DecodeError, ValueError):
            return from_json(RangesRecorded, kept.read_bytes())
    found = _read(path)
    if is_whole and found is not None:
        with suppress(OSError):
            kept.write_bytes(to_json(found))
    return found


def _read(path: Path) -> RangesRecorded | None:
    seen, first_ns, last_ns = _Seen(), 0, 0
    with suppress(OSError, ForeignSegment):
        for block in read_blocks(path):
            if not isinstance(block, Block):
                continue
            first_ns = first_ns or block.entries[0].at_ns
            last_ns = block.entries[-1].at_ns
            for ticks in _ticks(block):
                for tick in ticks.batch:
                    seen.take(tick)
    return RangesRecorded(begin_ns=first_ns, end_ns=last_ns, ranges=seen.ranges(), now_ns=last_ns) if last_ns else None


def _ticks(block: Block) -> Iterator[Ticks]:
    # Everybody who heard them names the same word.
    for packed in block.words:
        if packed[0] == Ticks.__name__:
            with suppress(UnreadableWord):
                word = unpack(packed)
                assert isinstance(word, Ticks)
                yield word


class _Seen:
    """The ends of every input of one segment: of probabilities and exits by ticker and side, so that a move is one ticker's."""

    def __init__(self) -> None:
        self._ends: dict[tuple[RangeKind, str, str], tuple[Number, Number]] = {}

    def take(self, tick: Tick) -> None:
        """Take in what a tick says."""
        match tick:
            case Momentum(symbol=symbol, momentum=momentum):
                self._note(RangeKind.MOMENTUM, symbol, "", momentum)
            case Probability(ticker=ticker, probability=probability):
                self._note(RangeKind.PROBABILITY, "", ticker, probability)
            case SpotPrice(symbol=symbol, price=price):
                self._note(RangeKind.LINEAR_EXIT, symbol, "", price)
            case Quote():
                self._take_quote(tick)

    def _take_quote(self, quote: Quote) -> None:
        bid, ask = quote.yes_bid, quote.yes_ask
        if bid and ask and ask < ONE:
            self._note(RangeKind.PROBABILITY, "", quote.ticker, (bid + ask) * HUNDRED / 2)
        for side, own, other in (("yes", quote.yes_bid, quote.no_ask), ("no", quote.no_bid, quote.yes_ask)):
            price = own or (None if other is None else ONE - other)
            if price is not None:
                self._note(RangeKind.EVENT_EXIT, "", f"{quote.ticker} {side}", price)
        for linear in (quote.bid, quote.ask):
            if linear:
                self._note(RangeKind.LINEAR_EXIT, quote.ticker, "", linear)

    def _note(self, kind: RangeKind, name: str, part: str, value: Number) -> None:
        low, high = self._ends.get((kind, name, part), (value, value))
        if not low <= value <= high or low is high:
            self._ends[kind, name, part] = min(low, value), max(high, value)

    def ranges(self) -> tuple[InputRange, ...]:
        """Return them, tickers of one kind taken together."""
        return _together(
            InputRange(
                kind=kind,
                name=name,
                low=low,
                high=high,
                widest=high - low,
                widest_percent=(high - low) * HUNDRED / high if high > ZERO else ZERO,
            )
            for (kind, name, _), (low, high) in self._ends.items()
        )


def _together(ranges: Iterable[InputRange]) -> tuple[InputRange, ...]:
    by_input: dict[_Key, list[InputRange]] = {}
    for one in ranges:
        by_input.setdefault((one.kind, one.name), []).append(one)
    return tuple(
        InputRange(
            kind=kind,
            name=name,
            low=min(one.low for one in same),
            high=max(one.high for one in same),
            widest=max(one.widest for one in same),
            widest_percent=max(one.widest_percent for one in same),
        )
        for (kind, name), same in sorted(by_input.items())
    )


def main(words: Sequence[str]) -> int:
    """Print what the recording tells; exit 1 if it tells nothing."""
    step_back()
    folder, since = words
    found = recorded_ranges(Path(folder), int(since))
    if found is not None:
        sys.stdout.write(to_json(found).decode())
    return 0 if found is not None else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

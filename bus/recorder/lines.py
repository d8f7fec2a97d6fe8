"""A recording as lines of JSON in the vocabulary of the contract, and such lines read again: what was heard, one word a line.

    {"received": INSTANT, "subject": SUBJECT, "payload": {...}}

`part` stands beside it where a flood was folded (`bus.messages.market.Part`), `said` is true of what Watchkeeper answered. The lines of
one `received` that follow each other are one read. A line without `received` is of its payload's `ts`.

Lines come from anybody. What can only be wrong ends the reading, with the line and the reason; nothing of it stands then.
"""

import gzip
import zlib
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple, cast

import msgspec

from bus.codec import MAX_BYTES, Codec
from bus.messages.addresses import escape
from bus.messages.envelope import Malformed, Message, Received
from bus.messages.market import FeedBeat, Momentum, Part, Probability, Quote, SpotPrice, Tick, Ticks
from bus.messages.orders import OrderReport, Position
from bus.messages.plain import instant_text, read_instant, to_json
from bus.recorded import Recording, instant_ns
from bus.recorder.segments import Block, Entry
from bus.recorder.words import UnreadableWord, outgoing, unpack
from bus.subjects import TICKS, Direction, UnknownSubject, parse

LINE_MAX: Final = 4 * MAX_BYTES
"""Bytes: a payload and what stands around it."""
_BOMB_BYTES: Final = 64 * 1024 * 1024
_BOMB_RATIO: Final = 200
"""Recorded quotes shrink to a tenth. What unpacks to more than this many times its size was made to fill a disk."""
_GZIP: Final = b"\x1f\x8b"
_SUBJECTS: Final[dict[type[Tick], tuple[str, str]]] = {
    Quote: ("market.quote.", "ticker"),
    SpotPrice: ("market.price.", "symbol"),
    Probability: ("market.probability.", "ticker"),
    Momentum: ("market.momentum.", "symbol"),
    FeedBeat: ("market.feed.", "source"),
}
_TICKS: Final = Ticks.__name__
_RECEIVED: Final = Received.__name__


class BadLines(ValueError):  # noqa: N818  # an outcome
    """These lines are no recording; the text says which one, and why."""


class Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line. payload: as it stands on the wire."""

    subject: str
    payload: msgspec.Raw
    received: str = ""
    part: Part = Part.WHOLE
    said: bool = False


class Heard(NamedTuple):
    """A line that was read. word: a tick, or an input that asks for an effect."""

    line: int
    received_ns: int
    word: Tick | Received[Message]
    part: Part = Part.WHOLE


# Out


def write_lines(
    block: Block,
    missed: Callable[[str], None],
    *,
    said: bool = False,
    since_ns: int = 0,
    until_ns: int = 2**63 - 1,
) -> Iterator[bytes]:
    """Yield a line for each word that was heard from outside, and with `said` for each message that was sent.

    missed: hears of each word that cannot be read.
    """
    for entry in block.entries:
        if not since_ns <= entry.at_ns <= until_ns:
            continue
        try:
            # Whole before anything of it is written.
            yield from [*_heard_by(block, entry), *(_said_by(block, entry) if said else ())]
        except UnreadableWord as error:
            missed(str(error))


def _heard_by(block: Block, entry: Entry) -> Iterator[bytes]:
    packed = block.words[entry.heard]
    # A tick is recorded with everybody who heard it.
    if (entry.actor, packed[0]) in (("auto_stop", _TICKS), ("trade_desk", _RECEIVED)):
        yield from _heard(unpack(packed))


def _said_by(block: Block, entry: Entry) -> Iterator[bytes]:
    for index in entry.said:
        for subject, message in outgoing(block.words[index]):
            yield _line(subject, to_json(message), entry.at_ns, said=True)


def _heard(word: object) -> Iterator[bytes]:
    match word:
        case Ticks():
            for tick in word.batch:
                prefix, field = _SUBJECTS[type(tick)]
                subject = prefix + escape(getattr(tick, field))
                yield _line(subject, to_json(tick), word.received_ns, part=word.part)
        case Received():
            yield _line(word.subject, word.body, word.received_ns)


def _line(subject: str, payload: bytes, received_ns: int, *, part: Part = Part.WHOLE, said: bool = False) -> bytes:
    line = Line(subject=subject, payload=msgspec.Raw(payload), received=instant_text(received_ns), part=part, said=said)
    return _ENCODER.encode(line) + b"\n"


# In


def raw_lines(path: Path) -> Generator[bytes, None, None]:
    """Yield the lines of a file, gzipped or not, one at a time. Raises: BadLines, OSError."""
    packed_size = path.stat().st_size
    with path.open("rb") as packed:
        is_gzipped = packed.read(len(_GZIP)) == _GZIP
        packed.seek(0)
        file = gzip.GzipFile(fileobj=packed) if is_gzipped else packed
        number = total = 0
        while raw := _next(file, number + 1):
            number += 1
            total += len(raw)
            if len(raw) > LINE_MAX:
                raise BadLines(f"line {number} is longer than {LINE_MAX:,} bytes: this is no recording of events")
            if is_gzipped and total > _BOMB_BYTES and total > _BOMB_RATIO * packed_size:
                raise BadLines(f"line {number}: unpacked it is {_BOMB_RATIO} times as large as packed: no recording is")
            yield raw


def _next(file: BinaryIO | gzip.GzipFile, number: int) -> bytes:
    try:
        return file.readline(LINE_MAX + 1)
    except EOFError as error:
        raise BadLines(f"line {number}: the file is truncated, its end is missing") from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise BadLines(f"line {number}: the file is damaged ({error})") from error


class LinesReader:
    """Reads `path`: what `write_lines` has written, somebody else in the same words, or one of the recorded streams (`bus.recorded`).

    source: the feed's name, given to ticks of such a stream that carry none. left_out: what was not taken, by what it is: lines that no
    message is made of, what was said, and what a venue said of orders, for whoever decides again has orders of his own.
    """

    def __init__(self, path: Path, source: str = "") -> None:
        self.lines = 0
        self.left_out: Counter[str] = Counter()
        self._path = path
        self._source = source
        self._codec = Codec()

    def words(self) -> Iterator[tuple[Ticks | Received[Message], int]]:
        """Yield what was heard and when, ticks in the reads in which they came. Raises: BadLines, OSError."""
        read: list[Heard] = []
        for heard in self._in_order():
            if read and not _is_one_read(read[-1], heard):
                yield _word(read)
                read = []
            read.append(heard)
        if read:
            yield _word(read)

    def _in_order(self) -> Iterator[Heard]:
        newest_ns = 0
        for heard in self._stream() if self._is_stream() else self._own():
            if heard.received_ns < newest_ns:
                earlier = f"{instant_text(heard.received_ns)} stands behind {instant_text(newest_ns)}"
                raise BadLines(f"line {heard.line}: {earlier}: the lines have changed places")
            newest_ns = heard.received_ns
            yield heard

    def _is_stream(self) -> bool:
        with closing(raw_lines(self._path)) as raws:
            first = next(raws, b"{}")
        try:
            return "kind" in _OBJECT.decode(first)
        except (msgspec.DecodeError, RecursionError):
            return False

    def _stream(self) -> Iterator[Heard]:
        recording = Recording(self._path, source=self._source, lines=raw_lines)
        for event in recording:
            received_ns = instant_ns(event.ts)
            word = self._codec.decode(event.subject, event.payload, {}, received_ns)
            if isinstance(word, Malformed):
                self.left_out["unreadable"] += 1
            else:
                yield Heard(event.line, received_ns, word)
        self.lines = recording.lines
        self.left_out += recording.ignored

    def _own(self) -> Iterator[Heard]:
        for raw in raw_lines(self._path):
            self.lines += 1
            line = self._line(raw)
            heard = None if line.said else self._heard(line)
            if heard is None:
                self.left_out["said"] += 1
            elif isinstance(heard.word, Received) and isinstance(heard.word.message, OrderReport | Position):
                self.left_out[heard.word.subject.rpartition(".")[0]] += 1
            else:
                yield heard

    def _line(self, raw: bytes) -> Line:
        try:
            return _DECODER.decode(raw)
        except (msgspec.DecodeError, RecursionError) as error:
            cut = "" if raw.endswith(b"\n") else "; the file may be truncated, for its last line has no end"
            raise BadLines(f"line {self.lines} is no event in the words of `run.py contract` ({error}){cut}") from error

    def _heard(self, line: Line) -> Heard:
        try:
            route = parse(line.subject).route
        except UnknownSubject as error:
            raise BadLines(f"line {self.lines}: {error}") from error
        if route.direction not in (Direction.HEARD, Direction.ASKED):
            said = (
                "said by Watchkeeper, or asked by it" if route.direction is Direction.SAID else "asked by Watchkeeper"
            )
            raise BadLines(f"line {self.lines}: {line.subject} is {said}, and never taken from a file")
        body = bytes(line.payload)
        received_ns = self._instant(line, body)
        word = self._codec.decode(line.subject, body, {}, received_ns)
        if isinstance(word, Malformed):
            raise BadLines(f"line {self.lines}: {line.subject}: {word.reason}")
        return Heard(self.lines, received_ns, word, line.part if isinstance(word, TICKS) else Part.WHOLE)

    def _instant(self, line: Line, body: bytes) -> int:
        try:
            return read_instant(line.received or _TS_DECODER.decode(body).ts)
        except (msgspec.DecodeError, ValueError) as error:
            raise BadLines(f"line {self.lines} says neither when it was received nor its `ts`: {error}") from error


def _is_one_read(before: Heard, heard: Heard) -> bool:
    """Whether two ticks came together."""
    both = isinstance(before.word, TICKS) and isinstance(heard.word, TICKS)
    return both and (before.received_ns, before.part) == (heard.received_ns, heard.part)


def _word(read: list[Heard]) -> tuple[Ticks | Received[Message], int]:
    first = read[0]
    if not isinstance(first.word, TICKS):
        return first.word, first.received_ns
    batch = tuple(cast("Tick", heard.word) for heard in read)
    return Ticks(batch=batch, received_ns=first.received_ns, part=first.part), first.received_ns


class _Stamped(msgspec.Struct):
    ts: str


_ENCODER: Final = msgspec.json.Encoder()
_OBJECT: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_DECODER: Final = msgspec.json.Decoder(Line)
_TS_DECODER: Final = msgspec.json.Decoder(_Stamped)

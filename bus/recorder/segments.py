r"""The files of the flight recorder: append-only segments of blocks. Version 1.

    recording-<first instant, ns>-<number>.wkr
    WATCHKEEPER RECORDING 1\n
    block:  "WKRB" | size u32 | crc32 of the frame u32 | plain size u32 | entries u32 | first i64 | last i64 | crc32 of all this u32
            zstd frame of `size` bytes                                                            little-endian
    in it:  [words, entries] in msgpack; a word is (type, bytes), an entry (actor, instant, heard, [said ...]) by index into words

A block stands for itself: nothing in it refers to another one, so that any of them can be read alone, and one that is damaged costs
its own entries only; behind a damaged header the next whole one is looked for. What follows the last whole block is a torn tail: the
process died while it wrote. The instants are of the first and the last entry, nanoseconds; to find a time only headers are read.
"""

import errno
import os
import struct
import zlib
from collections.abc import Iterator, Sequence
from itertools import chain, count
from pathlib import Path
from typing import Annotated, BinaryIO, Final, NamedTuple

import msgspec
import zstandard

from bus.recorder.words import Packed

MAGIC: Final = b"WATCHKEEPER RECORDING 1\n"
SUFFIX: Final = ".wkr"
LIFE: Final = "life"
"""The actor of entries that tell whose life it is, and what it begins with."""
OWNER: Final = "recorder"
"""The actor of entries that tell of the recording itself."""
PLAIN_MAX: Final = 256 * 1024 * 1024
"""No block is larger when it is unpacked: one that says so is foreign, or made to fill the memory."""
_HEADER: Final = struct.Struct("<4sIIIIqq")
_CHECK: Final = struct.Struct("<I")
_HEAD: Final = _HEADER.size + _CHECK.size
_MARK: Final = b"WKRB"
_CHUNK: Final = 1 << 20
_LEVEL: Final = 6
"""Of zstd. On ticks of a whole recorded day 3 leaves 25.4 bytes for each, 6 leaves 24.0 and takes 0.9 us more, beside the interpreter."""


Index = Annotated[int, msgspec.Meta(ge=0)]


class Entry(NamedTuple):
    """What one actor applied, and what it said. heard, said: indices into the block's words."""

    actor: str
    at_ns: int
    heard: Index
    said: tuple[Index, ...] = ()


class Place(NamedTuple):
    """Where a block stands: the name of its segment, the bytes at which it begins and ends, the checksum of what it holds."""

    segment: str
    begin: int
    end: int
    check: int


class Block(NamedTuple):
    """What was applied within a moment, in order. place: where it was read."""

    words: Sequence[Packed]
    entries: Sequence[Entry]
    place: Place | None = None


class Gap(NamedTuple):
    """What a recording lacks: the file, the byte where it begins, and why."""

    path: Path
    offset: int
    why: str

    def __str__(self) -> str:
        """Return it in words."""
        return f"{self.path.name}, byte {self.offset:,}: {self.why}"


class ForeignSegment(ValueError):  # noqa: N818  # an outcome
    """This file is no segment of a recording, or one of a version that this code does not know."""


class SegmentWriter:
    """Appends to one new segment in `folder`, which is made if it must be. Raises: OSError, from everything."""

    def __init__(self, folder: Path, first_ns: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path, self._file = _create(folder, first_ns)
        self._packer = zstandard.ZstdCompressor(level=_LEVEL)
        self.size = self._file.write(MAGIC)

    def append(self, block: Block) -> None:
        """Write a block, which has at least one entry, to the operating system: from then on a killed process loses nothing of it."""
        plain = _BLOCK.encode((block.words, block.entries))
        packed = self._packer.compress(plain)
        times = (block.entries[0].at_ns, block.entries[-1].at_ns)
        head = _HEADER.pack(_MARK, len(packed), zlib.crc32(packed), len(plain), len(block.entries), *times)
        whole = head + _CHECK.pack(zlib.crc32(head)) + packed
        if self._file.write(whole) != len(whole):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.path))
        self.size += len(whole)

    def close(self) -> None:
        """End the segment. Harmless twice."""
        self._file.close()


def segments(folder: Path) -> list[Path]:
    """Return the segments in `folder`, the oldest first."""
    return sorted(folder.glob(f"recording-*{SUFFIX}"))


def start_ns(path: Path) -> int:
    """Return the instant of a segment's first entry, by its name; 0 if somebody has named it otherwise."""
    number = path.name.split("-")[1] if path.name.count("-") == 2 else ""  # of its two hyphens
    return int(number) if number.isdecimal() else 0


def holds(path: Path, place: Place) -> bool:
    """Whether that block stands in this segment, as it did."""
    try:
        with path.open("rb") as file:
            head = _head(file, place.begin)
    except OSError:
        return False
    return path.name == place.segment and head is not None and (_end(place.begin, head), head.check) == place[2:]


def read_blocks(
    path: Path, *, since_ns: int = 0, until_ns: int = 2**63 - 1, naming: bytes = b"", start: int = len(MAGIC)
) -> Iterator[Block | Gap]:
    """Yield the blocks of a segment that touch these instants, and a `Gap` for each part that cannot be read.

    naming: blocks that do not hold this text anywhere are left out, unread. start: the byte at which the first of them begins.
    Reads one block at a time. Raises: ForeignSegment, OSError.
    """
    unpacker = zstandard.ZstdDecompressor()
    with path.open("rb") as file:
        magic = file.read(len(MAGIC))
        if len(magic) < len(MAGIC) and MAGIC.startswith(magic):
            yield Gap(path, 0, _torn(len(magic)))
            return
        if magic != MAGIC:
            raise ForeignSegment(_foreign(path, magic))
        end = os.fstat(file.fileno()).st_size
        offset = start
        while offset < end:
            head = _head(file, offset)
            following = end + 1 if head is None else _end(offset, head)
            if head is None or following > end:
                found = _next_head(file, offset + 1)
                yield Gap(path, offset, _torn(end - offset) if found is None else "a header is damaged")
                following = end if found is None else found
            elif head.last_ns >= since_ns and head.first_ns <= until_ns:
                place = Place(path.name, offset, following, head.check)
                part = _read(path, place, _plain(unpacker, file.read(head.size), head), naming)
                if part is not None:
                    yield part
            offset = following


class _Head(NamedTuple):
    mark: bytes
    size: int
    check: int
    plain_size: int
    entries: int
    first_ns: int
    last_ns: int


def _end(offset: int, head: _Head) -> int:
    return offset + _HEAD + head.size


def _head(file: BinaryIO, offset: int) -> _Head | None:
    """Return the header at `offset`; None if it is none, or not whole."""
    file.seek(offset)
    head = file.read(_HEAD)
    if len(head) < _HEAD or not head.startswith(_MARK):
        return None
    plain, check = head[: _HEADER.size], _CHECK.unpack(head[_HEADER.size :])[0]
    return _Head(*_HEADER.unpack(plain)) if zlib.crc32(plain) == check else None


def _next_head(file: BinaryIO, offset: int) -> int | None:
    """Return where the next whole header begins, from `offset` on."""
    file.seek(offset)
    while chunk := file.read(_CHUNK):
        at = chunk.find(_MARK)
        while at >= 0:
            if _head(file, offset + at) is not None:
                return offset + at
            at = chunk.find(_MARK, at + 1)
        # A mark may lie across the border of two chunks.
        offset += max(len(chunk) - len(_MARK) + 1, 1)
        file.seek(offset)
        if len(chunk) < _CHUNK:
            return None
    return None


def _torn(size: int) -> str:
    return f"a torn tail of {size:,} bytes: the process died while it wrote"


def _plain(unpacker: zstandard.ZstdDecompressor, packed: bytes, head: _Head) -> bytes | str:
    """Return what a block holds, or why that cannot be read."""
    if zlib.crc32(packed) != head.check:
        return f"the checksum of {head.entries:,} entries does not fit"
    try:
        if head.plain_size > PLAIN_MAX or zstandard.frame_content_size(packed) != head.plain_size:
            return f"{head.plain_size:,} bytes when unpacked: a block has at most {PLAIN_MAX:,}"
        return unpacker.decompress(packed, max_output_size=head.plain_size)
    except zstandard.ZstdError as error:
        return f"not as a block is written: {error}"


def _read(path: Path, place: Place, plain: bytes | str, naming: bytes) -> Block | Gap | None:
    offset = place.begin
    if isinstance(plain, str):
        return Gap(path, offset, plain)
    if naming not in plain:
        return None
    try:
        words, entries = _BLOCK_DECODER.decode(plain)
    except (msgspec.DecodeError, ValueError) as error:
        return Gap(path, offset, f"not as a block is written: {error}")
    # None is before the first, or it would not have been decoded.
    named = chain([entry.heard for entry in entries], chain.from_iterable([entry.said for entry in entries]))
    if max(named, default=-1) >= len(words):
        return Gap(path, offset, "an entry names a word that is not there")
    return Block(words, entries, place)


def _create(folder: Path, first_ns: int) -> tuple[Path, BinaryIO]:
    """Two processes may begin at one instant, and a clock may be set back: no segment is ever written over."""
    for number in count():
        path = folder / f"recording-{first_ns:020d}-{number:03d}{SUFFIX}"
        try:
            return path, os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb", buffering=0)
        except FileExistsError:
            continue
    raise AssertionError


def _foreign(path: Path, start: bytes) -> str:
    if start.startswith(MAGIC[:-2]):
        return f"{path} was written by another version of Watchkeeper: {start.decode(errors='replace').strip()}"
    return f"{path} is no recording of Watchkeeper"


_BLOCK: Final = msgspec.msgpack.Encoder()
_BLOCK_DECODER: Final = msgspec.msgpack.Decoder(tuple[list[tuple[str, msgspec.Raw]], list[Entry]])

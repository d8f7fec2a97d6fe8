r"""Checkpoints: how what decides stood behind one block of a recording, so that nobody has to hear all that came before. Version 1.

    <segment>.<byte at which the block begins>.<latest instant of any entry until then, ns>.wkc
    WATCHKEEPER CHECKPOINT 1\n
    crc32 of the rest u32, little-endian | zstd frame of a `Checkpoint` in msgpack

Beside the segments, and never needed: whoever cannot use one reads from further back. It is made of a recording and of nothing else.
"""

import struct
import zlib
from pathlib import Path
from typing import Final

import msgspec
import zstandard

from bus.messages.recording import LifeBegun
from bus.recorder import segments
from bus.recorder.segments import PLAIN_MAX, Place

SUFFIX: Final = ".wkc"
_MAGIC: Final = b"WATCHKEEPER CHECKPOINT 1\n"
_BYTES_FOR_EACH_ENTRY: Final = 10
"""An entry takes about twenty: checkpoints take up to half as much as what they are made of."""
_CHECK: Final = struct.Struct("<I")


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """How it stood behind the block at `place`.

    code: the mark of the code that made it, for nobody else can go on from it. until_ns: the latest instant of any entry until then.
    newest_ns, last_ns: see `reading.Order`. begun: the first word of the life. engines: by actor, frozen.
    """

    code: str
    place: Place
    until_ns: int
    newest_ns: int
    last_ns: int
    begun: LifeBegun
    engines: dict[str, bytes]


def checkpoints(folder: Path, segment: str = "*") -> list[Path]:
    """Return the checkpoints in `folder`, or those of one segment by its name, the oldest first."""
    return sorted(folder.glob(f"{segment.partition('.')[0]}.*{SUFFIX}"))


def until_ns(path: Path) -> int:
    """Return the latest instant before a checkpoint, by its name; 0 if somebody has named it otherwise."""
    return _numbers(path)[1]


def behind(path: Path) -> tuple[str, int]:
    """Return behind which block a checkpoint stands, by its name: its segment, and the byte at which it begins there."""
    return path.name.partition(".")[0] + segments.SUFFIX, _numbers(path)[0]


def _numbers(path: Path) -> tuple[int, int]:
    parts = path.name.split(".")
    return (int(parts[1]), int(parts[2])) if len(parts) == 4 and "".join(parts[1:3]).isdecimal() else (0, 0)


def apart(folder: Path, every: int) -> int:
    """Return how many entries the next checkpoint lies behind the newest in `folder`: the larger they are, the fewer, but `every`."""
    newest = checkpoints(folder)[-1:]
    return max(every, sum(path.stat().st_size for path in newest) // _BYTES_FOR_EACH_ENTRY)


def write(folder: Path, checkpoint: Checkpoint) -> Path:
    """Write it, whole or not at all; return where. Raises: OSError."""
    place = checkpoint.place
    stem = place.segment.partition(".")[0]
    path = folder / f"{stem}.{place.begin:012d}.{checkpoint.until_ns:020d}{SUFFIX}"
    packed = zstandard.compress(msgspec.msgpack.encode(checkpoint))
    unfinished = path.with_suffix(".part")
    unfinished.write_bytes(_MAGIC + _CHECK.pack(zlib.crc32(packed)) + packed)
    unfinished.chmod(0o600)
    unfinished.replace(path)
    return path


def read(path: Path) -> Checkpoint | None:
    """Return what stands in a checkpoint; None if it is none, damaged, or of another version."""
    try:
        found = path.read_bytes()
        start, (check,), packed = found[: len(_MAGIC)], _CHECK.unpack_from(found, len(_MAGIC)), found[len(_MAGIC) + 4 :]
        if start != _MAGIC or zlib.crc32(packed) != check or zstandard.frame_content_size(packed) > PLAIN_MAX:
            return None
        return msgspec.msgpack.decode(zstandard.decompress(packed), type=Checkpoint)
    except (OSError, struct.error, zstandard.ZstdError, msgspec.DecodeError):
        return None

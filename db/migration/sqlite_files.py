"""The files of a SQLite database, looked at without SQLite: what cannot be taken is refused here, with what to do."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Final

HEADER_BYTES: Final = 100
BESIDE: Final = ("-wal", "-shm", "-journal")
_HEADER: Final = b"SQLite format 3\0"
_WAL_MAGICS: Final = (b"\x37\x7f\x06\x82", b"\x37\x7f\x06\x83")


class SourceRefused(Exception):  # noqa: N818  # a state of the world, not a fault
    """A database cannot be taken as it is. Its text says what happened and what to do."""


def examine(source: Path) -> bool:
    """Look at the files of a database; returns whether it is in WAL mode. Raises: SourceRefused."""
    wal = beside(source, "-wal")
    if not source.exists():
        if wal.exists():
            raise SourceRefused(
                f"{wal} is there, but not its database {source}: put both back together; alone, the log cannot be read"
            )
        raise SourceRefused(
            f"{source}: there is no such file; check the path, and whether the programs use another copy"
        )
    if not source.is_file():
        raise SourceRefused(f"{source} is no file: name the database itself")
    try:
        with source.open("rb") as file:
            header = file.read(HEADER_BYTES)
    except OSError as error:
        raise SourceRefused(
            f"{source} cannot be read: {error.strerror}; run this as a user that may read it"
        ) from error
    if not header:
        raise SourceRefused(
            f"{source} is empty (0 bytes): a program made it by opening a wrong path, or it was cut; find the one with data"
        )
    if header[:4] in _WAL_MAGICS:
        raise SourceRefused(f"{source} is a write-ahead log: name the database that it belongs to")
    if not header.startswith(_HEADER):
        raise SourceRefused(
            f"{source} is encrypted, or no SQLite database: its first bytes are {header[:16]!r}; decrypt it into a plain file, or check the path"
        )
    if len(header) < HEADER_BYTES:
        raise SourceRefused(f"{source} is cut short after {len(header)} bytes: take it from a backup")
    if beside(source, "-shm").exists() and not wal.exists():
        raise SourceRefused(
            f"{source} has a -shm file, but its -wal is missing: what was written last is not here; copy the -wal file as well, or, "
            "if it is lost for good, remove the -shm file and accept that"
        )
    return header[18:20] == b"\x02\x02"


def beside(source: Path, suffix: str) -> Path:
    """Return the file that SQLite keeps beside a database."""
    return source.with_name(source.name + suffix)


def unless_it_changes(source: Path, copy: Callable[[], None]) -> None:
    """Copy, and make sure that no file of the database changed meanwhile. Raises: SourceRefused."""
    before = _state(source)
    copy()
    if _state(source) != before:
        raise SourceRefused(
            f"{source} changed while it was copied: somebody writes or copies it; wait until that has ended, then try again"
        )


def _state(source: Path) -> list[tuple[str, int, int]]:
    found = []
    for suffix in ("", *BESIDE):
        path = beside(source, suffix)
        if path.exists():
            stat = path.stat()
            found.append((suffix, stat.st_size, stat.st_mtime_ns))
    return found


def refusal(source: Path, error: sqlite3.Error, patience_s: float) -> SourceRefused:
    """Return what an error of SQLite means for a person."""
    name = getattr(error, "sqlite_errorname", "")
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_PROTOCOL")):
        what = f"is locked by another program, for longer than {patience_s:.0f} s; let that finish or stop it, then try again"
    elif name.startswith("SQLITE_NOTADB"):
        what = "is encrypted, or no SQLite database; decrypt it into a plain file, or check the path"
    elif name.startswith(("SQLITE_CORRUPT", "SQLITE_IOERR_SHORT_READ", "SQLITE_ERROR")):
        what = f"is corrupt ({error}); take it from a backup, or save what can be read with sqlite3's .recover into a new file"
    elif name.startswith("SQLITE_FULL"):
        what = f"does not fit into the folder for snapshots ({error}); make room there"
    else:
        what = f"cannot be read ({error}); may this user read it, and the folder that it is in?"
    return SourceRefused(f"{source} {what}")

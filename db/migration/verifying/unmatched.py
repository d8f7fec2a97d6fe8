"""What is left over on either side, paired by key at the end. In memory while it is little, else in a file that SQLite removes itself.

Most rows come in the same order on both sides and never get here. Rows that only stand elsewhere meet here and vanish.
"""

import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from typing import Final, NamedTuple

_IN_MEMORY_MAX: Final = 20_000
_BYTES_MAX: Final = 8_000_000


class Left(NamedTuple):
    """Rows of one key of which one side has more than the other: each None where it has none."""

    expected: bytes | None
    found: bytes | None


class Unmatched:
    """Rows of one table, expected and found."""

    def __init__(self, key_of: Callable[[bytes], bytes]) -> None:
        self._key_of = key_of
        self._counts: dict[bytes, int] = defaultdict(int)
        self._bytes = 0
        self._file: sqlite3.Connection | None = None

    def expect(self, rows: Iterable[bytes]) -> None:
        """Take in rows of the source."""
        for row in rows:
            self._add(row, 1)

    def find(self, rows: Iterable[bytes]) -> None:
        """Take in rows of the target."""
        for row in rows:
            self._add(row, -1)

    def _add(self, row: bytes, count: int) -> None:
        counted = self._counts[row] + count
        if counted:
            self._counts[row] = counted
            self._bytes += len(row)
        else:
            del self._counts[row]
            self._bytes -= len(row)
        if len(self._counts) > _IN_MEMORY_MAX or self._bytes > _BYTES_MAX:
            self._spill()

    def _spill(self) -> None:
        if self._file is None:
            # "": a file of its own in the folder for temporary ones, which nobody else sees.
            self._file = sqlite3.connect("", isolation_level=None)
            self._file.execute("PRAGMA cache_size = -4000")
            self._file.execute("CREATE TABLE rows (key BLOB, row BLOB, count INT)")
        rows = ((self._key_of(row), row, count) for row, count in self._counts.items())
        self._file.execute("BEGIN")
        self._file.executemany("INSERT INTO rows VALUES (?, ?, ?)", rows)
        self._file.execute("COMMIT")
        self._counts.clear()
        self._bytes = 0

    def left(self) -> Iterator[Left]:
        """Yield what is left, paired by key, once."""
        self._spill()
        assert self._file is not None
        with closing(self._file) as file:
            query = "SELECT key, row, sum(count) FROM rows GROUP BY key, row HAVING sum(count) <> 0 ORDER BY key"
            of_key: tuple[list[bytes], list[bytes]] = ([], [])
            last: bytes | None = None
            for key, row, count in file.execute(query):
                if key != last:
                    yield from _paired(*of_key)
                    of_key, last = ([], []), key
                of_key[count < 0].extend([row] * abs(count))
            yield from _paired(*of_key)


def _paired(expected: list[bytes], found: list[bytes]) -> Iterator[Left]:
    for number in range(max(len(expected), len(found))):
        yield Left(expected[number] if number < len(expected) else None, found[number] if number < len(found) else None)

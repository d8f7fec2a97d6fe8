"""Which files of SQLite there are: each with every way in which it is written, and those that may be two copies of one database."""

import os
import posixpath
import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Final
from urllib.parse import quote

from db.migration.reading import Reading
from db.migration.sources import SKIPPED
from db.migration.words import Connection, Database, PathUse, Place

_SUFFIXES: Final = (".db", ".sqlite", ".sqlite3", ".db3")
_MAGIC: Final = b"SQLite format 3\0"
_MEMORY: Final = re.compile(r":memory:|mode=memory|^$")
Found = dict[str, tuple[set[str], list[Place]]]
"""By path: how it is written, and where."""


def databases(
    reading: Reading, paths: Iterable[PathUse], opened: Iterable[Connection], root: Path
) -> tuple[Database, ...]:
    """Return every file of SQLite that the sources name or that is below `root`, in the order of paths."""
    found: Found = defaultdict(lambda: (set(), []))
    for path, place in (*_in_python(reading), *_elsewhere(paths, opened)):
        if path.endswith(_SUFFIXES) and not _MEMORY.search(path) and "*" not in path:
            spelled, places = found[normal(path)]
            spelled.add(path)
            places.append(place)
    there = dict(_on_disk(root))
    for path in there:
        found[path]  # it makes an entry
    # A name without a folder is mostly a part of a path that is put together elsewhere.
    named = {
        path for path in found if "/" in path or path in there or any(one.said != "path" for one in found[path][1])
    }
    return tuple(
        Database(
            path=path,
            spelled=tuple(sorted(found[path][0])),
            places=tuple(dict.fromkeys(sorted(found[path][1], key=lambda one: (one.file, one.line)))),
            copies=tuple(sorted(other for other in named if other != path and _is_copy(path, other, there))),
            there=path in there,
            tables=there.get(path, ()),
        )
        for path in sorted(named)
    )


def normal(path: str) -> str:
    """Return a path in its shortest spelling."""
    bare = path.removeprefix("file:").partition("?")[0].removeprefix("sqlite:///").replace("\\", "/")
    return posixpath.normpath(bare)


def _is_copy(path: str, other: str, there: dict[str, tuple[str, ...]]) -> bool:
    if _may_be(path, other) or _may_be(other, path):
        return False
    alike = bool(there.get(path)) and there.get(path) == there.get(other)
    return alike or posixpath.basename(path) == posixpath.basename(other)


def _may_be(pattern: str, path: str) -> bool:
    """Whether a path with holes may stand for another one."""
    return (
        "{" in pattern and re.fullmatch(re.sub(r"\\\{.*?\\\}(?=/|\\\.|$)", ".+", re.escape(pattern)), path) is not None
    )


def _in_python(reading: Reading) -> Iterator[tuple[str, Place]]:
    for connection, call, scope in reading.connecting.connections():
        if connection.library not in ("sqlite3", "aiosqlite", "apsw"):
            continue
        if target := reading.connecting.target_of(call, scope):
            for text in reading.texts.options(*target):
                yield (
                    text.shown,
                    Place(file=connection.file, line=connection.line, function=connection.function, said="opened"),
                )


def _elsewhere(paths: Iterable[PathUse], opened: Iterable[Connection]) -> Iterator[tuple[str, Place]]:
    for one in opened:
        if one.how == "shell" and one.target:
            yield one.target, Place(file=one.file, line=one.line, said="opened")
    for path in paths:
        if path.kind == "database":
            for option in path.options or (path.path,):
                yield option, Place(file=path.file, line=path.line, function=path.function, said="path")


def _on_disk(root: Path) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield each file of SQLite below a folder, and its tables. It is opened so that nothing beside it is made or changed."""
    for folder, below, files in os.walk(root) if root.is_dir() else ():
        below[:] = sorted(one for one in below if one not in SKIPPED)
        for name in sorted(files):
            path = Path(folder, name)
            if name.endswith(_SUFFIXES) and not path.is_symlink() and path.is_file() and _begins_as_one(path):
                yield path.relative_to(root).as_posix(), _tables(path)


def _begins_as_one(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(_MAGIC)) == _MAGIC
    except OSError:
        return False


def _tables(path: Path) -> tuple[str, ...]:
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro&immutable=1", uri=True)) as connection:
            rows = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").fetchall()
    except sqlite3.Error:
        return ()
    return tuple(str(name) for (name,) in rows)

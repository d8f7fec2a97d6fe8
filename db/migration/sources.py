"""Which files an audit reads, and what it could not read. Nothing is run, no link is followed."""

import io
import os
import re
import stat
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from db.migration.words import Unread

Kind = Literal["python", "shell", "supervisor", "env", "crontab", "sql"]
BYTES_MAX: Final = 4_000_000
"""A larger file was not written by a person."""
SKIPPED: Final = frozenset({".git", ".hg", ".svn", ".venv", "venv", "node_modules", "__pycache__", ".tox"})
_BY_SUFFIX: Final[dict[str, Kind]] = {
    ".py": "python", ".pyw": "python", ".sh": "shell", ".bash": "shell", ".sql": "sql", ".env": "env", ".cron": "crontab",
}  # fmt: skip
_SUPERVISOR: Final = re.compile(r"^\[(program:|supervisord\]|group:|eventlistener:)", re.MULTILINE)


@dataclass(frozen=True)
class Source:
    """The text of one file. file: relative to the audited folder."""

    file: str
    kind: Kind
    text: str


def sources(root: Path) -> Iterator[Source | Unread]:
    """Yield what is read below `root` (a folder or one file), and what is not, in the order of names."""
    if not root.is_dir():
        yield from _read(root, root.name)
        return
    pending = [root]
    while pending:
        folder = pending.pop()
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            yield Unread(file=_shown(folder, root), reason=f"cannot be listed: {error.strerror}")
            continue
        below = [Path(entry.path) for entry in entries if entry.is_dir(follow_symlinks=False)]
        pending += [one for one in reversed(below) if one.name not in SKIPPED and not (one / "pyvenv.cfg").exists()]
        for entry in entries:
            if entry.is_symlink():
                yield Unread(file=_shown(Path(entry.path), root), reason="a symbolic link, not followed")
            elif not entry.is_dir(follow_symlinks=False):
                yield from _read(Path(entry.path), _shown(Path(entry.path), root))


def _shown(path: Path, root: Path) -> str:
    # A name that is not UTF-8 can be read but not be printed.
    return os.fsencode(path.relative_to(root).as_posix()).decode(errors="replace")


def _read(path: Path, shown: str) -> Iterator[Source | Unread]:
    kind = _kind_by_name(path)
    try:
        found = path.lstat()
        if not stat.S_ISREG(found.st_mode):
            yield Unread(file=shown, reason="not a regular file")
            return
        if kind is None and path.suffix not in ("", ".conf", ".ini"):
            return
        if found.st_size > BYTES_MAX:
            if kind:
                yield Unread(file=shown, reason=f"larger than {BYTES_MAX} bytes")
            return
        raw = path.read_bytes()
    except OSError as error:
        yield Unread(file=shown, reason=f"cannot be read: {error.strerror}")
        return
    yield from _decoded(raw, shown, kind, path.suffix)


def _decoded(raw: bytes, shown: str, kind: Kind | None, suffix: str) -> Iterator[Source | Unread]:
    if b"\0" in raw:
        if kind:
            yield Unread(file=shown, reason="binary")
        return
    try:
        text = raw.decode(_encoding(raw) if kind == "python" else "utf-8-sig")
        broken = False
    except (UnicodeDecodeError, SyntaxError, LookupError):
        text, broken = raw.decode(errors="replace"), True
    if (kind := kind or _kind_by_content(text, suffix)) is None:
        return
    if broken:
        yield Unread(file=shown, reason="not UTF-8 as it says: what is not was replaced and the rest read")
    yield Source(shown, kind, text.replace("\r\n", "\n"))


def _encoding(raw: bytes) -> str:
    return tokenize.detect_encoding(io.BytesIO(raw).readline)[0]


def _kind_by_name(path: Path) -> Kind | None:
    if path.name == ".env" or path.name.startswith(".env."):
        return "env"
    if "crontab" in path.name or path.parent.name.startswith("cron."):
        return "crontab"
    return _BY_SUFFIX.get(path.suffix.lower())


def _kind_by_content(text: str, suffix: str) -> Kind | None:
    if suffix in (".conf", ".ini"):
        return "supervisor" if _SUPERVISOR.search(text) else None
    shebang = text.partition("\n")[0] if text.startswith("#!") else ""
    if "python" in shebang:
        return "python"
    return "shell" if re.search(r"\b(ba|da|z|k)?sh\b", shebang) else None

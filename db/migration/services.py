"""What supervisor configurations, environment files, crontabs, shell scripts and SQL files tell of the same things."""

import configparser
import re
import shlex
from collections.abc import Iterable, Iterator
from typing import Final

from db.migration.calling import path_kind, service_of
from db.migration.sources import Source
from db.migration.sql import Sql, looks_like_sql, statements_in
from db.migration.stating import HOLE, statement_of
from db.migration.texts import Text
from db.migration.words import Connection, HttpCall, Loop, PathUse, Placed, Port, Statement, Unread, Variable

Told = Placed | tuple[Statement, Sql]
"""What was found; a statement with its syntax tree."""

_SECRET: Final = re.compile(r"PASSW|SECRET|TOKEN|API_?KEY|PRIVATE|CREDENTIAL|DSN|DATABASE_URL", re.IGNORECASE)
_SETS: Final = re.compile(r"^\s*(?:export\s+|declare\s+-x\s+)?([A-Za-z_]\w*)=(.*)$")
_USES: Final = re.compile(r"\$\{?([A-Z_][A-Z0-9_]+)")
_PORT: Final = re.compile(r"--port[= ](\d{2,5})\b|(?:localhost|127\.0\.0\.1|0\.0\.0\.0):(\d{2,5})\b")
_SQLITE: Final = re.compile(
    r"(?:^|[\s|;&(`])sqlite3\s+(?:-\w+\s+)*(?P<file>\"[^\"]+\"|'[^']+'|[^\s<|;&)]+)(?P<rest>.*)"
)
_CURL: Final = re.compile(r"(?:^|[\s|;&(`!])(curl|wget)\s+(.*)")
_URL: Final = re.compile(r"https?://[^\s\"'|;)]+")
_WORD: Final = re.compile(r"[^\s\"'=:,;()<>|&`]+")
_LOOP: Final = re.compile(r"^\s*while\b")
_SLEEP: Final = re.compile(r"^\s*sleep\s+(\S+)")


def masked(name: str, value: str) -> str:
    """Return a variable's value, or stars where its name or the value itself says that it is a secret."""
    return "***" if value and (_SECRET.search(name) or re.search(r"://[^/\s:]*:[^@\s]+@", value)) else value


def read(source: Source) -> Iterator[Told | Unread]:
    """Yield what one file that is no Python tells."""
    match source.kind:
        case "supervisor":
            yield from _supervisor(source)
        case "env":
            yield from _environment(source)
        case "shell" | "crontab":
            yield from _lines(source)
        case _:
            yield from _statements(source.text, {"file": source.file, "line": 1}, executed=True)


def sections(text: str) -> configparser.RawConfigParser:
    """Return a configuration of supervisor, each value as it stands. Raises: configparser.Error."""
    parser = configparser.RawConfigParser(strict=False, inline_comment_prefixes=(" ;",), allow_no_value=True)
    parser.read_string(text)
    return parser


def _supervisor(source: Source) -> Iterator[Placed | Unread]:
    try:
        parser = sections(source.text)
    except configparser.Error as error:
        yield Unread(file=source.file, reason=f"no configuration of supervisor: {error.message.splitlines()[0]}")
        return
    places = _key_lines(source.text)
    for section in parser.sections():
        program = section.partition(":")[2] if section.startswith("program:") else None
        for key, value in parser.items(section):
            line = places.get((section, key), 1)
            yield from _supervisor_key(source.file, line, program, key, value or "")


def _supervisor_key(file: str, line: int, program: str | None, key: str, value: str) -> Iterator[Placed]:
    where = {"file": file, "line": line, "function": program or ""}
    if key == "environment":
        for name, given in environment_of(value).items():
            yield Variable(**where, name=name, action="sets", value=masked(name, given), set_for=program or "")  # type: ignore[arg-type]
    elif key == "command":
        for word in value.split():
            if word.endswith((".py", ".sh")):
                yield PathUse(**where, path=word, kind="program")  # type: ignore[arg-type]
        yield from _ports(value, where, program)
    elif key.endswith("logfile") and value not in ("NONE", "AUTO", "none", ""):
        yield PathUse(**where, path=value, kind="log")  # type: ignore[arg-type]
    elif kind := path_kind(value):
        yield PathUse(**where, path=value, kind=kind)  # type: ignore[arg-type]


def _key_lines(text: str) -> dict[tuple[str, str], int]:
    section, found = "", {}
    for number, line in enumerate(text.split("\n"), 1):
        if line.startswith("["):
            section = line.strip().strip("[]").partition("]")[0]
        elif match := re.match(r"(\w+)\s*[=:]", line):
            found[section, match[1].lower()] = number
    return found


def environment_of(value: str) -> dict[str, str]:
    """Return what supervisor's `environment=A="1",B=2` passes."""
    pairs = re.findall(r"([A-Za-z_]\w*)\s*=\s*(\"(?:[^\"\\]|\\.)*\"|'[^']*'|[^,\n]*)", value)
    return {name: given.strip().strip("\"'") for name, given in pairs}


def _environment(source: Source) -> Iterator[Placed]:
    for number, line in enumerate(source.text.split("\n"), 1):
        if match := _SETS.match(line):
            where = {"file": source.file, "line": number}
            value = match[2].strip().strip("\"'")
            yield Variable(**where, name=match[1], action="sets", value=masked(match[1], value))  # type: ignore[arg-type]
            if match[1].upper().endswith("PORT") and value.isdigit() and 0 < int(value) < 1 << 16:
                yield Port(**where, port=int(value), service=service_of(match[1]))  # type: ignore[arg-type]
            if kind := path_kind(value):
                yield PathUse(**where, path=value, kind=kind)  # type: ignore[arg-type]


def _lines(source: Source) -> Iterator[Told]:
    lines = source.text.split("\n")
    for number, line in enumerate(lines, 1):
        if line.lstrip().startswith("#"):
            continue
        if line.endswith("\\"):
            # What goes on in the next line is one command.
            line = line[:-1] + " ".join(lines[number : number + 1])  # noqa: PLW2901
        where: dict[str, object] = {"file": source.file, "line": number}
        yield from _set_and_used(line, where)
        yield from _ports(line, where, None)
        yield from _opened(line, where)
        yield from _fetched(line, where)
        kinds = {word: kind for word in _WORD.findall(line) if (kind := path_kind(word))}
        for word, kind in kinds.items():
            yield PathUse(**where, path=word, kind=kind)  # type: ignore[arg-type]
        if _LOOP.match(line) and (loop := _loop(lines[number:], where)):
            yield loop


def _set_and_used(line: str, where: dict[str, object]) -> Iterator[Placed]:
    set_here = _SETS.match(line)
    exported = line.lstrip().startswith(("export ", "declare -x "))
    if set_here and exported:
        value = set_here[2].strip().strip("\"'")
        yield Variable(**where, name=set_here[1], action="sets", value=masked(set_here[1], value))  # type: ignore[arg-type]
    for name in dict.fromkeys(_USES.findall(line)):
        yield Variable(**where, name=name, action="uses", default=bool(re.search(rf"\$\{{{name}:?[-=]", line)))  # type: ignore[arg-type]


def _ports(line: str, where: dict[str, object], service: str | None) -> Iterator[Port]:
    for match in _PORT.finditer(line):
        port = int(match[1] or match[2])
        if 0 < port < 1 << 16:
            yield Port(**where, port=port, service=service if match[1] else None)  # type: ignore[arg-type]


def _opened(line: str, where: dict[str, object]) -> Iterator[Told]:
    if not (match := _SQLITE.search(line)) or match["file"].startswith("-"):
        return
    yield Connection(**where, library="sqlite3", how="shell", target=match["file"].strip("\"'"))  # type: ignore[arg-type]
    try:
        words = shlex.split(match["rest"].partition("|")[0].partition(")")[0]) or shlex.split(match["rest"])
    except ValueError:
        # A text that goes on in the next line.
        words = re.findall(r"[\"']([^\"']+)", match["rest"])
    for word in words[:1]:
        if looks_like_sql(word):
            yield from _statements(word, where, executed=True)


def _fetched(line: str, where: dict[str, object]) -> Iterator[HttpCall]:
    for match in _CURL.finditer(line):
        url = _URL.search(match[2])
        method = re.search(r"-X\s*([A-Z]+)", match[2])
        waits = re.search(r"--max-time|--timeout|(^|\s)-m\s|-T\s*\d", match[2])
        if url:
            yield HttpCall(**where, method=method[1] if method else "GET", url=url[0], timeout=bool(waits))  # type: ignore[arg-type]


def _loop(following: Iterable[str], where: dict[str, object]) -> Loop | None:
    does, interval, depth = [], None, 1
    for line in following:
        words = line.split()
        depth += bool(_LOOP.match(line) or re.match(r"^\s*(for|until)\b", line)) - (words[:1] == ["done"])
        if depth == 0:
            break
        if (match := _SLEEP.match(line)) and depth == 1:
            interval = match[1]
        elif words and not words[0].startswith("#"):
            does.append(words[0])
    if interval is None:
        return None
    skipped = {"if", "then", "fi", "else", "elif", "do", "done", "for", "while", "[", "echo", "esac", "case"}
    return Loop(**where, interval=interval, does=tuple(dict.fromkeys(one for one in does if one not in skipped)))  # type: ignore[arg-type]


def _statements(text: str, where: dict[str, object], *, executed: bool) -> Iterator[Told]:
    holed = Text(re.sub(r"\$\{?(\w+)\}?", "\ue000$\\1\ue001", text))
    for sql in statements_in(holed.filled(HOLE)):
        yield statement_of(sql, holed, where, None, executed=executed), sql

"""All rules over one audit, with the code around each finding, secrets masked."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

import msgspec

from db.migration.reading import Reading
from db.migration.rules import (
    connections,
    lastrowid,
    routes,
    running,
    sharing,
    statements,
    surroundings,
    transactions,
    wholes,
)
from db.migration.rules.finding import found
from db.migration.sources import Source
from db.migration.sql import Sql
from db.migration.texts import masked
from db.migration.words import Audit, Finding, Statement

_LINE_MAX: Final = 200


def findings(
    reading: Reading, whole: Audit, stated: Sequence[tuple[Statement, Sql]], read: Iterable[Source]
) -> tuple[Finding, ...]:
    """Return every finding of an audit that has everything else, in the order of files and lines."""
    texts = {source.file: source.text.split("\n") for source in read}
    kinds = {source.file: source.kind for source in read}
    wrong = [*_all(reading, whole, stated, kinds)]
    secret = _secret_lines(wrong)
    unique = dict.fromkeys(sorted(wrong, key=lambda one: (one.file, one.line, one.rule)))
    return tuple(_with_code(one, texts.get(one.file, []), secret) for one in unique)


def _all(
    reading: Reading, whole: Audit, stated: Sequence[tuple[Statement, Sql]], kinds: Mapping[str, str]
) -> Iterator[Finding]:
    yield from connections.findings(reading)
    yield from transactions.findings(reading)
    yield from sharing.findings(reading)
    yield from statements.findings(stated)
    yield from lastrowid.findings(reading, stated)
    yield from running.findings(reading)
    yield from surroundings.findings(reading, whole, kinds)
    yield from wholes.findings(whole)
    yield from routes.findings(reading, whole)
    for one in whole.connections:
        if one.how == "shell":
            yield found("direct-sqlite", one, f"a script opens an SQLite file ({one.target})", subject=one.target or "")
    for loop in whole.loops:
        if kinds.get(loop.file) in ("shell", "crontab"):
            yield found("polling-loop", loop, f"every {loop.interval} s: {', '.join(loop.does[:6])}")


def _secret_lines(wrong: Iterable[Finding]) -> set[tuple[str, int]]:
    return {(one.file, one.line) for one in wrong if one.rule == "secret-in-source"}


def _with_code(one: Finding, lines: list[str], secret: set[tuple[str, int]]) -> Finding:
    first = max(1, one.line - 1)
    around = tuple(
        _masked(line[:_LINE_MAX], is_secret=(one.file, number) in secret)
        for number, line in enumerate(lines[first - 1 : one.line + 1], first)
    )
    rewritten = masked(one.rewritten) if one.rewritten else None
    return msgspec.structs.replace(one, code_from=first, code=around, rewritten=rewritten)


def _masked(line: str, *, is_secret: bool) -> str:
    if not is_secret:
        return line
    # Up to the first quote or sign of equality it names the secret; what comes then is or may be the secret.
    cut = min(
        (place for place in (line.find("="), line.find(":"), line.find('"'), line.find("'")) if place >= 0), default=0
    )
    return f"{line[: cut + 1]} ***"

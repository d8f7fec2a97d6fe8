"""Two files that may be copies of one database, which have gone different ways: nothing in them says which one the programs use.

They are asked about, as zones are, wherever two files have the same tables. (Copies that are the same to the byte are refused at once.)
"""

import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from itertools import combinations
from typing import Final

from db.migration.plan_words import Question
from db.migration.snapshot import Snapshot, open_snapshot
from db.migration.sqlite_schema import quoted

ALL: Final = "all"
"""The answer that each file is a database of its own."""
_TABLES: Final = (
    "SELECT name FROM {}.sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!' ORDER BY name"
)


def copies_asked(taken: Mapping[str, Snapshot], answers: Mapping[str, str]) -> tuple[Question, ...]:
    """Return a question for each group of sources with the same tables. taken: by the names of the sources."""
    groups: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for name, snapshot in taken.items():
        with closing(open_snapshot(snapshot)) as connection:
            groups[_tables(connection, "main")].append(name)
    return tuple(
        _question(tables, names, taken, answers) for tables, names in groups.items() if len(names) > 1 and tables
    )


def left_behind(question: Question) -> tuple[str, ...]:
    """Return the sources that the answer leaves behind."""
    if question.kind != "copies" or question.answer not in question.answers or question.answer == ALL:
        return ()
    return tuple(one for one in question.answers if one not in (question.answer, ALL))


def _question(
    tables: Sequence[str], names: Sequence[str], taken: Mapping[str, Snapshot], answers: Mapping[str, str]
) -> Question:
    name = f"copies-{'-'.join(names)}"
    files = " and ".join(str(taken[one].source) for one in names)
    hints = [_hint(tables, (one, other), taken) for one, other in combinations(names, 2)]
    return Question(
        name=name,
        kind="copies",
        answers=(*names, ALL),
        asks=f"{files} have the same tables: which of them do the programs use? That one alone is moved; or {ALL}, if each is a database of its own",
        hint="; ".join(hints),
        answer=answers.get(name, ""),
    )


def _hint(tables: Sequence[str], pair: tuple[str, str], taken: Mapping[str, Snapshot]) -> str:
    """Return which rows stand in both."""
    one, other = pair
    with closing(open_snapshot(taken[one])) as connection:
        connection.execute("PRAGMA temp_store = FILE")
        connection.execute("ATTACH ? AS other", [f"{taken[other].path.as_uri()}?mode=ro&immutable=1"])
        said = [_compared(connection, table, one, other) for table in tables]
    same = said.count("")
    differ = [words for words in said if words]
    rest = (
        [f"{same} {'other ' if differ else ''}{'table is' if same == 1 else 'tables are'} the same in both"]
        if same
        else []
    )
    return "; ".join([*differ, *rest])


def _compared(connection: sqlite3.Connection, table: str, one: str, other: str) -> str:
    """Return how a table differs; nothing if it does not."""
    theirs = {name.lower() for name in _columns(connection, "other", table)}
    shared = [name for name in _columns(connection, "main", table) if name.lower() in theirs]
    listed = ", ".join(map(quoted, shared))
    here, there = (f"SELECT {listed} FROM {schema}.{quoted(table)}" for schema in ("main", "other"))
    try:
        both, first, second = (
            connection.execute(f"SELECT count(*) FROM ({a} {verb} {b})").fetchone()[0]
            for a, verb, b in ((here, "INTERSECT", there), (here, "EXCEPT", there), (there, "EXCEPT", here))
        )
    except sqlite3.Error as error:
        return f"{table} cannot be compared ({error})"
    if both and not first and not second:
        return ""
    return f"of {table}, {both:,} rows stand in both, {first:,} only in {one}, {second:,} only in {other}"


def _tables(connection: sqlite3.Connection, schema: str) -> tuple[str, ...]:
    return tuple(name.lower() for (name,) in connection.execute(_TABLES.format(schema)))


def _columns(connection: sqlite3.Connection, schema: str, table: str) -> Iterator[str]:
    for (name,) in connection.execute("SELECT name FROM pragma_table_info(?, ?)", [table, schema]):
        yield name

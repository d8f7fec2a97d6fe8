"""Databases as nobody would make them on purpose and everybody has them: a strategy for hypothesis.

    @given(dirty_databases())
    def test_...(database: Dirty) -> None:
        path = database.build(folder)

What is in them: mixed storage classes, 2^63, infinities and -0.0, NaN as text, NUL bytes, bytes that are no UTF-8, huge texts, numbers and
dates in many spellings with the hours that come twice or never, reserved words and odd names, composite keys, tables without keys and
without rowids, NOCASE, generated columns, checks, orphans, partial indexes, indexes of expressions, views, triggers, a virtual table.
"""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from hypothesis import strategies as st

from db.migration.cells import Cell, raw_bytes, text_of
from db.migration.sqlite_schema import quoted

NAMES = (
    "trades",
    "Trades Old",
    "select",
    "order",
    'a"b',
    "user",
    "Größe",
    "1st",
    "x.y",
    "from",
    "CamelCase",
    "ctid",
    "n" * 70,
)
COLUMNS = (
    "id",
    "price",
    "Side",
    "order",
    "group",
    "a b",
    'q"q',
    "é",
    "ctid",
    "xmin",
    "closed_at",
    "date",
    "time",
    "note",
    "PRICE 2",
    "c" * 64,
)
TYPES = ("INTEGER", "INT", "TEXT", "REAL", "BLOB", "NUMERIC", "BOOLEAN", "DATETIME", "TIMESTAMP", "DATE", "TIME", "DECIMAL(10,2)", "VARCHAR(20)", "JSON", "")  # fmt: skip
DEFAULTS = ("", "", "", " DEFAULT 0", " DEFAULT 'open'", " DEFAULT CURRENT_TIMESTAMP", " DEFAULT (random())", " DEFAULT NULL", ' DEFAULT "x"', " DEFAULT -1.5")  # fmt: skip
COLLATIONS = ("", "", "", " COLLATE NOCASE", " COLLATE RTRIM")

WHOLE = st.one_of(
    st.integers(-3, 3),
    st.integers(-(2**63), 2**63 - 1),
    st.sampled_from([2**53 + 1, 2**63 - 1, -(2**63), 1_754_250_613]),
)
FLOATS = st.one_of(
    st.floats(allow_nan=False),
    st.sampled_from([0.0, -0.0, 0.1 + 0.2, 1 - 0.07, 2.0, 2.0**63, 1e22, 5e-324, float("inf"), float("-inf"), 1e308]),
    st.decimals(-1000, 1000, places=2).map(float),
)
NUMBER_TEXTS = st.sampled_from(["+3", "-2", "$119,500", "117500", "0.97", "-0.01", "007", "1e3", "9223372036854775808", "", "NaN", "None", "1,23", "٣"])  # fmt: skip
TIME_TEXTS = st.sampled_from(
    [
        "2025-07-23 22:17:54", "2025-07-23T22:17:54", "2025-07-23T22:17:54.120000", "2025-08-03T15:50:13-04:00", "2025-08-03T19:50:13Z",
        "2025-11-02 01:30:00", "2025-11-02 01:10:00", "2025-03-09 02:30:00", "2025-02-30 00:00:00", "15:59:59", "09:00:00", "2025-07-23",
        "23/07/2025", "07/23/2025", "now", "",
    ]
)  # fmt: skip
WORDS = st.sampled_from(["true", "false", "True", "yes", "no", "Y", "N", "maybe", "0", "1"])
JSONS = st.sampled_from(
    ["{}", '{"a": 1}', "[1, 2.50]", '{"a": NaN}', "{'a': 1}", '"x"', '{"a": "\\u0000"}', "null", "[" * 50 + "]" * 50]
)
ODD_TEXTS = st.one_of(
    st.text(max_size=20),
    st.binary(max_size=8).map(text_of),
    st.sampled_from(["a\0b", "\0", "x" * 200_000, "Ünï", "ABC", "abc", "abc ", "'; DROP TABLE trades; --", "\\N", "\\.", "a\tb\nc", "\x7f"]),
)  # fmt: skip
BLOBS = st.one_of(st.binary(max_size=12), st.just(bytes(range(256)) * 20))
CLEAN_DATES = st.dates(date(2025, 1, 1), date(2025, 12, 31)).map(str)
CLEAN_CLOCKS = st.times().map(lambda one: str(one.replace(microsecond=0)))
CLEAN_TIMES = st.one_of(
    st.builds("{} {}".format, CLEAN_DATES, CLEAN_CLOCKS),
    st.sampled_from(["2025-11-02 01:30:00", "2025-11-02 01:10:00", "2025-03-09 02:30:00"]),
)
FLAVOURS: tuple[st.SearchStrategy[Cell], ...] = (
    WHOLE,
    FLOATS,
    NUMBER_TEXTS,
    TIME_TEXTS,
    WORDS,
    JSONS,
    ODD_TEXTS,
    BLOBS,
)
ANYTHING = st.one_of(*FLAVOURS)
SENSIBLE: tuple[tuple[str, st.SearchStrategy[Cell]], ...] = (
    ("INTEGER", WHOLE), ("INTEGER", FLOATS), ("REAL", FLOATS), ("NUMERIC", st.one_of(FLOATS, WHOLE)), ("TEXT", NUMBER_TEXTS), ("TEXT", TIME_TEXTS),
    ("DATETIME", CLEAN_TIMES), ("TEXT", CLEAN_TIMES), ("DATE", CLEAN_DATES), ("TIME", CLEAN_CLOCKS), ("BOOLEAN", st.integers(0, 1)),
    ("BOOLEAN", WORDS), ("TEXT", st.sampled_from(["true", "false"])), ("JSON", JSONS), ("TEXT", ODD_TEXTS), ("BLOB", BLOBS), ("DATETIME", st.integers(1_700_000_000, 1_800_000_000)),
)  # fmt: skip
"""What columns of a type usually hold."""


@dataclass(frozen=True)
class Dirty:
    """A database as statements with their parameters; one that SQLite refuses is left out."""

    statements: tuple[tuple[str, tuple[Cell, ...]], ...]

    def build(self, path: Path) -> Path:
        """Make the database; returns its path."""
        path.unlink(missing_ok=True)
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("BEGIN")
            for sql, cells in self.statements:
                _execute(connection, sql, cells)
            connection.execute("COMMIT")
        return path


def _execute(connection: sqlite3.Connection, sql: str, cells: tuple[Cell, ...]) -> None:
    try:
        # Bytes make every text, also those that no str of Python can say.
        connection.execute(sql, [raw_bytes(cell) if isinstance(cell, str) else cell for cell in cells])
    except (sqlite3.IntegrityError, sqlite3.OperationalError):
        assert not sql.startswith("CREATE TABLE"), sql


def _insert(table: str, columns: list[str], row: list[Cell]) -> tuple[str, tuple[Cell, ...]]:
    places = ", ".join("CAST(? AS TEXT)" if isinstance(cell, str) else "?" for cell in row)
    names = ", ".join(map(quoted, columns))
    return f"INSERT OR IGNORE INTO {quoted(table)} ({names}) VALUES ({places})", tuple(row)


@st.composite
def dirty_databases(draw: st.DrawFn, *, tables_max: int = 3, rows_max: int = 12) -> Dirty:
    """Draw a database."""
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=tables_max, unique_by=str.lower))
    statements: list[tuple[str, tuple[Cell, ...]]] = []
    for name in names:
        statements += draw(_tables(name, names, rows_max))
    extras = draw(st.sets(st.sampled_from(["view", "trigger", "virtual", "autoincrement", "orphans"])))
    first = quoted(names[0])
    if "view" in extras:
        statements.append((f"CREATE VIEW {quoted('v ' + names[0])} AS SELECT * FROM {first} WHERE 1 = 1", ()))
    if "trigger" in extras:
        statements.append((f"CREATE TRIGGER watch AFTER DELETE ON {first} BEGIN SELECT 1; END", ()))
    if "virtual" in extras:
        statements += [
            ("CREATE VIRTUAL TABLE search USING fts5(body)", ()),
            ("INSERT INTO search (body) VALUES ('found')", ()),
        ]
    if "autoincrement" in extras:
        statements += [
            ("CREATE TABLE counted (id INTEGER PRIMARY KEY AUTOINCREMENT, a)", ()),
            ("INSERT INTO counted (id) VALUES (40)", ()),
            ("DELETE FROM counted", ()),
            ("INSERT INTO counted (a) VALUES (x'00')", ()),
        ]
    if "orphans" in extras:
        statements += [
            ("CREATE TABLE parents (id INTEGER PRIMARY KEY, code TEXT UNIQUE COLLATE NOCASE)", ()),
            (
                "CREATE TABLE children (parent INTEGER REFERENCES parents, code TEXT REFERENCES parents (code) ON DELETE CASCADE)",
                (),
            ),
            ("INSERT INTO parents VALUES (1, 'A')", ()),
            ("INSERT INTO children VALUES (1, 'a'), (2, 'A'), (NULL, NULL)", ()),
        ]
    return Dirty(tuple(statements))


@st.composite
def _tables(draw: st.DrawFn, name: str, names: list[str], rows_max: int) -> list[tuple[str, tuple[Cell, ...]]]:
    columns = draw(st.lists(st.sampled_from(COLUMNS), min_size=2, max_size=6, unique_by=str.lower))
    held = [
        draw(st.one_of(st.sampled_from(SENSIBLE), st.tuples(st.sampled_from(TYPES), st.sampled_from(FLAVOURS))))
        for _ in columns
    ]
    types = [kind for kind, _ in held]
    shape = draw(st.sampled_from(["no key", "rowid", "text", "composite", "without rowid"]))
    parts = [
        f"{quoted(column)} {kind}{draw(st.sampled_from(DEFAULTS))}{draw(st.sampled_from(COLLATIONS))}"
        for column, kind in zip(columns, types, strict=True)
    ]
    if shape == "rowid":
        parts[0] = f"{quoted(columns[0])} INTEGER PRIMARY KEY"
    elif shape == "text":
        parts[0] = f"{quoted(columns[0])} {types[0]} PRIMARY KEY"
    elif shape in ("composite", "without rowid"):
        parts.append(f"PRIMARY KEY ({quoted(columns[0])}, {quoted(columns[1])})")
    extras = draw(
        st.sets(st.sampled_from(["generated", "unique", "check", "reference", "partial", "expression", "not null"]))
    )
    if "generated" in extras:
        parts.insert(len(columns), f"made GENERATED ALWAYS AS ({quoted(columns[-1])} || '!') VIRTUAL")
    if "unique" in extras:
        parts.append(f"UNIQUE ({quoted(columns[-1])})")
    if "check" in extras:
        parts.append(f"CHECK ({quoted(columns[0])} {draw(st.sampled_from(['IS NOT', '<>']))} 7)")
    if "reference" in extras:
        parts.append(f"FOREIGN KEY ({quoted(columns[-1])}) REFERENCES {quoted(draw(st.sampled_from(names)))}")
    made = [
        (f"CREATE TABLE {quoted(name)} ({', '.join(parts)}){' WITHOUT ROWID' if shape == 'without rowid' else ''}", ())
    ]
    if "partial" in extras:
        made.append(
            (
                f"CREATE INDEX {quoted('some ' + name)} ON {quoted(name)} ({quoted(columns[1])}) WHERE {quoted(columns[0])} > 1",
                (),
            )
        )
    if "expression" in extras:
        made.append((f"CREATE INDEX {quoted('low ' + name)} ON {quoted(name)} (lower({quoted(columns[1])}))", ()))
    cells = [_mostly(usual) for _, usual in held]
    rows = draw(st.lists(st.tuples(*cells), min_size=draw(st.sampled_from([0, 1, 5])), max_size=rows_max))
    return [*made, *(_insert(name, columns, list(row)) for row in rows)]


def _mostly(usual: st.SearchStrategy[Cell]) -> st.SearchStrategy[Cell]:
    """Return what a column is for, and now and then anything."""
    rare: dict[int, st.SearchStrategy[Cell]] = {0: ANYTHING, 1: st.none()}
    return st.integers(0, 29).flatmap(lambda dice: rare.get(dice, usual))

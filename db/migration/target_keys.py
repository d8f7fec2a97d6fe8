"""Keys, uniques, references, checks and indexes of a table in the target; what cannot come is said."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from db.migration.conversions.texts import Text
from db.migration.plan_words import Check, Column, ForeignKey, Index, NotMoved, Table, Unique
from db.migration.snapshot import Orphans
from db.migration.sql_in_target import condition_of, parts_of_index
from db.migration.sqlite_schema import SqliteForeignKey, SqliteIndex, SqliteTable, quoted
from db.migration.target_names import free, shortened

_LOOSE_NOTE: Final = "SQLite compares it without regard to case (NOCASE: letters of ASCII) or to spaces at its end (RTRIM), and so does this"


@dataclass(frozen=True)
class Ground:
    """What is known of one table while it is planned. columns: by their source's lower name. taken: names of the schema, added to."""

    source: str
    table: SqliteTable
    columns: Mapping[str, Column]
    taken: set[str]

    def name(self, wanted: str) -> str:
        """Return a free name for an index or constraint."""
        found = free(shortened(wanted), self.taken)
        self.taken.add(found)
        return found

    def not_moved(self, kind: str, name: str, why: str, sql: str = "") -> NotMoved:
        """Say what does not come."""
        return NotMoved(source=self.source, kind=kind, name=f"{self.table.name}: {name}", why=why, sqlite=sql)  # type: ignore[arg-type]  # a kind of its


def key_of(ground: Ground, nulls: Mapping[str, int]) -> tuple[tuple[str, ...], str]:
    """Return the target's key, and what became of SQLite's. nulls: NULLs by source column."""
    key = ground.table.key
    targets = [ground.columns.get(name.lower()) for name in key]
    found = [one for one in targets if one is not None]
    if not key or len(found) != len(key):
        return (), "" if not key else "its columns do not come"
    if any(nulls.get(name) for name in key) and not ground.table.rowid_column:
        return (), "SQLite's key holds NULLs, which no key of PostgreSQL may: its values are unique instead"
    literals = [one.name for one in found if one.conversion.__struct_config__.tag == "literal"]
    return tuple(
        one.name for one in found
    ), f"{', '.join(literals)}: literals of SQL, so that 1 and '1' stay two keys" if literals else ""


def indexes_of(ground: Ground, *, has_key: bool) -> Iterator[Unique | Index | NotMoved]:
    """Yield what the indexes of SQLite become; an index of the key itself becomes the key."""
    for index in ground.table.indexes:
        is_loose = set(index.collations) != {"BINARY"}
        if index.origin == "pk" and has_key and not is_loose:
            continue
        if index.partial or None in index.columns:
            yield _special(ground, index)
            continue
        found = [
            (name, ground.columns.get(str(name).lower()), collation)
            for name, collation in zip(index.columns, index.collations, strict=True)
        ]
        if (missing := next((name for name, column, _ in found if column is None), None)) is not None:
            yield ground.not_moved("index", index.name, f"its column {missing} does not come as one", index.sql or "")
            continue
        parts = tuple(_part(column, collation) for _, column, collation in found if column is not None)
        name = ground.name(
            f"{ground.table.name}_{'_'.join(column.name for _, column, _ in found if column is not None)}_key".lower()
            if index.origin != "c"
            else index.name.lower()
        )
        yield (
            Unique(name=name, parts=parts, note=_LOOSE_NOTE if is_loose else "")
            if index.unique
            else Index(name=name, parts=parts)
        )


def _part(column: Column, collation: str) -> str:
    if not isinstance(column.conversion, Text):
        return quoted(column.name)
    bare = {"NOCASE": f'(lower({quoted(column.name)} COLLATE "C"))', "RTRIM": f"(rtrim({quoted(column.name)}, ' '))"}
    return bare.get(collation, quoted(column.name))


def _special(ground: Ground, index: SqliteIndex) -> Unique | Index | NotMoved:
    found = parts_of_index(index.sql or "", ground.columns)
    if found is None or set(index.collations) != {"BINARY"}:
        return ground.not_moved(
            "index",
            index.name,
            "its expressions or its condition cannot be translated with certainty: write it anew",
            index.sql or "",
        )
    parts, where = found
    name = ground.name(index.name.lower())
    return Unique(name=name, parts=parts, where=where) if index.unique else Index(name=name, parts=parts, where=where)


def checks_of(ground: Ground) -> Iterator[Check | NotMoved]:
    """Yield the conditions; one that a boolean fulfils by its type is not needed."""
    for number, sql in enumerate(ground.table.checks, 1):
        condition = condition_of(sql, ground.columns)
        if condition is not None:
            yield Check(name=ground.name(f"{ground.table.name}_check_{number}".lower()), condition=condition)
        elif not _is_boolean(sql, ground.columns):
            yield ground.not_moved(
                "check",
                sql,
                "it cannot be translated with certainty, or compares what has another type now: write it anew",
            )


def _is_boolean(sql: str, columns: Mapping[str, Column]) -> bool:
    words = sql.replace('"', "").replace("(", " ").replace(")", " ").replace(",", " ").split()
    column = columns.get(words[0].lower()) if words else None
    return column is not None and column.type == "boolean" and [word.upper() for word in words[1:]] == ["IN", "0", "1"]


def references_of(
    ground: Ground, tables: Mapping[str, tuple[SqliteTable, Table]], orphans: Sequence[Orphans]
) -> Iterator[ForeignKey | NotMoved]:
    """Yield the foreign keys. tables: of the same source, by lower name, with what they become."""
    for key in ground.table.foreign_keys:
        said = f"({', '.join(key.columns)}) references {key.table}"
        found = tables.get(key.table.lower())
        why = "it refers to a table that does not come" if found is None else ""
        if found is not None:
            parent_source, parent = found
            here, there = _ends(ground, key, parent_source, parent)
            why = _misfit(here, there, parent) or _loosely_compared(key, parent_source)
            if not why:
                counted = sum(one.rows for one in orphans if one.table == ground.table.name and one.key == key.number)
                yield ForeignKey(
                    name=ground.name(f"{ground.table.name}_{'_'.join(one.name for one in here if one)}_fkey".lower()),
                    columns=tuple(one.name for one in here if one),
                    table=parent.name,
                    schema=parent.schema,
                    references=tuple(one.name for one in there if one),
                    on_delete=key.on_delete,
                    on_update=key.on_update,
                    orphans=counted,
                )
                continue
        yield ground.not_moved("foreign key", said, why)


def _ends(
    ground: Ground, key: SqliteForeignKey, parent_source: SqliteTable, parent: Table
) -> tuple[list[Column | None], list[Column | None]]:
    named = [one for one in key.to if one is not None] or list(parent_source.key)
    by_source = {column.sources[0].lower(): column for column in parent.columns if len(column.sources) == 1}
    return [ground.columns.get(name.lower()) for name in key.columns], [by_source.get(name.lower()) for name in named]


def _loosely_compared(key: SqliteForeignKey, parent: SqliteTable) -> str:
    """Return why PostgreSQL would find orphans where SQLite finds none: it compares the parent's column letter by letter."""
    named = {one.lower() for one in key.to if one is not None} or {one.lower() for one in parent.key}
    loose = [one for one in parent.columns if one.name.lower() in named and one.collation != "BINARY"]
    return (
        f"{parent.name}.{loose[0].name} is compared by {loose[0].collation} there, letter by letter here"
        if loose
        else ""
    )


def _misfit(here: Sequence[Column | None], there: Sequence[Column | None], parent: Table) -> str:
    if None in here or None in there or len(here) != len(there):
        return "a column of it does not come as one, or the numbers of columns differ"
    types = [
        (one.type, other.type) for one, other in zip(here, there, strict=True) if one is not None and other is not None
    ]
    if any(one != other for one, other in types):
        return f"its columns have other types than those that they refer to ({', '.join(f'{one} and {other}' for one, other in types)})"
    names = {f"{quoted(one.name)}" for one in there if one is not None}
    bare = {one.name for one in there if one is not None}
    if set(parent.key) != bare and not any(set(one.parts) == names and not one.where for one in parent.uniques):
        return "what it refers to is not unique there"
    return ""

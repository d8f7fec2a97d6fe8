"""Any database is profiled and planned: what is said of it is what SQLite itself counts, and no value is lost on its way."""

import sqlite3
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from msgspec.structs import replace

from db.migration import plan_document, plan_file
from db.migration.cells import Cell, same
from db.migration.conversions.base import Unconvertible
from db.migration.conversions.instants import Zoned
from db.migration.conversions.moving import back, move
from db.migration.plan_words import Column, Plan, Table
from db.migration.planning import plan
from db.migration.profile import batches, profile
from db.migration.snapshot import open_snapshot
from db.migration.sqlite_schema import SqliteTable, quoted, read_schema
from tests.db.migration.dirty import Dirty, dirty_databases

thorough = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@contextmanager
def built(database: Dirty) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield database.build(Path(folder) / "dirty.db")


def counted_by_sqlite(path: Path) -> dict[tuple[str, str], dict[str, int]]:
    with closing(sqlite3.connect(path)) as connection:
        return {
            (table.name, column.name): dict(
                connection.execute(
                    f"SELECT typeof({quoted(column.name)}), count(*) FROM {quoted(table.name)} GROUP BY 1"
                ).fetchall()
            )
            for table in read_schema(connection).tables
            if table.kind != "shadow"
            for column in table.columns
        }


@thorough
@given(dirty_databases())
def test_a_profile_counts_every_cell_as_sqlite_does(database: Dirty) -> None:
    """Fault 60."""
    with built(database) as path:
        found = profile([path]).databases[0]

        assert {
            (table.name, column.name): column.storage for table in found.tables for column in table.columns
        } == counted_by_sqlite(path)


@thorough
@given(dirty_databases())
def test_a_proof_counts_what_becomes_of_every_row(database: Dirty) -> None:
    """Fault 60: text in a number, 2^63, 'maybe' as a boolean, times in the fold and the gap."""
    with built(database) as path:
        made = plan([path])

        for table, source, rows in with_rows(path, made):
            for column in table.columns:
                outcomes = Counter(
                    outcome(column, cells_of(source, row, (*column.sources, *column.context))) for row in rows
                )
                proof = column.proof
                assert proof is not None
                tally = {
                    "lossless": proof.lossless,
                    "kept": proof.kept,
                    "either": proof.either,
                    "quarantined": proof.quarantined,
                }
                assert outcomes == Counter(tally), column


@thorough
@given(dirty_databases())
def test_every_source_column_is_given_back_by_some_column_of_the_target(database: Dirty) -> None:
    with built(database) as path:
        made = plan([path])

        for table, source, _ in with_rows(path, made):
            given_back = {name for column in table.columns for name in column.sources}
            assert {column.name for column in source.columns} <= given_back | set(table.left_out)


@thorough
@given(dirty_databases())
def test_a_plan_comes_back_from_its_file_and_fits_together_once_it_is_answered(database: Dirty) -> None:
    with built(database) as path:
        made = plan([path])
        answers = {one.name: "America/New_York" for one in made.questions}
        made = plan([path], answers)
        file = path.with_name("plan.toml")
        file.write_text(plan_file.write(made), "utf-8")

        assert plan_file.read(file) == made
        plan_file.answered(made)
        assert plan_document.document(made).startswith("# From SQLite to PostgreSQL\n")


def with_rows(path: Path, made: Plan) -> Iterator[tuple[Table, SqliteTable, list[tuple[Cell, ...]]]]:
    with closing(open_snapshot(path)) as connection:
        sources = {one.name: one for one in read_schema(connection).tables}
        for table in made.tables:
            source = sources[table.from_table]
            yield table, source, [row for batch in batches(connection, source) for row in batch]


def cells_of(source: SqliteTable, row: tuple[Cell, ...], names: tuple[str, ...]) -> tuple[Cell, ...]:
    found = dict(zip([*source.row_key, *(column.name for column in source.columns)], row, strict=True))
    return tuple(found[name] for name in names)


def outcome(column: Column, cells: tuple[Cell, ...]) -> str:
    if isinstance(column.conversion, Zoned) and column.conversion.zone.startswith("?"):
        column = replace(column, conversion=replace(column.conversion, zone="UTC"))
    try:
        moved = move(column, cells)
    except Unconvertible:
        return "quarantined"
    assert all(map(same, back(column, moved), cells[: len(column.sources)]))
    return "either" if moved.later is not None else "kept" if moved.original is not None else "lossless"

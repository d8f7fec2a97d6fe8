"""Compares the parts of tables, by processes beside each other: PostgreSQL and Python each have a processor then."""

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from decimal import Decimal, localcontext
from pathlib import Path
from typing import NamedTuple

import psycopg

from db.migration.copying.sessions import connected
from db.migration.plan_words import Plan
from db.migration.verifying.expected import ExpectedRows
from db.migration.verifying.rows import Comparison
from db.migration.verifying.source import Part, Source
from db.migration.verifying.values import EXACT
from db.migration.verifying.words import Difference


class Compared(NamedTuple):
    """One part of a table. nulls, totals: by plan column."""

    number: int
    source_rows: int
    target_rows: int
    quarantined: int
    nulls: list[int]
    totals: list[int | Decimal | None]
    differences: list[Difference]

    def __add__(self, other: "Compared") -> "Compared":  # type: ignore[override]  # two parts of a table are a part of it
        with localcontext(EXACT):
            totals = [
                None if one is None or its is None else one + its
                for one, its in zip(self.totals, other.totals, strict=True)
            ]
        return Compared(
            self.number,
            self.source_rows + other.source_rows,
            self.target_rows + other.target_rows,
            self.quarantined + other.quarantined,
            [one + its for one, its in zip(self.nulls, other.nulls, strict=True)],
            totals,
            self.differences + other.differences,
        )


class Task(NamedTuple):
    """A part of a table of a plan."""

    plan: Plan
    number: int
    snapshot: Path
    part: Part
    run: int


def parts(plan: Plan, number: int, snapshot: Path, count: int) -> list[Part]:
    """Return about so many parts of a table."""
    return Source(snapshot, plan.tables[number]).parts(count)


def compare(connection: psycopg.Connection, task: Task, learned: dict[int, ExpectedRows]) -> Compared:
    """Compare one part. learned: by table, what was learned of it in other parts; takes in what is."""
    source = Source(task.snapshot, task.plan.tables[task.number])
    comparison = Comparison(connection, task.plan, task.number, source, task.part, expected=learned.get(task.number))
    differences = list(comparison.differences(task.run))
    assert comparison.expected is not None
    learned.clear()
    learned[task.number] = comparison.expected
    columns = comparison.expected.columns
    return Compared(
        task.number,
        comparison.source_rows,
        comparison.compared,
        comparison.quarantined,
        [one.nulls for one in columns],
        [one.total for one in columns],
        differences,
    )


def compare_all(dsn: str, tasks: list[Task], workers: int) -> Iterator[Compared]:
    """Yield what becomes of each task, in their order."""
    if workers == 1:
        learned: dict[int, ExpectedRows] = {}
        with connected(dsn) as connection:
            yield from (compare(connection, task, learned) for task in tasks)
        return
    # fork: what is imported, they have in common.
    with ProcessPoolExecutor(workers, multiprocessing.get_context("fork"), _begin, (dsn,)) as pool:
        yield from pool.map(_compare, tasks)


_session = ExitStack()
_connections: list[psycopg.Connection] = []
_learned: dict[int, ExpectedRows] = {}
"""Of a worker: its own."""


def _begin(dsn: str) -> None:
    _connections[:] = [_session.enter_context(connected(dsn))]


def _compare(task: Task) -> Compared:
    return compare(_connections[0], task, _learned)

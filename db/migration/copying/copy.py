"""A copy from begin to end, or from where one was interrupted."""

import resource
import time
from pathlib import Path
from typing import Final, Protocol

from psycopg import sql

from db.migration.copying.checks import CopyRefused, demand_empty, demand_notes, demand_server
from db.migration.copying.crew import work_together
from db.migration.copying.finishing import Finish
from db.migration.copying.sessions import connected
from db.migration.copying.source import SourceTable
from db.migration.copying.standing import Run, Standing, digest_of
from db.migration.copying.worker import Worker
from db.migration.documents import Copied
from db.migration.plan_file import answered
from db.migration.plan_words import Plan
from db.migration.snapshots import Kept, stand
from db.migration.target import arriving, create, place_of, schemas

_STATUS: Final = Path("/proc/self/status")
PIECE_ROWS: Final = 25_000
"""In one transaction: what is done again after kill -9, and how far from each other two workers are."""


class Watching(Protocol):
    """Hears how a copy goes."""

    def begins(self, tables: list[tuple[str, int, int]]) -> None:
        """Hear of each table: its name, its rows, and those that are done already."""

    def copied(self, number: int, rows: int) -> None:
        """Hear that so many more rows of a table are done."""

    def does(self, what: str) -> None:
        """Hear what is done now, beside the rows."""


def copy(
    plan: Plan,
    dsn: str,
    folder: Path,
    *,
    watching: Watching,
    workers: int = 1,
    afresh: bool = False,
    piece_rows: int = PIECE_ROWS,
) -> Copied:
    """Follow a plan; return what stands then. What an earlier call has done, is not done again.

    folder: keeps the snapshots. workers: processes that copy beside each other. afresh: throw away what an unfinished copy has made.
    Raises: PlanRefused, SourceRefused, CopyRefused, CountsDiffer, psycopg.Error. Nothing of it can be seen then.
    """
    plan = answered(plan)
    began = time.monotonic()
    with connected(dsn) as connection:
        demand_server(connection)
        demand_notes(connection, plan)
        standing = Standing(connection, plan)
        if not standing.take_lock():
            raise CopyRefused("another copy into this database is under way: wait for it, or end it")
        if afresh:
            _throw_away(standing)
        run = _resumed(standing, plan)
        if run is not None and run.whole:
            return _report(standing, run, began=began, before=_done(standing, run.run))
        if run is None:
            demand_empty(connection, plan)
        snapshots = stand(plan, folder, anew=run is None, tell=watching.does)
        if run is None:
            _lay_out(standing, plan, snapshots, piece_rows)
        else:
            standing.run = run.run
            if run.snapshots != [snapshots[source.name].digest for source in plan.sources]:
                raise CopyRefused(
                    "the sources have changed since this copy was begun, and its snapshots are gone: run.py migrate copy --afresh"
                )
        before = None if run is None else _done(standing, run.run)
        watching.begins([(one.target, one.rows, one.done) for one in standing.tables(standing.run)])
        paths = {name: snapshot.path for name, snapshot in snapshots.items()}
        work_together(dsn, standing.run, plan, paths, workers=workers, tell=watching.copied)
        Finish(standing, plan, Worker(standing, plan, paths, watching.copied), watching.does).finish()
        (done, *_) = standing.runs()
        return _report(standing, done, began=began, before=before)


def _done(standing: Standing, run: int) -> int:
    return sum(one.done for one in standing.tables(run))


def _resumed(standing: Standing, plan: Plan) -> Run | None:
    """Return the run that this plan has begun. Raises: CopyRefused if another plan's is not finished."""
    for run in standing.runs():
        if run.plan == digest_of(plan):
            return run
        if run.whole is None:
            raise CopyRefused(
                f"a copy of another plan, or of this one before it was edited, was begun {run.started:%Y-%m-%d %H:%M} and is not finished: "
                "finish it with its own plan, or throw it away with --afresh"
            )
    return None


def _throw_away(standing: Standing) -> None:
    with standing.connection.transaction():
        for run in standing.runs():
            if run.whole is None:
                for schema in run.schemas:
                    standing.connection.execute(_dropped(arriving(schema)))
                standing.forget(run.run)


def _dropped(schema: str) -> sql.Composed:
    return sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(schema))


def _lay_out(standing: Standing, plan: Plan, snapshots: dict[str, Kept], piece_rows: int) -> None:
    """Make the empty tables, and note all that there is to do, in one transaction."""
    sources = [SourceTable(snapshots[table.source].path, table) for table in plan.tables]
    todo = [(source.counts(), list(source.pieces(piece_rows))) for source in sources]
    with standing.connection.transaction():
        standing.begin(schemas(plan), [snapshots[source.name].digest for source in plan.sources])
        for schema in schemas(plan):
            standing.connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(arriving(schema))))
        for number, (table, (counts, pieces)) in enumerate(zip(plan.tables, todo, strict=True)):
            standing.connection.execute(create(plan, number, place_of(plan, number).arriving))
            standing.add_table(number, table, place_of(plan, number).text, counts, pieces)


def _report(standing: Standing, run: Run, *, began: float, before: int | None) -> Copied:
    """Return what stands. before: rows that earlier runs had done; None if this is the first."""
    assert run.whole is not None
    tables = standing.tables(run.run)
    return Copied(
        run=run.run,
        resumed=before is not None,
        whole_since=run.whole,
        rows=sum(one.rows for one in tables),
        copied=sum(one.copied for one in tables),
        quarantined=sum(one.quarantined for one in tables),
        done_now=sum(one.done for one in tables) - (before or 0),
        seconds=round(time.monotonic() - began, 2),
        resident_mib=resident_mib(),
        tables=tables,
        quarantine=standing.reasons(run.run),
    )


def resident_mib() -> float:
    """Return the most memory that this process or one of its workers has had resident, MiB.

    The kernel's own figure for a process remembers what it was before it became this one: the front door.
    """
    mine = next((int(line.split()[1]) for line in _STATUS.read_text().splitlines() if line.startswith("VmHWM:")), 0)
    return round(max(mine, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) / 1024, 1)

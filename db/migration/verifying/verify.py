"""A verification from begin to end."""

import time
from functools import reduce
from itertools import groupby
from operator import add
from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql

from db.migration.copying.copy import Watching, resident_mib
from db.migration.copying.sessions import connected
from db.migration.copying.standing import digest_of
from db.migration.plan_file import answered
from db.migration.plan_words import Plan
from db.migration.snapshots import stand
from db.migration.target import schema_of
from db.migration.verifying.crew import Task, compare_all, parts
from db.migration.verifying.rights import VerifyRefused, demand_rights
from db.migration.verifying.shape import shape
from db.migration.verifying.sums import sums
from db.migration.verifying.words import Asked, Verified
from db.migration.words import Audit

PARTS: Final = 8
"""Of one table, for each worker beside the first: small enough that none waits long for the others."""


def verify(
    plan: Plan, dsn: str, folder: Path, *, watching: Watching, audit: Audit | None = None, workers: int = 1
) -> Verified:
    """Return whether the target is what the plan makes of its sources, and every difference.

    workers: processes that compare beside each other. audit: whose SELECTs are run on both sides. folder: where copy has kept the snapshots; without them they are taken anew, and must be in the state of the plan.
    Raises: PlanRefused, SourceRefused, VerifyRefused, psycopg.Error. Nothing is changed.
    """
    plan = answered(plan)
    began = time.monotonic()
    with connected(dsn) as connection:
        demand_rights(connection, plan)
        run = _whole_run(connection, plan)
        snapshots = {name: kept.path for name, kept in stand(plan, folder, anew=False, tell=watching.does).items()}
        watching.does("columns, keys, constraints, indexes, sequences, views")
        differences = list(shape(connection, plan, snapshots))
        tasks = []
        for number, table in enumerate(plan.tables):
            name = f"{schema_of(plan, table)}.{table.name}"
            if any(
                one.table == name and one.kind.startswith(("missing table", "missing column")) for one in differences
            ):
                continue
            snapshot = snapshots[table.source]
            tasks += [
                Task(plan, number, snapshot, part, run)
                for part in parts(plan, number, snapshot, PARTS * (workers - 1) or 1)
            ]
        watching.does("rows")
        tables = []
        for _, those in groupby(compare_all(dsn, tasks, workers), key=lambda one: one.number):
            compared = reduce(add, those)
            verified, more = sums(connection, plan, compared)
            differences += [*compared.differences, *more]
            tables.append(verified)
        asked = Asked()
        if audit is not None:
            # sqlglot takes memory that the rows need.
            from db.migration.verifying.asking import ask_both  # noqa: PLC0415

            watching.does("queries")
            asked = ask_both(connection, plan, snapshots, audit)
            differences += asked.differences
    return Verified(
        passed=not differences,
        tables=tuple(tables),
        differences=tuple(differences),
        queries=asked.run,
        skipped=tuple(asked.skipped),
        seconds=round(time.monotonic() - began, 2),
        resident_mib=resident_mib(),
    )


def _whole_run(connection: psycopg.Connection, plan: Plan) -> int:
    """Return the run whose quarantine counts. Raises: VerifyRefused if this plan's copy is not whole, or was never begun."""
    runs = sql.Identifier(plan.quarantine, "runs")
    if connection.execute("SELECT to_regclass(%s)", [runs.as_string(connection)]).fetchone() == (None,):
        raise VerifyRefused("nothing was copied into this database yet: run.py migrate copy")
    words = sql.SQL("SELECT run, whole IS NOT NULL FROM {} WHERE plan = %s ORDER BY run DESC LIMIT 1").format(runs)
    found = connection.execute(words, [digest_of(plan)]).fetchone()
    if found is None:
        raise VerifyRefused(
            "this plan was never copied here, or was edited since: verify with the plan that was copied"
        )
    if not found[1]:
        raise VerifyRefused("the copy of this plan is not whole yet: run.py migrate copy goes on with it")
    return int(found[0])

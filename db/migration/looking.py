"""`migrate status`: how far the copies into a database are. Reads only."""

from pathlib import Path

from db.migration.copying.sessions import connected
from db.migration.copying.standing import Standing, digest_of
from db.migration.documents import MigrationStanding, RunStands
from db.migration.plan_file import PlanRefused, answered, read
from db.migration.plan_words import Plan


def look(dsn: str, plan_file: Path | None, *, schema: str = "") -> MigrationStanding:
    """Return what stands. plan_file: tells which of the runs are its own. schema: of the quarantine, where there is no plan.

    Raises: PlanRefused, psycopg.Error.
    """
    plan = None if plan_file is None else _followed(read(plan_file))
    with connected(dsn) as connection:
        standing = Standing(
            connection,
            plan or (Plan(schema="", sources=(), quarantine=schema) if schema else Plan(schema="", sources=())),
        )
        return MigrationStanding(
            runs=tuple(
                RunStands(
                    run=run.run,
                    plan=run.plan,
                    this_plan=None if plan is None else run.plan == digest_of(plan),
                    started=run.started,
                    whole_since=run.whole,
                    rows=sum(one.rows for one in tables),
                    done=sum(one.done for one in tables),
                    tables=tables,
                    quarantine=standing.reasons(run.run),
                )
                for run in standing.runs()
                for tables in (standing.tables(run.run),)
            )
        )


def _followed(plan: Plan) -> Plan:
    """Return the plan as copy follows it. One that cannot be followed yet was never copied, and has the digest of no run."""
    try:
        return answered(plan)
    except PlanRefused:
        return plan

"""Counts and adds up the columns of the target by SQL, against what the source gives: a second witness beside the rows."""

from collections.abc import Iterator
from decimal import Decimal

import psycopg
from psycopg import sql

from db.migration.plan_words import Plan
from db.migration.target import schema_of
from db.migration.verifying.crew import Compared
from db.migration.verifying.words import Difference, VerifiedColumn, VerifiedTable


def sums(connection: psycopg.Connection, plan: Plan, compared: Compared) -> tuple[VerifiedTable, list[Difference]]:
    """Return what a table holds, and where that differs from the rows that were expected of the source."""
    table = plan.tables[compared.number]
    name = f"{schema_of(plan, table)}.{table.name}"
    parts: list[sql.Composable] = [sql.SQL("count(*)")]
    for column, total in zip(table.columns, compared.totals, strict=True):
        one = sql.Identifier(column.name)
        parts.append(sql.SQL("count(*) - count({})").format(one))
        parts.append(sql.SQL("NULL") if total is None else sql.SQL("coalesce(sum({}), 0)").format(one))
    words = sql.SQL("SELECT {} FROM {}")
    query = words.format(sql.SQL(", ").join(parts), sql.Identifier(schema_of(plan, table), table.name))
    found = connection.execute(query).fetchone()
    assert found is not None
    rows, *counted = found
    differences = list(_counted(name, compared, rows))
    verified = []
    for column, nulls, total, its_nulls, its_total in zip(
        table.columns, compared.nulls, compared.totals, counted[::2], counted[1::2], strict=True
    ):
        if its_nulls != nulls:
            differences.append(_differs("null count", name, column.name, nulls, its_nulls))
        if total is not None and its_total != total:
            differences.append(_differs("sum", name, column.name, total, its_total))
        said = None if its_total is None else _plain(its_total)
        verified.append(VerifiedColumn(name=column.name, nulls=its_nulls, sum=said))
    return (
        VerifiedTable(
            table=name,
            source_rows=compared.source_rows,
            target_rows=rows,
            quarantined=compared.quarantined,
            compared=compared.target_rows,
            columns=tuple(verified),
        ),
        differences,
    )


def _counted(name: str, compared: Compared, rows: int) -> Iterator[Difference]:
    if compared.source_rows != rows + compared.quarantined:
        kept = f" and {compared.quarantined:,} in quarantine" if compared.quarantined else ""
        yield Difference(
            kind="row count",
            table=name,
            expected=f"{compared.source_rows:,} rows of the source",
            found=f"{rows:,} in the target{kept}",
        )


def _differs(kind: str, table: str, column: str, expected: object, found: object) -> Difference:
    return Difference(kind=kind, table=table, column=column, expected=str(expected), found=str(found))


def _plain(total: int | Decimal) -> str:
    return f"{total:f}" if isinstance(total, Decimal) else str(total)

"""A copy for people at a terminal: how it goes, and what stands."""

from collections.abc import Sequence
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from config.pictures import card, table
from db.migration.documents import Copied, MigrationStanding, Quarantined, RunStands
from db.migration.going import Going
from db.migration.verifying.words import Verified


class Rate(ProgressColumn):
    """Rows a second."""

    def render(self, task: Task) -> Text:
        """Return the rate of the last while; nothing before there is one."""
        speed = task.finished_speed or task.speed
        return Text(f"{speed:,.0f} rows/s" if speed else "", style="cyan")


class Bars(Going):
    """Shows on a terminal how a copy goes: a bar for each table."""

    def __init__(self) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            Rate(),
            TimeRemainingColumn(),
            console=Console(stderr=True, highlight=False),
        )

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def begins(self, tables: Sequence[tuple[str, int, int]]) -> None:
        """Hear of each table: its name, its rows, and those that are done already."""
        for name, rows, done in tables:
            self._progress.add_task(name, total=rows, completed=done)

    def copied(self, number: int, rows: int) -> None:
        """Hear that so many more rows of a table are done."""
        self._progress.advance(self._progress.tasks[number].id, rows)

    def does(self, what: str) -> None:
        """Hear what is done now, beside the rows."""
        self._progress.console.print(Text(what, style="dim"))


def copied(done: Copied) -> RenderableType:
    """Return what a copy has made."""
    facts = {
        "rows": f"{done.rows:,}, of them {done.copied:,} copied and {done.quarantined:,} in quarantine",
        "seconds": f"{done.seconds:,.2f}, {done.done_now / max(done.seconds, 0.01):,.0f} rows a second"
        if done.done_now
        else "nothing was left to do: an earlier run had done it",
        "resident": f"{done.resident_mib} MiB",
        "whole since": f"{done.whole_since:%Y-%m-%d %H:%M:%S %Z}"
        + (" (an earlier run had begun it)" if done.resumed and done.done_now else ""),
    }
    rows = [
        (
            f"{one.source}: {one.from_table}",
            one.target,
            f"{one.rows:,}",
            f"{one.copied:,}",
            _number(one.quarantined),
            _number(one.left_behind),
        )
        for one in done.tables
    ]
    columns = ("source", "target", "rows", "copied", "quarantined", "left behind")
    return Group(card("Copied", facts), Text(""), table("Tables", columns, rows), *_reasons(done.quarantine))


def verified(found: Verified) -> RenderableType:
    """Return what a verification has found: every difference."""
    facts = {
        "result": "passed: no difference"
        if found.passed
        else f"{len(found.differences):,} difference{'' if len(found.differences) == 1 else 's'}",
        "rows compared": f"{sum(one.compared for one in found.tables):,} in {len(found.tables)} {'table' if len(found.tables) == 1 else 'tables'}",
        "in quarantine": _number(sum(one.quarantined for one in found.tables)),
        "queries": _number(found.queries),
        "seconds": f"{found.seconds:,.2f}",
        "resident": f"{found.resident_mib} MiB",
    }
    rows = [
        (one.table, f"{one.source_rows:,}", f"{one.target_rows:,}", _number(one.quarantined)) for one in found.tables
    ]
    parts: list[RenderableType] = [card("Verified", facts), Text("")]
    parts.append(table("Tables", ("table", "rows of the source", "rows", "quarantined"), rows))
    if found.differences:
        columns = ("what", "where", "key", "column", "expected", "found")
        told = [(one.kind, one.table, one.key, one.column, one.expected, one.found) for one in found.differences]
        parts += [Text(""), table("Differences", columns, told)]
    if found.skipped:
        parts += [Text(""), table("Queries that were not run", ("where and why",), [(one,) for one in found.skipped])]
    return Group(*parts)


def standing(found: MigrationStanding) -> RenderableType:
    """Return what stands in a database."""
    if not found.runs:
        return Text("Nothing was copied into this database yet.")
    return Group(*(part for run in found.runs for part in _run(run)))


def _run(run: RunStands) -> tuple[RenderableType, ...]:
    share = f"{run.done / run.rows:.0%}" if run.rows else "100%"
    facts = {
        "plan": f"{run.plan[:12]}"
        + ("" if run.this_plan is None else ", the one named" if run.this_plan else ", another one"),
        "begun": f"{run.started:%Y-%m-%d %H:%M:%S %Z}",
        "state": f"whole since {run.whole_since:%Y-%m-%d %H:%M:%S %Z}"
        if run.whole_since
        else f"not whole, and not to be seen yet: {run.done:,} of {run.rows:,} rows ({share}); run.py migrate copy goes on",
    }
    rows = [
        (
            one.target,
            f"{one.done:,} of {one.rows:,}",
            f"{one.copied:,}",
            _number(one.quarantined),
            f"{one.source}: {one.from_table}",
        )
        for one in run.tables
    ]
    columns = ("target", "rows done", "copied", "quarantined", "from")
    return card(f"Copy {run.run}", facts), Text(""), table("Tables", columns, rows), *_reasons(run.quarantine), Text("")


def _number(number: int) -> str | None:
    return f"{number:,}" if number else None


def _reasons(found: Sequence[Quarantined]) -> tuple[RenderableType, ...]:
    """Return why rows are in quarantine, if there are any."""
    if not found:
        return ()
    rows = [(one.target, one.column, f"{one.rows:,}", one.reason) for one in found]
    return Text(""), table("In quarantine", ("table", "column", "rows", "why"), rows)

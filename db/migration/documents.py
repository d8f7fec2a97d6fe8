"""What `migrate copy`, `verify` and `status` print with --json."""

from datetime import datetime

import msgspec


class TableStands(msgspec.Struct, frozen=True, kw_only=True):
    """How far one table is. done: rows that are copied or quarantined, of `rows`; left_behind: rows of the source that are not meant."""

    source: str
    from_table: str
    target: str
    rows: int
    left_behind: int
    copied: int
    quarantined: int
    done: int


class Quarantined(msgspec.Struct, frozen=True, kw_only=True):
    """How many rows of a table cannot come for one reason. column: where it is one of the row's fields that is refused."""

    target: str
    rows: int
    reason: str
    column: str | None = None


class Copied(msgspec.Struct, frozen=True, kw_only=True):
    """A copy that is whole: in each table done = rows, exactly. resident_mib: the most of any of its processes.

    resumed: an earlier run had begun it, or done all of it; done_now: rows that this one has copied or quarantined.
    """

    run: int
    resumed: bool
    whole_since: datetime
    rows: int
    copied: int
    quarantined: int
    done_now: int
    seconds: float
    resident_mib: float
    tables: tuple[TableStands, ...]
    quarantine: tuple[Quarantined, ...] = ()


class RunStands(msgspec.Struct, frozen=True, kw_only=True):
    """How far one copy is. whole_since: none before it can be seen. this_plan: whether it is of the plan that was named."""

    run: int
    plan: str
    this_plan: bool | None
    started: datetime
    whole_since: datetime | None
    rows: int
    done: int
    tables: tuple[TableStands, ...]
    quarantine: tuple[Quarantined, ...] = ()


class MigrationStanding(msgspec.Struct, frozen=True, kw_only=True):
    """What `migrate status --json` prints: the copies of this database, the latest first."""

    runs: tuple[RunStands, ...]

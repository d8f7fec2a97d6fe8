"""What a plan says: what becomes of each table and column, with its proof, and what a person must say first.

A plan is edited by people (`plan_file.py`): what it leaves out is as it is by default, and nothing of it is implied by the source.
"""

from typing import Literal

import msgspec

from db.migration.conversions import Conversion


class Words(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Part of a plan: an unknown word in the file is an error, not a remark."""


class Source(Words, frozen=True, kw_only=True):
    """One SQLite file. name: by which tables refer to it. path: in a plan's file relative to its folder, where it lies below it. digest: of the state that was planned from (`snapshot.Snapshot`)."""

    name: str
    path: str
    digest: str = ""
    sqlite_version: str = ""


class Proof(Words, frozen=True, kw_only=True):
    """What was tried on every value of the source, when the plan was made.

    values = lossless (the inverse gives them back bit for bit) + kept (with the original beside) + either (two instants, both kept)
    + quarantined; NULLs count as lossless. reasons: of the quarantined, with their number. keys: of the first of them.
    """

    values: int
    lossless: int
    kept: int = 0
    either: int = 0
    quarantined: int = 0
    reasons: dict[str, int] = {}
    keys: tuple[str, ...] = ()


class Column(Words, frozen=True, kw_only=True):
    """One column of the target.

    sources: the source columns that its inverse restores; context: others that its conversion reads; `rowid` is SQLite's own. type: of
    PostgreSQL. original: the text column beside it that holds the original, as a literal of SQL (a JSON list of them where there are
    several sources), of values that do not come back bit for bit; NULL for all others; without one such a value is quarantined. either: the column beside it for
    the later of two possible instants; without one such a value is quarantined. default: an expression of PostgreSQL.
    """

    name: str
    type: str
    conversion: Conversion
    sources: tuple[str, ...] = ()
    context: tuple[str, ...] = ()
    nullable: bool = True
    collation: str = ""
    default: str = ""
    original: str = ""
    either: str = ""
    note: str = ""
    proof: Proof | None = None


class Unique(Words, frozen=True, kw_only=True):
    """What must be unique. parts: target columns, quoted where they must be, or expressions in parentheses (then it is a unique index).

    where: of a partial one. note: where it is not what SQLite has, and why.
    """

    name: str
    parts: tuple[str, ...]
    where: str = ""
    note: str = ""


class ForeignKey(Words, frozen=True, kw_only=True):
    """A reference. columns and references: of the target, in order. orphans: rows that lead nowhere when the plan was made.

    on_orphan: whether such rows are quarantined, or the constraint is left out.
    """

    name: str
    columns: tuple[str, ...]
    table: str
    references: tuple[str, ...]
    schema: str = ""
    on_delete: str = "NO ACTION"
    on_update: str = "NO ACTION"
    deferrable: bool = False
    orphans: int = 0
    on_orphan: Literal["quarantine", "leave_out"] = "quarantine"


class Check(Words, frozen=True, kw_only=True):
    """A condition of PostgreSQL that each row fulfils; a row that does not is quarantined."""

    name: str
    condition: str


class Index(Words, frozen=True, kw_only=True):
    """An index that is not unique. parts: as in `Unique`."""

    name: str
    parts: tuple[str, ...]
    where: str = ""


class Sequence(Words, frozen=True, kw_only=True):
    """An identity column, which goes on above everything that was ever given out.

    at_least: of sqlite_sequence and the largest id, when the plan was made. Copy sets it above this, the largest id copied and the
    largest quarantined.
    """

    column: str
    at_least: int = 0


class Table(Words, frozen=True, kw_only=True):
    """One table of the target, of one of a source. rows: when the plan was made.

    from_table: its name in SQLite. schema: of the target, the plan's own unless given. existing: the table stands in the target already
    and is not made. where: an SQL condition of SQLite; only such rows are meant, all others are left behind and counted. key: target
    columns; empty for a table that has none. left_out: source columns that are moved nowhere, each with the reason.
    """

    source: str
    from_table: str
    name: str
    columns: tuple[Column, ...]
    schema: str = ""
    existing: bool = False
    where: str = ""
    key: tuple[str, ...] = ()
    key_note: str = ""
    uniques: tuple[Unique, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    checks: tuple[Check, ...] = ()
    indexes: tuple[Index, ...] = ()
    sequence: Sequence | None = None
    left_out: dict[str, str] = {}
    rows: int = 0
    note: str = ""


class View(Words, frozen=True, kw_only=True):
    """A view. sql: its SELECT in PostgreSQL's words; empty where it cannot be translated, which is then said by `note`."""

    source: str
    name: str
    sqlite: str
    sql: str = ""
    schema: str = ""
    note: str = ""


class NotMoved(Words, frozen=True, kw_only=True):
    """Something of the source that the target will not have, and what that means."""

    source: str
    kind: Literal["table", "virtual table", "shadow table", "trigger", "index", "foreign key", "check", "rows"]
    name: str
    why: str
    sqlite: str = ""


class Question(Words, frozen=True, kw_only=True):
    """What only a person knows. Conversions name it by `?NAME`. answers: the only ones allowed, or none for any of its kind.

    kind: of copies, the answer is the one source that is moved, or `all`. hint: what the data says, which is no answer.
    """

    name: str
    asks: str
    kind: Literal["zone", "choice", "text", "copies"] = "zone"
    answers: tuple[str, ...] = ()
    hint: str = ""
    answer: str = ""


class SettingMove(Words, frozen=True, kw_only=True):
    """A preference of the old system and the setting that it becomes, with what each means.

    setting: a key of `run.py settings`; empty where there is none. value: of that setting, or `?QUESTION` where the file says nothing.
    """

    file: str
    key: str
    old: str
    meant: str
    setting: str = ""
    value: str = ""
    means: str = ""


class Adoption(Words, frozen=True, kw_only=True):
    """A trade that the old system holds open. key: of its row. command: what takes it over; empty where nothing does, and `why` says it."""

    source: str
    table: str
    key: str
    command: str = ""
    why: str = ""


class Plan(Words, frozen=True, kw_only=True):
    """From these sources to this schema of one PostgreSQL database. quarantine: the schema of the quarantine tables."""

    schema: str
    sources: tuple[Source, ...]
    questions: tuple[Question, ...] = ()
    tables: tuple[Table, ...] = ()
    views: tuple[View, ...] = ()
    not_moved: tuple[NotMoved, ...] = ()
    settings: tuple[SettingMove, ...] = ()
    adoptions: tuple[Adoption, ...] = ()
    quarantine: str = "migration_quarantine"
    version: Literal[1] = 1

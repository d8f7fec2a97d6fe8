"""What a verification says."""

from dataclasses import dataclass, field

import msgspec


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is not as it must be. table: of the target, or what else it concerns. key: of the row, as `column=value`.

    expected, found: as a program would see them; None where there is nothing.
    """

    kind: str
    table: str
    key: str | None = None
    column: str | None = None
    expected: str | None = None
    found: str | None = None


class VerifiedColumn(msgspec.Struct, frozen=True, kw_only=True):
    """One column, the same on both sides. sum: of numbers that add up exactly."""

    name: str
    nulls: int
    sum: str | None = None


class VerifiedTable(msgspec.Struct, frozen=True, kw_only=True):
    """One table. source_rows = target_rows + quarantined. compared: rows of which each field was compared."""

    table: str
    source_rows: int
    target_rows: int
    quarantined: int
    compared: int
    columns: tuple[VerifiedColumn, ...] = ()


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """What `migrate verify --json` prints. passed: there is no difference. queries: how many SELECTs were run on both sides.

    skipped: what could not be run on SQLite either, or is not whole in the source; each with the reason.
    """

    passed: bool
    tables: tuple[VerifiedTable, ...]
    differences: tuple[Difference, ...]
    queries: int = 0
    skipped: tuple[str, ...] = ()
    seconds: float = 0.0
    resident_mib: float = 0.0


@dataclass
class Asked:
    """What asking both sides gave. run: how many statements; skipped: those that cannot be run, each with the reason."""

    run: int = 0
    skipped: list[str] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)

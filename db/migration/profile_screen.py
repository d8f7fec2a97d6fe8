"""A profile, and what a plan comes to, for people at a terminal."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from rich.console import Group, RenderableType
from rich.text import Text

from config.pictures import card, table
from db.migration.plan_words import Adoption, Plan, Table
from db.migration.profile_words import ColumnProfile, DatabaseProfile, Profile, Seen, TableProfile
from db.migration.screen import printable

_ENDS_MAX: Final = 28
_LISTED_MAX: Final = 4
_CLASSES: Final = ("integer", "real", "text", "blob")
_OUTLIERS_MAX: Final = 3


def render(found: Profile) -> RenderableType:
    """Return each database: its facts, then a table for each of its tables, with what stands out below."""
    return Group(*(part for one in found.databases for picture in _database(one) for part in (picture, Text(""))))


def _database(found: DatabaseProfile) -> Iterator[RenderableType]:
    yield card(
        f"Profile of {found.path}",
        {
            "tables": len(found.tables),
            "rows": f"{sum(one.rows for one in found.tables):,}",
            "bytes": f"{found.size_bytes:,}",
            "journal": found.journal_mode,
            "encoding": found.encoding,
            "read by SQLite": found.sqlite_version,
            "rows that break their table's own rules": found.dirty_rows or None,
            "orphans": [f"{one.rows:,} rows of {one.table} refer to nothing in {one.parent}" for one in found.orphans],
        },
    )
    for one in found.tables:
        yield from _table(one)


def _table(found: TableProfile) -> Iterator[RenderableType]:
    title = f"{printable(found.name)}: {found.rows:,} rows" + (f", not read: {found.unread}" if found.unread else "")
    yield table(title, ("column", "holds", "what it is"), [_column(one) for one in found.columns])
    for column in found.columns:
        for outlier in column.outliers:
            shown = "; ".join(f"{printable(one.value)} at {printable(one.key)}" for one in outlier.seen[:_OUTLIERS_MAX])
            yield Text.assemble(
                "  ", (f"{printable(column.name)}", "bold yellow"), f": {outlier.rows:,} {outlier.kind}: {shown}"
            )


def _column(one: ColumnProfile) -> tuple[object, ...]:
    held = _counted({name: one.storage[name] for name in _CLASSES if name in one.storage})
    return printable(one.name), held, "; ".join((*_facts(one), *_meanings(one)))


def _facts(one: ColumnProfile) -> Iterator[str]:
    """Yield how it is declared, and what can be counted."""
    yield f"declared {one.declared}" if one.declared else "declared without a type"
    counted = {"distinct": one.distinct, "NULL": one.storage.get("null"), "empty": one.empties}
    yield from (f"{number:,} {what}" for what, number in counted.items() if number)
    low, high = _ends(one)
    # A few values are listed, all of them.
    if low and not _listed(one):
        yield f"from {low} to {high}"


def _number(number: int | None) -> str | None:
    return f"{number:,}" if number else None


def _counted(counted: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {number:,}" if len(counted) > 1 else name for name, number in counted.items())


def _ends(one: ColumnProfile) -> tuple[str, str]:
    holder = one.numbers or one.texts
    return (_end(holder.smallest), _end(holder.largest)) if holder is not None else ("", "")


def _end(seen: Seen | None) -> str:
    if seen is None:
        return ""
    value = printable(seen.value)
    return value if len(value) <= _ENDS_MAX else f"{value[:_ENDS_MAX]}..."


def _meanings(one: ColumnProfile) -> Iterator[str]:
    if one.booleans:
        yield f"a switch: {' and '.join(one.booleans)}"
    yield from _of_texts(one)
    yield from _of_numbers(one)
    if one.epoch:
        yield f"may be instants, in {one.epoch} since 1970"
    if one.money is not None:
        yield f"money in {one.money.unit} ({one.money.why})"
    if _listed(one):
        yield f"only {', '.join(map(printable, one.values))}"


def _listed(one: ColumnProfile) -> bool:
    return 0 < len(one.values) <= _LISTED_MAX and not one.booleans


def _of_texts(one: ColumnProfile) -> Iterator[str]:
    texts = one.texts
    if texts is None:
        return
    if set(texts.kinds) != {"text"}:
        yield _counted(texts.kinds)
    if texts.formats:
        yield f"in {_counted(texts.formats)}"
    if one.zone:
        yield "says no zone" if one.zone == "none" else f"zone {one.zone}"
    spelled = {"+": texts.plus, "$": texts.dollar, "commas": texts.commas, "leading zeros": texts.leading_zeros}
    if any(spelled.values()):
        yield f"spelled with {', '.join(name for name, number in spelled.items() if number)}"


def _of_numbers(one: ColumnProfile) -> Iterator[str]:
    numbers = one.numbers
    if numbers is None:
        return
    if numbers.decimals:
        yield f"up to {max(numbers.decimals)} decimals"
    if numbers.infinite or numbers.negative_zeros:
        yield f"{numbers.infinite:,} infinite, {numbers.negative_zeros:,} times -0.0"


def render_plan(made: Plan) -> RenderableType:
    """Return what a plan comes to: its tables with their proofs, what it asks, what does not come."""
    rows = [
        (
            f"{one.schema or made.schema}.{printable(one.name)}",
            f"{one.source}.{printable(one.from_table)}",
            f"{one.rows:,}",
            "; ".join(_proofs(one)),
        )
        for one in made.tables
    ]
    heads = ("becomes", "of", "rows", "values, each tried with its inverse")
    asked = [(one.name, one.asks, one.hint) for one in made.questions if not one.answer]
    return Group(
        table("The plan", heads, rows),
        Text(""),
        table(
            "What only you know: write the answers into the file, or give them by --answer NAME=VALUE",
            ("question", "asks", "hint"),
            asked,
        ),
        Text(""),
        table(
            "What does not come",
            ("what", "name", "why"),
            [(one.kind, printable(one.name), one.why) for one in made.not_moved],
        ),
        *_adoptions(made.adoptions),
    )


def _proofs(one: Table) -> Iterator[str]:
    """Yield what the conversions of a table's values came to."""
    proofs = [column.proof for column in one.columns if column.proof is not None]
    quarantined = max((proof.quarantined for proof in proofs), default=0)
    kept, either = sum(proof.kept for proof in proofs), sum(proof.either for proof in proofs)
    if not one.rows:
        yield "none to try"
    elif not (quarantined or kept or either):
        yield f"all {sum(proof.values for proof in proofs):,} come back bit for bit"
    if kept:
        yield f"{kept:,} with the original beside"
    if either:
        yield f"{either:,} with both of two instants"
    if quarantined:
        yield f"rows to quarantine: {quarantined:,} or more (why: in the plan)"


def _adoptions(found: Sequence[Adoption]) -> Iterator[RenderableType]:
    if found:
        yield Text("")
        rows = [(one.table, one.key, one.command or f"not adopted: {one.why}") for one in found]
        yield table("Open trades: what to type when the old system has stopped", ("table", "row", "what to do"), rows)

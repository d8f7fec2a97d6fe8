"""The mapping document of a plan, for the people whose programs use the database: Markdown."""

from collections.abc import Iterator, Sequence
from typing import Final

from msgspec.structs import asdict

from db.migration.conversions import Conversion
from db.migration.plan_words import Adoption, Column, Plan, Proof, SettingMove, Table
from db.migration.target import schema_of

_WORDS: Final[dict[str, tuple[str, str, str]]] = {
    "blob": ("bytes as they are", "the same bytes", ""),
    "boolean": ("a switch", "its usual spelling", "true and false instead of {spellings}"),
    "closing_time": (
        "a time of day, with the date of its entry or the next",
        "the time of day in its zone",
        "an instant with its zone instead of a text",
    ),
    "constant": ("the same value in each row", "nothing: it came from nowhere", "new"),
    "date": ("a day", "the text in its format", "a date instead of a text"),
    "date_and_time": (
        "date and time as one instant",
        "both texts in the zone",
        "one column instead of two, an instant with its zone",
    ),
    "double": ("a float, bit for bit", "the same float", ""),
    "epoch": ("a number since 1970 as an instant", "the number", "an instant with its zone instead of a number"),
    "instant": (
        "a date with a time as an instant",
        "the text in its usual format and zone",
        "an instant with its zone instead of a text",
    ),
    "integer": ("a whole number", "the same number", ""),
    "json": ("JSON, letter by letter", "the same text", "psycopg gives it parsed; cast it to text for the text"),
    "literal": ("any value as a literal of SQL", "what the literal says", "a literal: 'a' with its quotes, 1 without"),
    "local_time": (
        "a date with a time, without a zone",
        "the text in its format",
        "a time without a zone instead of a text",
    ),
    "money": ("an amount in dollars", "the number in its unit", "a Decimal in dollars; no float"),
    "numeric": ("a number by its shortest decimal", "the same number", "a Decimal instead of a float"),
    "held_side": ("the side that the sign of a position says", "nothing: the exact copy restores it", "new"),
    "matched": ("what the plan found out, by the fill's id", "nothing: the exact copy restores it", "new"),
    "own_price": (
        "the price of the trade's own side",
        "nothing: the exact copy restores it",
        "a Decimal instead of a float",
    ),
    "prefixed": ("a number behind a prefix", "the number", "a text instead of a number"),
    "denoised": (
        "an amount without the noise of floats, at most twelve decimals",
        "nothing: the exact copy restores it",
        "a Decimal instead of a float",
    ),
    "text": ("a text as it is", "the same text", ""),
    "text_number": ("the number that a text says", "the text in its usual spelling", "a Decimal instead of a text"),
    "time": ("a time of day", "the text in its format", "a time instead of a text"),
    "trade_body": ("the whole trade as Watchkeeper says it", "nothing: it is made of the other columns", "new"),
    "words": ("words of a closed list", "the first word of that meaning", "other words"),
}
"""By the name of a conversion: what it does, what its inverse gives, what programs see of it."""


def document(plan: Plan) -> str:
    """Return the plan as a document."""
    return "\n".join(_lines(plan)) + "\n"


def _lines(plan: Plan) -> Iterator[str]:
    yield "# From SQLite to PostgreSQL"
    yield ""
    yield "Made from a plan by `run.py migrate plan --doc`. Each conversion was tried, with its inverse, on every value."
    yield ""
    yield from _rows(
        ("source", "file", "read by SQLite"), [(one.name, one.path, one.sqlite_version) for one in plan.sources]
    )
    if plan.questions:
        yield from ("", "## Questions", "")
        yield from _rows(
            ("question", "asks", "hint", "answer"),
            [(one.name, one.asks, one.hint, one.answer or "**open**") for one in plan.questions],
        )
    for table in plan.tables:
        yield from _table(plan, table)
    if plan.settings:
        yield from ("", "## Settings", "")
        yield from _rows(
            ("file", "key", "was", "it meant", "becomes", "which means"), [_setting(one) for one in plan.settings]
        )
    if plan.adoptions:
        yield from _adoptions(plan.adoptions)
    if plan.views:
        yield from ("", "## Views", "")
        yield from _rows(
            ("view", "in PostgreSQL"),
            [(one.name, f"`{_flat(one.sql)}`" if one.sql else f"not translated: {one.note}") for one in plan.views],
        )
    yield from _grants(plan)
    if plan.not_moved:
        yield from ("", "## What does not come", "")
        yield from _rows(("what", "name", "why"), [(one.kind, one.name, one.why) for one in plan.not_moved])


def _grants(plan: Plan) -> Iterator[str]:
    """Yield who may use what is made: nobody else yet."""
    made = list(dict.fromkeys(schema_of(plan, table) for table in plan.tables if not table.existing))
    if not made:
        return
    names = ", ".join(f'"{one}"' for one in made)
    yield from ("", "## Who may use it", "")
    yield "The role that copies owns all that is made here, and lets nobody else in. Who runs the programs, says for the role of each what it may:"
    yield from ("", "```sql", f"GRANT USAGE ON SCHEMA {names} TO ROLE;")
    yield from (f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {names} TO ROLE;", "```")
    if any(table.existing for table in plan.tables):
        yield from ("", "Tables that stood before keep the rights that they have.")


def _adoptions(found: Sequence[Adoption]) -> Iterator[str]:
    yield from ("", "## Open trades", "")
    yield "These are adopted when the old system has stopped, each with the stop that it is to have; Watchkeeper proves them against the venue."
    yield from ("", "```")
    yield from (one.command for one in found if one.command)
    yield from ("```", "")
    yield from _rows(
        ("not adopted", "why"), [(f"{one.source}.{one.table} {one.key}", one.why) for one in found if not one.command]
    )


def _table(plan: Plan, table: Table) -> Iterator[str]:
    yield from ("", f"## `{table.from_table}` of {table.source}: `{table.schema or plan.schema}.{table.name}`", "")
    yield f"{table.rows:,} rows. Key: {', '.join(f'`{one}`' for one in table.key) or 'none'}{f' ({table.key_note})' if table.key_note else ''}."
    if table.sequence is not None:
        yield f"New ids of `{table.sequence.column}` begin above {table.sequence.at_least:,}, the largest ever given out, and above what is quarantined."
    if table.where:
        yield f"Only rows with `{table.where}`."
    if table.note:
        yield f"{table.note[0].upper()}{table.note[1:]}."
    yield ""
    rows = [
        (
            f"`{one.name}`",
            _from(one),
            one.type,
            _there(one.conversion),
            _back(one),
            _proof(one.proof),
            _for_programs(one),
        )
        for one in table.columns
    ]
    yield from _rows(("column", "from", "type", "conversion", "inverse", "proof", "for programs"), rows)
    said = [
        *(
            (one.name, f"unique: {', '.join(one.parts)}{f' where {one.where}' if one.where else ''}", one.note)
            for one in table.uniques
        ),
        *(
            (
                one.name,
                f"{', '.join(one.columns)} refers to {one.table} ({', '.join(one.references)})",
                _orphans(one.orphans, one.on_orphan),
            )
            for one in table.foreign_keys
        ),
        *((one.name, f"check: {one.condition}", "") for one in table.checks),
        *(
            (one.name, f"index: {', '.join(one.parts)}{f' where {one.where}' if one.where else ''}", "")
            for one in table.indexes
        ),
    ]
    if said:
        yield ""
        yield from _rows(("name", "what", "note"), said)
    if table.left_out:
        yield ""
        yield from _rows(("left out", "why"), list(table.left_out.items()))


def _from(column: Column) -> str:
    read = ", ".join(f"`{one}`" for one in column.sources) or "nothing"
    return f"{read}; reads {', '.join(f'`{one}`' for one in column.context)}" if column.context else read


def _there(conversion: Conversion) -> str:
    said = {name: value for name, value in asdict(conversion).items() if value not in ((), "", None, False)}
    parameters = ", ".join(
        f"{name} {value}"
        for name, value in said.items()
        if name in ("zone", "formats", "scale", "unit", "prefix", "value", "nulls")
    )
    return f"{_WORDS[name_of(conversion)][0]}{f' ({parameters})' if parameters else ''}"


def _back(column: Column) -> str:
    words = _WORDS[name_of(column.conversion)][1]
    return f"{words}; else `{column.original}`" if column.original else words


def _for_programs(column: Column) -> str:
    spelled = getattr(column.conversion, "yes", ()), getattr(column.conversion, "no", ())
    changes = _WORDS[name_of(column.conversion)][2].format(
        spellings=" and ".join(str(one[0]) for one in spelled if one)
    )
    renamed = f"is called `{column.name}`" if column.sources and column.name != column.sources[0] else ""
    second = f"`{column.either}` holds the second possible instant" if column.either else ""
    return "; ".join(one for one in (renamed, changes, second, column.note) if one)


def _proof(proof: Proof | None) -> str:
    if proof is None:
        return ""
    if proof.lossless == proof.values:
        return f"all {proof.values:,} lossless"
    parts = {"lossless": proof.lossless, "with their original": proof.kept, "with two instants": proof.either}
    said = [f"{number:,} {what}" for what, number in parts.items() if number]
    why = "; ".join(f"{number:,}: {reason}" for reason, number in proof.reasons.items())
    quarantined = (
        [f"**{proof.quarantined:,} to quarantine** ({why}; {', '.join(proof.keys)})"] if proof.quarantined else []
    )
    return f"of {proof.values:,}: {', '.join([*said, *quarantined])}"


def _orphans(orphans: int, on_orphan: str) -> str:
    return (
        f"{orphans:,} {'row leads' if orphans == 1 else 'rows lead'} nowhere: {'quarantine' if on_orphan == 'quarantine' else 'the constraint is left out'}"
        if orphans
        else ""
    )


def _setting(one: SettingMove) -> tuple[str, ...]:
    return (
        one.file,
        f"`{one.key}`",
        one.old,
        one.meant,
        f"`{one.setting}` = {one.value}" if one.setting else one.value,
        one.means,
    )


def name_of(conversion: Conversion) -> str:
    """Return the name of a conversion."""
    return str(conversion.__struct_config__.tag)


def _rows(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(_flat(cell).replace('|', chr(92) + '|') for cell in row)} |"


def _flat(text: str) -> str:
    return " ".join(text.split())

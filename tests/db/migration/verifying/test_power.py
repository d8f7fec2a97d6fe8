"""The power of the verifier: each fault that is planted in the target is found. One that cannot fail is the old failure."""

from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from db.migration.plan_words import Plan
from db.migration.verifying.rows import rows_of
from db.migration.verifying.verify import verify
from tests.db.migration.copying.conftest import Silent
from tests.db.migration.verifying.conftest import Ask, Verifying, told

VALUE = "UPDATE trades SET {} WHERE id = {}"
FAULTS: dict[str, tuple[str, tuple[str, str | None, str | None]]] = {
    "missing row": ("DELETE FROM trades WHERE id = 4", ("missing row", "id=4", None)),
    "extra row": ("INSERT INTO trades (id, entered, side) VALUES (8, now(), 'yes')", ("extra row", "id=8", None)),
    "all rows gone": ("TRUNCATE trades", ("missing row", "id=1", None)),
    "one cent": (VALUE.format("fee = fee + 0.01", 1), ("value", "id=1", "fee")),
    "lost cents": (VALUE.format("fee = round(fee)", 3), ("value", "id=3", "fee")),
    "a price that lost its decimal": (VALUE.format("buy = 2", 1), ("value", "id=1", "buy")),
    "one hour": (VALUE.format("entered = entered + interval '1 hour'", 1), ("value", "id=1", "entered")),
    "one microsecond": (VALUE.format("entered = entered + interval '1 us'", 2), ("value", "id=2", "entered")),
    "one day": (VALUE.format("entered = entered - interval '1 day'", 3), ("value", "id=3", "entered")),
    "another zone for all": ("UPDATE trades SET entered = entered - interval '4 hours'", ("value", "id=9", "entered")),
    "one bit of a float": (
        VALUE.format("momentum = '0.10000000000000002'", 1),
        ("value", "id=1", "momentum"),
    ),
    "the sign of zero": (VALUE.format("momentum = '-0'", 2), ("value", "id=2", "momentum")),
    "float4 for a float": (VALUE.format("momentum = momentum::float4", 1), ("value", "id=1", "momentum")),
    "null for empty": (VALUE.format("note = NULL", 2), ("value", "id=2", "note")),
    "empty for null": (VALUE.format("raw = ''", 3), ("value", "id=3", "raw")),
    "truncated text": (VALUE.format("note = left(note, 4)", 1), ("value", "id=1", "note")),
    "a space more": (VALUE.format("note = note || ' '", 1), ("value", "id=1", "note")),
    "another case": (VALUE.format("note = upper(note)", 1), ("value", "id=1", "note")),
    "the same letters otherwise": (VALUE.format("note = normalize(note, NFD)", 4), ("value", "id=4", "note")),
    "a text of another encoding": (
        VALUE.format("note = convert_from(convert_to(note, 'UTF8'), 'LATIN1')", 4),
        ("value", "id=4", "note"),
    ),
    "one byte of many": (VALUE.format("raw = '\\x0002'", 1), ("value", "id=1", "raw")),
    "null for no bytes": (VALUE.format("raw = NULL", 2), ("value", "id=2", "raw")),
    "a switch": (VALUE.format("auto = NOT auto", 1), ("value", "id=1", "auto")),
    "false for null": (VALUE.format("auto = false", 3), ("value", "id=3", "auto")),
    "json in other letters": (VALUE.format("settings = settings::jsonb::json", 2), ("value", "id=2", "settings")),
    "one more": (VALUE.format("position = position + 1", 1), ("value", "id=1", "position")),
    "the other side": (VALUE.format("side = 'no'", 1), ("value", "id=1", "side")),
    "an original that was lost": (
        VALUE.format("position_original = NULL", 3),
        ("value", "id=3", "position_original"),
    ),
    "swapped columns": (VALUE.format("buy = sell, sell = buy", 1), ("value", "id=1", "sell")),
    "values of two rows exchanged": (
        "UPDATE trades SET fee = CASE id WHEN 1 THEN 0.35 ELSE 0.05 END WHERE id IN (1, 3)",
        ("value", "id=3", "fee"),
    ),
    "another key": ("UPDATE trades SET id = 7 WHERE id = 9", ("extra row", "id=7", None)),
    "a row twice where there is no key": (
        "INSERT INTO prices VALUES ('10:00', 1.5)",
        ("extra row", "at='10:00', price=1.5 (3ff8000000000000)", None),
    ),
    "one of two equal rows gone": (
        "DELETE FROM prices WHERE ctid = (SELECT min(ctid) FROM prices WHERE at = '10:01')",
        ("missing row", "at='10:01', price=1.5 (3ff8000000000000)", None),
    ),
    "a price gone where there is no key": (
        "UPDATE prices SET price = 0 WHERE price IS NULL",
        ("missing row", "at='10:02', price=NULL", None),
    ),
    "a row of the quarantine gone": (
        "DELETE FROM migration_quarantine.rows",
        (
            "neither copied nor quarantined: a local time that the clock skipped when summer time began",
            "rowid 5",
            "entered",
        ),
    ),
    "other bytes in quarantine": (
        "UPDATE migration_quarantine.rows SET cells[5] = '\\x00'",
        ("quarantined with other bytes", "rowid 5", None),
    ),
    "a row in quarantine that is none": (
        "INSERT INTO migration_quarantine.rows SELECT run, number, 'rowid 77', '', '', columns, classes, cells FROM migration_quarantine.rows",
        ("quarantined, but not in the source", "rowid 77", None),
    ),
    "a sequence that is too low": ("SELECT setval('trades_id_seq', 9)", ("sequence", None, "id")),
    "a sequence that is gone": ("ALTER TABLE trades ALTER id DROP IDENTITY", ("missing sequence", None, "id")),
    "a primary key dropped": ("ALTER TABLE trades DROP CONSTRAINT trades_pkey", ("missing primary key", None, None)),
    "a unique constraint dropped": (
        "ALTER TABLE trades DROP CONSTRAINT one_entry",
        ("missing constraint one_entry", None, None),
    ),
    "a unique index dropped": ("DROP INDEX one_note", ("missing index one_note", None, None)),
    "a unique index of another expression": (
        "DROP INDEX one_note; CREATE UNIQUE INDEX one_note ON trades (note)",
        ("index one_note", None, None),
    ),
    "a check dropped": (
        "ALTER TABLE trades DROP CONSTRAINT has_position",
        ("missing constraint has_position", None, None),
    ),
    "a weaker check": (
        "ALTER TABLE trades DROP CONSTRAINT has_position, ADD CONSTRAINT has_position CHECK (position > -1)",
        ("constraint has_position", None, None),
    ),
    "a check that was not looked at": (
        "ALTER TABLE trades DROP CONSTRAINT has_position, ADD CONSTRAINT has_position CHECK (position > 0) NOT VALID",
        ("constraint has_position", None, None),
    ),
    "a reference dropped": (
        "ALTER TABLE trades DROP CONSTRAINT of_market",
        ("missing reference of_market", None, None),
    ),
    "a reference that takes rows away": (
        "ALTER TABLE trades DROP CONSTRAINT of_market, ADD CONSTRAINT of_market FOREIGN KEY (ticker) REFERENCES markets ON DELETE CASCADE",
        ("reference of_market", None, None),
    ),
    "a check that nobody has tried on the rows": (
        "ALTER TABLE trades DROP CONSTRAINT has_position, ADD CONSTRAINT has_position CHECK (position > 0) NOT VALID",
        ("constraint has_position", None, None),
    ),
    "a reference that waits no more": (
        "ALTER TABLE trades ALTER CONSTRAINT of_market NOT DEFERRABLE",
        ("reference of_market", None, None),
    ),
    "an index dropped": ("DROP INDEX by_side", ("missing index by_side", None, None)),
    "an index of other columns": (
        "DROP INDEX by_side; CREATE INDEX by_side ON trades (side) WHERE fee > 0",
        ("index by_side", None, None),
    ),
    "a column that may be null now": ("ALTER TABLE trades ALTER side DROP NOT NULL", ("column side", None, None)),
    "a column of another type": ("ALTER TABLE trades ALTER buy TYPE numeric(20,6)", ("column buy", None, None)),
    "a column as float4": ("ALTER TABLE trades ALTER momentum TYPE real", ("column momentum", None, None)),
    "a default dropped": ("ALTER TABLE markets ALTER strike DROP DEFAULT", ("column strike", None, None)),
    "a column more": ("ALTER TABLE trades ADD more text", ("extra column more", None, None)),
    "a column gone": ("ALTER TABLE trades DROP note CASCADE", ("missing column note", None, None)),
    "a column of another name": ("ALTER TABLE trades RENAME note TO notes", ("missing column note", None, None)),
    "a table gone": ("DROP TABLE prices", ("missing table", None, None)),
    "a view dropped": ("DROP VIEW open_trades", ("missing view", None, None)),
    "a view that shows something else": (
        "CREATE OR REPLACE VIEW open_trades AS SELECT id, note FROM trades WHERE sell = 1",
        ("view", None, None),
    ),
}


def test_what_was_copied_passes(verified: Verifying) -> None:
    """Lesson 51: a verification that says the same whatever it sees, says nothing."""
    found = verified()

    assert found.differences == ()
    assert found.passed
    assert [(one.source_rows, one.target_rows, one.quarantined) for one in found.tables] == [
        (2, 2, 0),
        (6, 5, 1),
        (4, 4, 0),
    ]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(verified: Verifying, ask: Ask, fault: str) -> None:
    """Lesson 51: missing row, changed value, lost cents, shifted hour, wrong sequence, extra row."""
    statement, difference = FAULTS[fault]
    ask(statement)

    found = verified()

    assert not found.passed
    assert difference in told(found)


def test_a_difference_says_key_column_and_both_values(verified: Verifying, ask: Ask) -> None:
    ask("UPDATE trades SET fee = 0.06 WHERE id = 1")

    one, *_ = verified().differences

    assert (one.table, one.key, one.column) == ("moved.trades", "id=1", "fee")
    assert (one.expected, one.found) == ("Decimal('0.05')", "Decimal('0.06')")


def test_sums_and_counts_are_a_second_witness(verified: Verifying, ask: Ask) -> None:
    ask("UPDATE trades SET fee = 0.06, note = NULL WHERE id = 1")

    kinds = {one.kind for one in verified().differences}

    assert {"sum", "null count"} <= kinds


def test_workers_find_in_parts_what_one_finds_in_the_whole(
    verified: Verifying, moved: tuple[str, Plan, Path], spoiled_dsn: str, ask: Ask
) -> None:
    ask("UPDATE trades SET fee = 0.06, note = NULL WHERE id = 1; UPDATE trades SET buy = 3 WHERE id = 9")

    together = verify(moved[1], spoiled_dsn, moved[2], watching=Silent(), workers=2)

    assert (together.tables, told(together)) == (verified().tables, told(verified()))


def test_rows_that_only_stand_elsewhere_are_no_difference(verified: Verifying, ask: Ask) -> None:
    ask("UPDATE trades SET note = note")
    ask("UPDATE prices SET price = price WHERE at = '10:00'")

    assert verified().passed


def test_a_server_that_fails_while_it_sends_rows_is_an_error(spoiled_dsn: str) -> None:
    failing = sql.SQL("COPY (SELECT 1 / (3 - n) FROM generate_series(1, 5) AS n) TO STDOUT (FORMAT BINARY)")
    with psycopg.connect(spoiled_dsn) as connection, pytest.raises(psycopg.errors.DivisionByZero):
        list(rows_of(connection, failing))


def test_columns_are_told_in_their_order_however_the_server_reads_its_catalogue(
    moved: tuple[str, Plan, Path], spoiled_dsn: str, ask: Ask
) -> None:
    """Where it joins by hash, they come in an order that is nobody's."""
    ask("ALTER TABLE markets ADD more text")
    hashed = make_conninfo(spoiled_dsn, options="-c enable_nestloop=off -c enable_mergejoin=off")

    found = verify(moved[1], hashed, moved[2], watching=Silent()).differences

    (order,) = [one.found for one in found if one.kind == "order of columns"]
    assert order == ", ".join([column.name for column in moved[1].tables[0].columns] + ["more"])


def test_workers_beside_each_other_find_what_one_would(
    moved: tuple[str, Plan, Path], spoiled_dsn: str, ask: Ask, verified: Verifying
) -> None:
    ask("UPDATE trades SET fee = 0.06 WHERE id IN (1, 4)")
    ask("DELETE FROM trades WHERE id = 9")
    ask("INSERT INTO trades (id, entered, side) VALUES (-3, now(), 'yes'), (70, now(), 'yes')")

    together = verify(moved[1], spoiled_dsn, moved[2], watching=Silent(), workers=3)

    assert sorted(told(together), key=repr) == sorted(told(verified()), key=repr)
    assert len(together.differences) > 5

"""What a plan proposes: the narrowest type that changes no value, what must be asked, and what PostgreSQL will not have."""

from collections.abc import Callable
from datetime import date

import pytest
from msgspec.structs import replace

from db.migration import plan_file
from db.migration.conversions import Conversion
from db.migration.conversions.instants import ClosingTime, DateAndTime, DateOnly, Instant, SecondPass, TimeOnly
from db.migration.conversions.moving import move
from db.migration.conversions.numbers import Boolean, Double, Integer, Numeric, TextNumber
from db.migration.conversions.texts import Blob, Json, Literal, Text
from db.migration.plan_words import Check, Column, ForeignKey, Plan, Sequence, Unique
from db.migration.planning import plan
from tests.db.migration.conftest import Making

NEW_YORK = "America/New_York"
ZONE = "?made.t.a"
Planned = Callable[..., Column]


@pytest.fixture
def planned(making: Making) -> Planned:
    """Plan a column `a`, declared so, of these cells; ids count from 1."""

    def run(declared: str, *cells: object, zone: str = "") -> Column:
        path = making(f"CREATE TABLE t (id INTEGER PRIMARY KEY, a {declared})", "INSERT INTO t (a) VALUES (?)", cells)
        return column(plan([path], {"made.t.a": zone} if zone else {}), "a")

    return run


def column(made: Plan, name: str, table: int = 0) -> Column:
    return next(one for one in made.tables[table].columns if one.name == name)


@pytest.mark.parametrize(
    ("declared", "cells", "kind", "conversion"),
    [
        ("INTEGER", (1, None, -(2**63)), "bigint", Integer()),
        ("INTEGER", (0, 1), "bigint", Integer()),
        ("BOOLEAN", (0, 1, None), "boolean", Boolean()),
        ("REAL", (0.1, 2.0), "double precision", Double()),
        ("FLOAT", (float("inf"),), "double precision", Double()),
        ("INTEGER", (1, 1.23), "numeric", Numeric()),
        ("NUMERIC(15,2)", (1, 1.5), "numeric", Numeric()),
        ("TEXT", ("+3", "-2", "0"), "numeric", TextNumber(plus=True)),
        ("TEXT", ("$119,500", "$1,000", "$5"), "numeric", TextNumber(dollar=True, commas=True)),
        ("TEXT", ("00123", "12209"), "text", Text()),
        ("TEXT", ("12209", "80331"), "text", Text()),
        ("TEXT", ("true", "false"), "boolean", Boolean(yes=("true",), no=("false",))),
        ("TEXT", ("YES", "NO"), "text", Text()),
        ("TEXT", ("2025-07-23",), "date", DateOnly()),
        ("TEXT", ("15:59:59",), "time", TimeOnly()),
        ("TEXT", ("01/02/2025",), "text", Text()),
        ("TEXT", ("2025-07-23T19:50:13Z",), "timestamptz", Instant(formats=("YYYY-MM-DDThh:mm:ssZ",))),
        ("DATETIME", ("2025-07-23 19:50:13",), "timestamptz", Instant(formats=("YYYY-MM-DD hh:mm:ss",), zone=ZONE)),
        ("JSON", ('{"a": 1}', "null"), "json", Json()),
        ("BLOB", (b"\x00",), "bytea", Blob()),
        ("", (1, "1", b"1"), "text", Literal()),
        ("TEXT", ("x", "y"), "text", Text()),
        ("TEXT", (), "text", Text()),
    ],
)
def test_a_column_gets_the_type_of_what_it_holds(
    planned: Planned, declared: str, cells: tuple[object, ...], kind: str, conversion: Conversion
) -> None:
    found = planned(declared, *cells)

    assert (found.type, found.conversion) == (kind, conversion)


def test_values_that_do_not_come_back_keep_their_original_beside_them(planned: Planned) -> None:
    found = planned("TEXT", "$119,500", "$118,000", "117500")

    assert found.proof is not None
    assert (found.original, found.proof.lossless, found.proof.kept) == ("a_original", 2, 1)


def test_what_has_no_place_goes_to_quarantine_with_key_and_reason(planned: Planned) -> None:
    """Fault 60: 'maybe' as a boolean."""
    proof = planned("BOOLEAN", *[0, 1] * 10, "maybe").proof

    assert proof is not None
    assert (proof.quarantined, proof.reasons, proof.keys) == (
        1,
        {"neither true nor false in any spelling that is known here": 1},
        ("id = 21",),
    )


@pytest.mark.parametrize("word", ["nan", "None", "NULL", "n/a", "undefined", ""])
def test_a_word_for_nothing_among_amounts_is_null(planned: Planned, word: str) -> None:
    conversion = planned("TEXT", *("+3", "-2.5") * 30, word).conversion

    assert conversion.convert([word]) is None


@pytest.mark.parametrize(
    ("default", "hint"),
    [
        ("CURRENT_TIMESTAMP", "is UTC"),
        ("(datetime('now'))", "is UTC"),
        ("(datetime('now', 'localtime'))", "is the local time of the machine"),
        ("'x'", ""),
    ],
)
def test_a_default_of_sqlites_clock_is_a_hint_and_no_answer(making: Making, default: str, hint: str) -> None:
    path = making(f"CREATE TABLE t (a TEXT DEFAULT {default})", "INSERT INTO t VALUES (?)", ["2025-07-23 19:50:13"])

    (one,) = plan([path]).questions

    assert (hint in one.hint, bool(one.hint), one.answer) == (True, bool(hint), "")


def test_numbers_with_zeros_before_them_are_names_and_stay_texts(planned: Planned) -> None:
    assert planned("TEXT", "01.50", "02.25").type == "text"


def test_a_zone_is_asked_for_and_never_guessed(making: Making) -> None:
    path = making(
        "CREATE TABLE t (a TIMESTAMP DEFAULT CURRENT_TIMESTAMP)", "INSERT INTO t VALUES (?)", ("2025-07-23 19:50:13",)
    )

    made = plan([path])

    assert [(one.name, one.answer, bool(one.hint)) for one in made.questions] == [("made.t.a", "", True)]


def test_the_hour_that_comes_twice_keeps_both_instants_where_nothing_decides(planned: Planned) -> None:
    """Fault 60: local time in the fold."""
    found = planned("TEXT", "2025-11-02 00:30:00", "2025-11-02 01:30:00", "2025-11-02 03:00:00", zone=NEW_YORK)

    assert found.proof is not None
    assert (found.either, found.proof.either, found.context) == ("a_either", 1, ())


def test_while_nobody_has_said_the_zone_there_is_room_for_a_second_instant(making: Making) -> None:
    """Fault 60: whoever answers in the file, gets both instants of the fold, and not its rows in quarantine."""
    made = plan([making("CREATE TABLE t (a TEXT)", "INSERT INTO t VALUES (?)", ["2025-11-02 01:30:00"])])

    answered = plan_file.answered(replace(made, questions=(replace(made.questions[0], answer=NEW_YORK),)))

    assert move(answered.tables[0].columns[0], ["2025-11-02 01:30:00"]).later is not None


def test_the_order_of_ids_decides_the_hour_that_comes_twice(planned: Planned) -> None:
    """Fault 60: local time in the fold."""
    times = ("00:30", "01:10", "01:50", "01:05", "01:40", "02:10")

    found = planned("TEXT", *(f"2025-11-02 {one}:00" for one in times), zone=NEW_YORK)

    assert isinstance(found.conversion, Instant)
    assert found.conversion.second_passes == (SecondPass(day=date(2025, 11, 2), from_id=4),)
    assert (found.context, found.either) == (("id",), "")


def test_an_order_that_goes_back_elsewhere_decides_nothing(planned: Planned) -> None:
    times = ("03:30", "00:30", "01:10", "01:50", "01:05", "02:10")

    found = planned("TEXT", *(f"2025-11-02 {one}:00" for one in times), zone=NEW_YORK)

    assert found.either == "a_either"


def test_a_local_time_that_no_clock_showed_goes_to_quarantine(planned: Planned) -> None:
    """Fault 60: local time in the gap."""
    proof = planned("TEXT", "2025-03-09 02:30:00", zone=NEW_YORK).proof

    assert proof is not None
    assert (proof.quarantined, proof.keys) == (1, ("id = 1",))


def test_date_and_time_become_one_instant_and_a_closing_time_takes_its_date(making: Making) -> None:
    """Lesson 39: closed_at in three formats."""
    path = making(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, date TEXT, time TEXT, closed_at TEXT)",
        "INSERT INTO t (date, time, closed_at) VALUES ('2025-08-01', '15:00:00', ?)",
        ("15:59:59", "15:58:00", "2025-08-01 16:00:00", "2025-08-01T16:00:00", None),
    )

    made = plan([path], {"made.t.date": NEW_YORK})

    assert column(made, "date_and_time").conversion == DateAndTime(zone=NEW_YORK)
    assert column(made, "closed_at").conversion == ClosingTime(
        zone=NEW_YORK, formats=("YYYY-MM-DD hh:mm:ss", "YYYY-MM-DDThh:mm:ss")
    )
    proof = column(made, "closed_at").proof
    assert proof is not None
    assert (proof.lossless, proof.kept) == (3, 2)


def test_a_key_of_mixed_storage_classes_stays_apart_as_literals(making: Making) -> None:
    path = making("CREATE TABLE t (a PRIMARY KEY)", "INSERT INTO t VALUES (?)", (1, "1", b"1", 1.5))

    made = plan([path])

    assert (made.tables[0].key, column(made, "a").conversion) == (("a",), Literal())
    assert "stay two keys" in made.tables[0].key_note


@pytest.mark.parametrize(
    ("collation", "part"), [("NOCASE", '(lower("a" COLLATE "C"))'), ("RTRIM", "(rtrim(\"a\", ' '))")]
)
def test_a_key_that_is_compared_loosely_stays_so(making: Making, collation: str, part: str) -> None:
    path = making(f"CREATE TABLE t (a TEXT PRIMARY KEY COLLATE {collation})", "INSERT INTO t VALUES (?)", ("A", "b"))

    table = plan([path]).tables[0]

    assert (table.key, [one.parts for one in table.uniques]) == (("a",), [(part,)])


def test_a_reference_to_what_is_compared_loosely_is_said_not_to_come(making: Making) -> None:
    """Fault 60: PostgreSQL would find orphans where SQLite finds none."""
    schema = "CREATE TABLE p (a TEXT PRIMARY KEY COLLATE NOCASE); INSERT INTO p VALUES ('A'); CREATE TABLE t (a TEXT REFERENCES p)"
    path = making(schema, "INSERT INTO t VALUES (?)", ("a",))

    made = plan([path])

    assert (made.tables[1].foreign_keys, [one.why for one in made.not_moved]) == (
        (),
        ["p.a is compared by NOCASE there, letter by letter here"],
    )


@pytest.mark.parametrize("condition", ["a <> 7", "length(a) > 1", "a <> 'x'"])
def test_a_check_that_compares_different_kinds_is_said_not_to_come(making: Making, condition: str) -> None:
    path = making(f"CREATE TABLE t (a BLOB CHECK ({condition}))", "INSERT INTO t VALUES (?)", (b"ab",))

    made = plan([path])

    assert (made.tables[0].checks, [one.kind for one in made.not_moved]) == ((), ["check"])


def test_a_key_that_holds_nulls_becomes_unique_instead(making: Making) -> None:
    path = making("CREATE TABLE t (a TEXT PRIMARY KEY)", "INSERT INTO t VALUES (?)", ("x", None, None))

    table = plan([path]).tables[0]

    assert (table.key, [one.parts for one in table.uniques]) == ((), [('"a"',)])


def test_a_table_without_a_key_is_told_by_sqlites_own_numbers(making: Making) -> None:
    """Fault 60: rowid reuse."""
    path = making("CREATE TABLE t (a)", "INSERT INTO t VALUES (?)", ("x", "x"))

    table = plan([path]).tables[0]

    assert (table.key, table.columns[-1].sources) == (("source_rowid",), ("rowid",))


def test_new_ids_begin_above_all_that_were_ever_given_out(making: Making) -> None:
    """Lesson 51: no setval."""
    path = making(
        "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, a); INSERT INTO t VALUES (349, 1); DELETE FROM t",
        "INSERT INTO t (id) VALUES (?)",
        (36,),
    )

    assert plan([path]).tables[0].sequence == Sequence(column="id", at_least=349)


def test_orphans_of_a_reference_are_counted(making: Making) -> None:
    """Fault 60: orphan foreign keys."""
    path = making(
        "CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE t (p INTEGER REFERENCES p)",
        "INSERT INTO t VALUES (?)",
        (1, 2, None),
    )

    key = plan([path]).tables[1].foreign_keys[0]

    assert key == ForeignKey(name="t_p_fkey", columns=("p",), table="p", schema="made", references=("id",), orphans=2)


def test_uniques_checks_and_indexes_come_with_the_names_of_the_target(making: Making) -> None:
    path = making(
        """CREATE TABLE t (Id INTEGER PRIMARY KEY, Code TEXT UNIQUE, Size INTEGER CHECK (Size > 0), Side TEXT CHECK (Side IN ('Y', 'N')));
        CREATE INDEX big ON t (Size) WHERE Size > 100""",
        "INSERT INTO t (Code, Size, Side) VALUES (?1, 5, 'Y')",
        ("a",),
    )

    table = plan([path]).tables[0]

    assert table.uniques == (Unique(name="t_code_key", parts=('"code"',)),)
    assert table.checks == (
        Check(name="t_check_1", condition='"size" > 0'),
        Check(name="t_check_2", condition="\"side\" IN ('Y', 'N')"),
    )
    assert [(one.parts, one.where) for one in table.indexes] == [(('"size"',), '"size" > 100')]


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT 1; END", "trigger"),
        ("CREATE INDEX i ON t (substr(a, 1, 2))", "index"),
        ("CREATE VIRTUAL TABLE f USING fts5(a)", "shadow table"),
        ("CREATE TABLE c (a TEXT CHECK (a GLOB 'x*'))", "check"),
        ("CREATE TABLE c (a REFERENCES gone (id))", "foreign key"),
    ],
)
def test_what_does_not_come_is_said(making: Making, sql: str, kind: str) -> None:
    path = making(f"CREATE TABLE t (a TEXT); {sql}", "INSERT INTO t VALUES (?)", ("x",))

    assert kind in {one.kind for one in plan([path]).not_moved}


@pytest.mark.parametrize(
    ("select", "translated"),
    [
        ("SELECT Code, count(*) AS n FROM T GROUP BY Code", True),
        ("SELECT ifnull(Code, '') FROM [T]", True),
        ("SELECT strftime('%Y', Code) FROM T", False),
        ("SELECT * FROM T WHERE Code = 1", False),
        ("SELECT * FROM T WHERE (((Code)=1))", False),
        ("SELECT * FROM T WHERE Code IN ('x', 1)", False),
        ("SELECT gone FROM T", False),
        ("SELECT * FROM T WHERE Code = Size", False),
        ("SELECT lower(Size) FROM T", False),
        ("SELECT * FROM T WHERE Size > 1 AND Code > 'a'", True),
        ("SELECT Code + 'x' FROM T", False),
        ("SELECT * FROM w", False),
    ],
)
def test_a_view_is_translated_or_said_not_to_be(making: Making, select: str, translated: bool) -> None:
    path = making(
        f"CREATE TABLE T (Code TEXT, Size INTEGER DEFAULT 1); CREATE VIEW w AS SELECT date(Code) FROM T; CREATE VIEW v AS {select}",
        "INSERT INTO T (Code) VALUES (?)",
        ("x",),
    )

    view = next(one for one in plan([path]).views if one.name == "v")

    assert (bool(view.sql), bool(view.note)) == (translated, not translated)


def test_a_view_has_the_names_of_the_target(making: Making) -> None:
    path = making(
        'CREATE TABLE "Order Details" (Id); CREATE VIEW V AS SELECT Id FROM [Order Details]',
        'INSERT INTO "Order Details" VALUES (?)',
        (1,),
    )

    assert plan([path]).views[0].sql == 'SELECT "id" FROM "made"."Order Details"'


@pytest.mark.parametrize(
    ("declared", "cell", "default"),
    [
        ("INTEGER DEFAULT 5", 1, "5"),
        ("TEXT DEFAULT 'open'", "x", "'open'"),
        ("BOOLEAN DEFAULT 0", 1, "false"),
        ("TIMESTAMP DEFAULT CURRENT_TIMESTAMP", "2025-07-23 19:50:13", "date_trunc('second', now())"),
        ("TEXT DEFAULT '+0'", "+3", "0"),
        ("INTEGER DEFAULT (random())", 1, ""),
    ],
)
def test_a_default_means_the_same_in_the_target(planned: Planned, declared: str, cell: object, default: str) -> None:
    assert planned(declared, cell).default == default


def test_two_databases_with_tables_of_one_name_get_schemas_of_their_own(making: Making) -> None:
    first = making("CREATE TABLE t (a)", "INSERT INTO t VALUES (?)", (1,), name="one.db")
    second = making("CREATE TABLE t (a)", "INSERT INTO t VALUES (?)", (2,), name="two.db")

    assert [(one.schema, one.name) for one in plan([first, second]).tables] == [("one", "t"), ("two", "t")]

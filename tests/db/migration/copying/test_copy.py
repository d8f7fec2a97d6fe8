"""What arrives, and what is quarantined: together always all of the source."""

import struct
from pathlib import Path

import pytest
from msgspec.structs import replace

from db.migration.conversions.numbers import Double, Integer
from db.migration.conversions.texts import Text
from db.migration.copying.source import SourceTable
from db.migration.plan_words import Check, Column, ForeignKey, Index, Plan, Sequence, Unique, View
from db.migration.verifying.verify import verify
from tests.db.migration.copying.conftest import Ask, Copying, Making, Silent
from tests.db.migration.plans import plain_plan
from tests.house.source import ROOT

SHARED = ROOT.parent / "shared/data/sqlite"
PEOPLE = "CREATE TABLE people (id INTEGER PRIMARY KEY, name, born)"


def of_table(plan: Plan, **changes: object) -> Plan:
    """Return the plan with its first table changed."""
    first, *others = plan.tables
    return replace(plan, tables=(replace(first, **changes), *others))


def people(path: Path, folder: Path, *columns: Column) -> Plan:
    """Return a plan of `people` with these columns, by name in the place of the plain ones."""
    plan = plain_plan(path, folder=folder)
    by_name = {column.name: column for column in columns}
    return of_table(plan, columns=tuple(by_name.get(one.name, one) for one in plan.tables[0].columns))


@pytest.mark.parametrize("path", sorted(SHARED.glob("*")), ids=lambda path: path.stem)
def test_every_row_of_a_real_database_arrives(copied: Copying, ask: Ask, tmp_path: Path, path: Path) -> None:
    done = copied(plain_plan(path, folder=tmp_path))

    assert done.rows == done.copied > 0
    for one in done.tables:
        schema, _, name = one.target.partition(".")
        assert ask(f'SELECT count(*) FROM {schema}."{name}"') == [(one.rows,)]


def test_a_row_that_cannot_come_stands_in_quarantine_with_its_bytes_place_and_reason(
    made: Making, copied: Copying, ask: Ask, tmp_path: Path
) -> None:
    """Fault 60: source = copied + quarantined, exactly."""
    path = made(PEOPLE, people=[(1, "Ada", 1815), (7, "Bob", "maybe"), (8, "Eve", 1990)])
    plan = people(path, tmp_path, Column(name="born", type="bigint", conversion=Integer(), sources=("born",)))

    done = copied(plan)

    assert (done.rows, done.copied, done.quarantined) == (3, 2, 1)
    assert [(one.rows, one.column) for one in done.quarantine] == [(1, "born")]
    kept = ask("SELECT place, column_name, reason, columns, classes, cells FROM migration_quarantine.rows")
    assert kept == [
        (
            "rowid 7",
            "born",
            "text where a whole number is wanted",
            ["id", "name", "born"],
            ["integer", "text", "text"],
            [struct.pack(">q", 7), b"Bob", b"maybe"],
        )
    ]


@pytest.mark.parametrize(
    ("cells", "place"),
    [
        ("(2, 'it is ' || CAST(x'ff' AS TEXT), 1)", "rowid 2"),
        ("(2, 'a' || char(0), 1)", "rowid 2"),
        ("(2, 'name', 'text')", "rowid 2"),
        ("(2, 'name', 9.5)", "rowid 2"),
        ("(-9223372036854775808, x'00', 1)", "rowid -9223372036854775808"),
    ],
    ids=["invalid UTF-8", "NUL byte", "text in number", "half in whole", "bytes in text"],
)
def test_one_dirty_row_leaves_its_neighbours_alone(
    made: Making, copied: Copying, ask: Ask, cells: str, place: str
) -> None:
    """Fault 60."""
    path = made(f"{PEOPLE}; INSERT INTO people VALUES (1, 'a', 1), (3, 'ü', 3); INSERT INTO people VALUES {cells}")
    plan = people(
        path,
        path.parent,
        Column(name="name", type="text", conversion=Text(), sources=("name",)),
        Column(name="born", type="bigint", conversion=Integer(), sources=("born",)),
    )

    copied(plan)

    assert ask("SELECT * FROM moved.people ORDER BY id") == [(1, "a", 1), (3, "ü", 3)]
    assert ask("SELECT place FROM migration_quarantine.rows") == [(place,)]


def test_a_row_that_postgresql_refuses_is_quarantined_with_its_words(
    made: Making, copied: Copying, ask: Ask, tmp_path: Path
) -> None:
    path = made(PEOPLE, people=[(number, "long" if number == 300 else "abc", None) for number in range(1, 701)])
    plan = people(path, tmp_path, Column(name="name", type="varchar(3)", conversion=Text(), sources=("name",)))

    done = copied(plan)

    assert (done.copied, done.quarantined) == (699, 1)
    reason = "PostgreSQL: value too long for type character varying(3)"
    assert ask("SELECT place, reason FROM migration_quarantine.rows") == [("rowid 300", reason)]


def test_rows_that_a_key_a_check_or_a_reference_refuses_are_quarantined(
    made: Making, copied: Copying, ask: Ask, tmp_path: Path
) -> None:
    """Fault 60: an orphan, and the orphan that its own absence makes."""
    path = made(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, code, parent)",
        t=[(1, "a", None), (2, "b", 1), (3, "b", 1), (4, "", 1), (5, "c", 99), (6, "d", 5), (7, "e", 6), (8, "f", 2)],
    )
    plan = of_table(
        plain_plan(path, folder=tmp_path),
        uniques=(Unique(name="one_code", parts=("code",)),),
        checks=(Check(name="has_code", condition="code <> ''"),),
        foreign_keys=(ForeignKey(name="to_parent", columns=("parent",), table="t", references=("id",)),),
    )

    done = copied(plan)

    assert (done.copied, done.quarantined) == (3, 5)
    assert ask("SELECT id FROM moved.t ORDER BY id") == [(1,), (2,), (8,)]
    assert ask("SELECT place, reason FROM migration_quarantine.rows ORDER BY place") == [
        ("rowid 3", "its one_code stands there already"),
        ("rowid 4", "does not fulfil has_code: code <> ''"),
        ("rowid 5", "to_parent: no row of t has this parent"),
        ("rowid 6", "to_parent: no row of t has this parent"),
        ("rowid 7", "to_parent: no row of t has this parent"),
    ]


def test_a_row_is_quarantined_whose_parent_is_because_its_own_is_missing(
    made: Making, copied: Copying, ask: Ask, tmp_path: Path
) -> None:
    """Fault 60: the tables are looked at from child to parent, so what each look takes out, only the next finds missing."""
    path = made(
        "CREATE TABLE a (id INTEGER PRIMARY KEY, up); CREATE TABLE b (id INTEGER PRIMARY KEY, up); "
        "CREATE TABLE c (id INTEGER PRIMARY KEY, up)",
        a=[(1, 11), (2, 12)],
        b=[(11, 21), (12, 22)],
        c=[(21, None), (22, 99)],
    )
    plan = plain_plan(path, folder=tmp_path)
    parents = {"a": "b", "b": "c", "c": "c"}
    tables = [
        replace(
            table,
            foreign_keys=(ForeignKey(name="to_up", columns=("up",), table=parents[table.name], references=("id",)),),
        )
        for table in sorted(plan.tables, key=lambda one: one.name)
    ]

    copied(replace(plan, tables=tuple(tables)))

    assert ask("SELECT place FROM migration_quarantine.rows ORDER BY place") == [
        ("rowid 12",),
        ("rowid 2",),
        ("rowid 22",),
    ]


def test_nothing_of_a_value_changes_on_its_way(made: Making, copied: Copying, ask: Ask, tmp_path: Path) -> None:
    floats = [0.1, -0.0, 0.0, 1e308, 5e-324, float("inf"), float("-inf"), 1 / 3]
    path = made("CREATE TABLE t (id INTEGER PRIMARY KEY, f)", t=list(enumerate(floats, 1)))

    copied(plain_plan(path, folder=tmp_path))

    arrived = [struct.pack(">d", one) for _, one in ask("SELECT * FROM moved.t ORDER BY id")]
    assert arrived == [struct.pack(">d", one) for one in floats]


def test_what_equals_in_python_stays_apart(made: Making, copied: Copying, ask: Ask, tmp_path: Path) -> None:
    path = made(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, v)", t=[(1, 1), (2, 1.0), (3, "1"), (4, b"1"), (5, 0.0), (6, -0.0)]
    )

    copied(plain_plan(path, folder=tmp_path))

    assert [one for _, one in ask("SELECT * FROM moved.t ORDER BY id")] == ["1", "1.0", "'1'", "X'31'", "0.0", "-0.0"]


def test_a_value_that_does_not_come_back_has_its_original_beside_it(
    made: Making, copied: Copying, ask: Ask, tmp_path: Path
) -> None:
    path = made(PEOPLE, people=[(1, None, 3), (2, None, 2.0)])
    born = Column(name="born", type="bigint", conversion=Integer(), sources=("born",), original="born_original")

    copied(people(path, tmp_path, born))

    assert ask("SELECT born, born_original FROM moved.people ORDER BY id") == [(3, None), (2, "2.0")]


@pytest.mark.parametrize(
    "words",
    [
        "CREATE TABLE t (a TEXT, b INTEGER, c REAL, PRIMARY KEY (b, a)) WITHOUT ROWID",
        "CREATE TABLE t (rowid TEXT, oid INTEGER, _rowid_ REAL)",
        'CREATE TABLE t ("select" TEXT, "a""b" INTEGER, "ü .;" REAL)',
        "CREATE TABLE t (a TEXT, b INTEGER, c REAL, d AS (b + 1))",
    ],
    ids=["without rowid", "hidden rowid", "odd names", "generated column"],
)
def test_a_table_of_any_kind_arrives_in_pieces(
    made: Making, copied: Copying, ask: Ask, tmp_path: Path, words: str
) -> None:
    names = ", ".join(f"('{number}', {number}, {number}.5)" for number in range(25))
    path = made(f"{words}; INSERT INTO t VALUES {names}")

    done = copied(plain_plan(path, folder=tmp_path), piece_rows=10)

    assert (done.rows, done.copied) == (25, 25)
    assert ask("SELECT count(*) FROM migration_quarantine.pieces") == [(3,)]


@pytest.mark.parametrize("rows", [1, 9, 10, 11, 20, 25])
@pytest.mark.parametrize("gone", ["0", "id = 4", "id > 0"], ids=["dense", "with a gap", "empty"])
def test_pieces_hold_every_row_once(made: Making, tmp_path: Path, rows: int, gone: str) -> None:
    path = made(f"{PEOPLE}; WITH RECURSIVE n(i) AS (SELECT -3 UNION ALL SELECT i + 1 FROM n LIMIT {rows}) "
        f"INSERT INTO people SELECT i, 'a', i FROM n; DELETE FROM people WHERE {gone}")  # fmt: skip
    source = SourceTable(path, plain_plan(path, folder=tmp_path).tables[0])

    pieces = [sum(map(len, source.batches(piece))) for piece in source.pieces(10)]

    assert sum(pieces) == source.counts()[0]
    assert max(pieces) <= 10


def test_workers_beside_each_other_copy_what_one_would(made: Making, copied: Copying, ask: Ask, tmp_path: Path) -> None:
    path = made(PEOPLE, people=[(number, f"name {number}", number / 7) for number in range(5_000)])

    copied(plain_plan(path, folder=tmp_path), workers=3, piece_rows=100)

    assert ask("SELECT * FROM moved.people ORDER BY id") == [(n, f"name {n}", n / 7) for n in range(5_000)]


def test_only_rows_that_are_meant_come_and_the_others_are_counted(
    made: Making, copied: Copying, tmp_path: Path
) -> None:
    path = made(PEOPLE, people=[(number, "a", number) for number in range(10)])

    done = copied(of_table(plain_plan(path, folder=tmp_path), where="born < 4"))

    assert (done.rows, done.copied, done.tables[0].left_behind) == (4, 4, 6)


@pytest.mark.parametrize(
    ("script", "first"),
    [
        ("INSERT INTO t VALUES (41, 'a'); DELETE FROM t; INSERT INTO t VALUES (7, 'a')", 42),
        ("INSERT INTO t VALUES (7, 'a'), (90, x'00')", 91),
        ("SELECT 1", 1),
    ],
    ids=["of sqlite_sequence", "of the quarantine", "of an empty table"],
)
def test_new_ids_begin_above_all_that_were_ever_given_out(
    made: Making, copied: Copying, ask: Ask, script: str, first: int
) -> None:
    """Lesson 51: no setval. Fault 60: a rowid is not used again."""
    path = made(f"CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT); {script}")
    text = Column(name="name", type="text", conversion=Text(), sources=("name",))
    plan = plain_plan(path, folder=path.parent)
    columns = (plan.tables[0].columns[0], text)
    at_least = 41 if first == 42 else 0

    copied(of_table(plan, columns=columns, sequence=Sequence(column="id", at_least=at_least)))

    assert ask("INSERT INTO moved.t (name) VALUES ('new') RETURNING id") == [(first,)]


def test_views_and_indexes_come_with_their_tables(made: Making, copied: Copying, ask: Ask, tmp_path: Path) -> None:
    path = made(PEOPLE, people=[(1, "Ada", 1815)])
    plan = of_table(plain_plan(path, folder=tmp_path), indexes=(Index(name="by_name", parts=("name",)),))
    of_names = View(source="old", name="names", sqlite="", sql="SELECT shout FROM loud")
    loud = View(source="old", name="loud", sqlite="", sql="SELECT upper(name) AS shout FROM people")

    copied(replace(plan, views=(of_names, loud)))

    assert ask("SELECT * FROM moved.names") == [("ADA",)]
    assert ask("SELECT indexname FROM pg_indexes WHERE schemaname = 'moved' ORDER BY 1") == [
        ("by_name",),
        ("people_pkey",),
    ]


def test_several_files_arrive_in_one_run(made: Making, copied: Copying, ask: Ask, tmp_path: Path) -> None:
    paths = [made(PEOPLE, name=name, people=[(1, name, None)]) for name in ("one", "two")]

    copied(plain_plan(*paths, folder=tmp_path))

    assert ask("SELECT name FROM moved_0.people UNION ALL SELECT name FROM moved_1.people") == [("one",), ("two",)]


def test_rows_for_a_table_that_stands_already_come_into_it(
    made: Making, copied: Copying, ask: Ask, tmp_path: Path
) -> None:
    path = made(PEOPLE, people=[(1, "Ada", 1815), (2, "Eve", 1990)])
    ask("CREATE SCHEMA moved")
    ask("CREATE TABLE moved.people (id bigint PRIMARY KEY, name text, born bigint, since timestamptz DEFAULT now())")

    copied(of_table(plain_plan(path, folder=tmp_path), existing=True))

    assert ask("SELECT id, name, born, since IS NOT NULL FROM moved.people ORDER BY id") == [
        (1, "Ada", 1815, True),
        (2, "Eve", 1990, True),
    ]


def test_large_values_come_a_few_at_a_time(made: Making, copied: Copying, ask: Ask, tmp_path: Path) -> None:
    path = made(PEOPLE, people=[(number, "x" * 1_000_000, None) for number in range(30)])

    copied(plain_plan(path, folder=tmp_path))

    assert ask("SELECT count(*), min(length(name)) FROM moved.people") == [(30, 1_000_000)]


def test_a_float_in_a_column_of_doubles_and_wholes_is_told_apart(made: Making, copied: Copying, tmp_path: Path) -> None:
    path = made(PEOPLE, people=[(1, None, 2), (2, None, 2.5)])
    plan = people(path, tmp_path, Column(name="born", type="double precision", conversion=Double(), sources=("born",)))

    done = copied(plan)

    assert (done.copied, done.quarantined) == (1, 1)


def test_the_largest_id_that_there_is_leaves_no_room_and_passes(
    made: Making, copied: Copying, target_dsn: str, tmp_path: Path
) -> None:
    """Fault 60: 2^63 - 1."""
    path = made(PEOPLE, people=[(2**63 - 1, "last", None)])
    plan = plain_plan(path, folder=tmp_path)

    copied(plan)

    assert verify(plan, target_dsn, tmp_path / "snapshots", watching=Silent()).differences == ()

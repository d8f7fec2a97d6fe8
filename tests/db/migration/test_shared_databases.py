"""Databases of real systems: each is profiled and planned, and nothing of them is lost."""

from pathlib import Path

import pytest

from db.migration import plan_document, plan_file
from db.migration.plan_words import Plan
from db.migration.planning import plan
from db.migration.profile import profile
from tests.db.migration.test_dirty_databases import counted_by_sqlite
from tests.house.source import ROOT

FOLDER = ROOT.parent / "shared/data/sqlite"
NAMES = (
    "Chinook_Sqlite.sqlite", "cyruslayo_polymarket.db", "freqtrade_dutchcryptodad_tradesv3.sqlite", "hummingbot_gateway_evm_fixture.db",
    "northwind_2022.db", "philibert_polymarket.db", "rec_io_active_trades_a.db", "rec_io_active_trades_b.db",
)  # fmt: skip
ROWS = {
    "Chinook_Sqlite.sqlite": 15_607,
    "northwind_2022.db": 3_310,
    "philibert_polymarket.db": 5_025,
    "rec_io_active_trades_a.db": 7,
}
_PLANS: dict[str, Plan] = {}


def found(name: str) -> Path:
    path = FOLDER / name
    if not path.exists():
        pytest.skip(f"the recorded database {name} is not on this machine ({path})")
    return path


def planned(name: str) -> Plan:
    if name not in _PLANS:
        _PLANS[name] = plan([found(name)])
    return _PLANS[name]


def test_every_recorded_database_is_among_them() -> None:
    if not FOLDER.exists():
        pytest.skip(f"there are no recorded databases on this machine ({FOLDER})")

    assert {one.name for one in FOLDER.iterdir()} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_recorded_database_is_profiled_as_sqlite_counts_it(name: str) -> None:
    tables = profile([found(name)]).databases[0].tables

    assert {
        (table.name, column.name): column.storage for table in tables for column in table.columns if table.rows
    } == {key: counts for key, counts in counted_by_sqlite(found(name)).items() if counts}


@pytest.mark.parametrize("name", NAMES)
def test_nothing_of_a_recorded_database_goes_to_quarantine(name: str) -> None:
    proofs = [column.proof for table in planned(name).tables for column in table.columns if column.proof is not None]

    assert sum(proof.quarantined for proof in proofs) == 0
    assert all(proof.lossless + proof.kept + proof.either == proof.values for proof in proofs)


@pytest.mark.parametrize("name", NAMES)
def test_no_column_of_a_recorded_database_becomes_a_float_of_four_bytes(name: str) -> None:
    types = {column.type for table in planned(name).tables for column in table.columns}

    assert types <= {
        "bigint",
        "boolean",
        "bytea",
        "date",
        "double precision",
        "json",
        "numeric",
        "text",
        "time",
        "timestamptz",
    }


@pytest.mark.parametrize("name", NAMES)
def test_the_plan_of_a_recorded_database_can_be_followed_once_it_is_answered(name: str, tmp_path: Path) -> None:
    text = plan_file.write(planned(name)).replace("\nasks = ", '\nanswer = "UTC"\nasks = ')
    (tmp_path / "plan.toml").write_text(text)

    made = plan_file.answered(plan_file.read(tmp_path / "plan.toml"))

    assert sum(table.rows for table in made.tables) == ROWS.get(name, sum(table.rows for table in planned(name).tables))


@pytest.mark.parametrize("name", NAMES)
def test_the_document_of_a_recorded_database_names_every_column(name: str) -> None:
    text = plan_document.document(planned(name))

    assert all(f"`{column.name}`" in text for table in planned(name).tables for column in table.columns)

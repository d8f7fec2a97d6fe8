"""A plan and its databases are moved to another place, between copy and verify."""

from pathlib import Path

from db.migration import plan_file
from db.migration.copying.copy import copy
from db.migration.verifying.verify import verify
from tests.db.migration.copying.conftest import Making, Silent
from tests.db.migration.copying.test_copy import PEOPLE
from tests.db.migration.plans import plain_plan


def test_a_plan_goes_on_with_its_databases_where_both_are_moved(made: Making, tmp_path: Path, target_dsn: str) -> None:
    """The file says where they lie beside it, and nothing that was noted of the copy hangs on the place."""
    here = tmp_path / "here"
    here.mkdir()
    path = made(PEOPLE, people=[(1, "Ada", 1815)]).rename(here / "old.db")
    (here / "plan.toml").write_text(plan_file.write(plain_plan(path, folder=tmp_path), here))
    copy(plan_file.read(here / "plan.toml"), target_dsn, here / "kept", watching=Silent())
    there = here.rename(tmp_path / "there")

    found = verify(plan_file.read(there / "plan.toml"), target_dsn, there / "kept", watching=Silent())

    assert 'path = "old.db"' in (there / "plan.toml").read_text()
    assert found.passed

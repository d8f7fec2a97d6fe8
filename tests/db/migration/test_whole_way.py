"""The whole way: planned, copied, verified, and taken back by the inverses; for real databases and for dirty ones."""

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from msgspec.structs import replace

from db.embedded import EmbeddedPostgres
from db.migration.copying.copy import copy
from db.migration.documents import Copied
from db.migration.plan_words import Plan
from db.migration.planning import plan
from db.migration.verifying.verify import verify
from db.migration.verifying.words import Verified
from tests.db.migration.copying.conftest import Silent
from tests.db.migration.dirty import Dirty, dirty_databases
from tests.fixtures.postgres import plain_database
from tests.house.source import ROOT

SHARED = ROOT.parent / "shared/data/sqlite"


def edited(made: Plan) -> Plan:
    """Return the plan as a person might leave it: each question answered, without views, checks, and indexes of expressions.

    What PostgreSQL takes of those, is no matter of values.
    """
    tables = tuple(
        replace(
            table,
            checks=(),
            indexes=tuple(one for one in table.indexes if _is_plain(one.parts) and not one.where),
            uniques=tuple(one for one in table.uniques if _is_plain(one.parts) and not one.where),
        )
        for table in made.tables
    )
    answers = ((one, one.answers[0] if one.answers else "America/New_York") for one in made.questions)
    return replace(
        made, tables=tables, views=(), questions=tuple(replace(one, answer=answer) for one, answer in answers)
    )


def _is_plain(parts: tuple[str, ...]) -> bool:
    return not any(part.startswith("(") for part in parts)


def go(server: EmbeddedPostgres, path: Path, folder: Path) -> tuple[Copied, Verified]:
    """Plan, copy and verify a database."""
    made = edited(plan((path,)))
    with plain_database(server) as dsn:
        done = copy(made, dsn, folder / "kept", watching=Silent())
        return done, verify(made, dsn, folder / "kept", watching=Silent())


@pytest.mark.parametrize("path", sorted(SHARED.glob("*")), ids=lambda path: path.stem)
def test_a_real_database_goes_the_whole_way(postgres_server: EmbeddedPostgres, tmp_path: Path, path: Path) -> None:
    """Lesson 39, Lesson 51: whatever its formats are, each value arrives and can be taken back."""
    done, verified = go(postgres_server, path, tmp_path)

    assert verified.differences == ()
    assert done.rows == done.copied + done.quarantined == sum(one.source_rows for one in verified.tables)


# What fails is long to tell; that it is so long, is no failure of its own.
@pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisWarning")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=8)
@given(dirty=dirty_databases())
def test_of_a_dirty_database_nothing_is_changed_in_silence(postgres_server: EmbeddedPostgres, dirty: Dirty) -> None:
    """Fault 60: source = copied + quarantined, exactly, and what was copied is what it was."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        path = dirty.build(folder / "source.db")
        before = shutil.copyfile(path, folder / "before.db").read_bytes()

        done, verified = go(postgres_server, path, folder)

        assert verified.differences == ()
        assert done.rows == done.copied + done.quarantined
        assert path.read_bytes() == before

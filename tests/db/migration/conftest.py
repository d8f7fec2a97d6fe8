"""Source trees to audit: small ones written by a test, and those of the old systems, read from beside the checkout. Databases to move."""

import sqlite3
import tarfile
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from typing import Protocol

import pytest

from db.migration.audit import audit
from db.migration.words import Audit
from tests.house.source import ROOT

LEGACY = ROOT.parent / "shared/data/legacy"

Auditing = Callable[[dict[str, str]], Audit]


@pytest.fixture
def audited(tmp_path: Path) -> Auditing:
    """Audit files of these names and texts."""

    def run(files: dict[str, str]) -> Audit:
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
        return audit(tmp_path)

    return run


@pytest.fixture(scope="session")
def legacy(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Audit]:
    """Audit the source tree of an old system, once."""
    done: dict[str, Audit] = {}

    def run(name: str) -> Audit:
        archive = LEGACY / f"{name}.tar.gz"
        if not archive.exists():
            pytest.skip(f"the recorded source tree {name} is not on this machine ({archive})")
        if name not in done:
            folder = tmp_path_factory.mktemp(name)
            with tarfile.open(archive) as packed:
                packed.extractall(folder, filter="data")
            done[name] = audit(folder)
        return done[name]

    return run


class Making(Protocol):
    """Makes a database."""

    def __call__(self, schema: str, insert: str, cells: Iterable[object], name: str = "made.db") -> Path:
        """Return its path: the schema, then `insert` with each cell as its one parameter."""


@pytest.fixture
def making(tmp_path: Path) -> Making:
    """Make a database, anew if it is there."""

    def run(schema: str, insert: str, cells: Iterable[object], name: str = "made.db") -> Path:
        path = tmp_path / name
        path.unlink(missing_ok=True)
        with closing(sqlite3.connect(path)) as connection:
            connection.executescript(schema)
            connection.executemany(insert, ((cell,) for cell in cells))
            connection.commit()
        return path

    return run

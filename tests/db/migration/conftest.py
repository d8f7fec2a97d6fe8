"""Source trees to audit: small ones written by a test, and those of the old systems, which are read from beside the checkout."""

import tarfile
from collections.abc import Callable
from pathlib import Path

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

import tomllib
from pathlib import Path

import pytest

from tests.house.source import ROOT
from tests.mutants.workshop import Round, configured, furnish, rounds

PYPROJECT = (ROOT / "pyproject.toml").read_text()


def a_round(folder: Path) -> Round:
    return Round("decisions", {"only_mutate": ["actors/rules/*.py"], "max_stack_depth": 3}, folder)


def test_each_round_is_of_modules_that_exist() -> None:
    """A module that was renamed would be left out without a word."""
    for place in rounds(PYPROJECT):
        patterns = place.settings["only_mutate"]
        assert isinstance(patterns, list)
        assert [pattern for pattern in patterns if not list(ROOT.glob(pattern))] == []


def test_what_survives_is_tried_by_a_round_that_covers_the_others() -> None:
    *others, last = rounds(PYPROJECT)

    assert last.only_survivors
    assert sorted(last.modules()) == sorted(module for place in others for module in place.modules())


@pytest.mark.parametrize(
    ("pattern", "concerned"),
    [
        ("actors.rules.trade*", True),
        ("actors.rules.fees*", True),
        ("actors.rules.fees.x_fee__mutmut_1*", True),
        ("bus.relay*", False),
    ],
)
def test_a_pattern_concerns_the_round_of_its_modules(pattern: str, concerned: bool, tmp_path: Path) -> None:
    assert a_round(tmp_path).concerns(pattern) is concerned


def test_a_copy_has_the_rounds_settings_and_everything_else_as_it_stands() -> None:
    copy = tomllib.loads(configured(PYPROJECT, {"only_mutate": ["bus/*.py"]}))
    house = tomllib.loads(PYPROJECT)

    assert copy["tool"].pop("mutmut") == {"only_mutate": ["bus/*.py"]}
    del house["tool"]["mutmut"]
    assert copy == house


def test_a_copy_loses_what_the_house_no_longer_has_and_keeps_what_did_not_change(tmp_path: Path) -> None:
    place = a_round(tmp_path)
    furnish(place)
    kept, gone, left = (
        tmp_path / "actors/rules/fees.py",
        tmp_path / "actors/gone.py",
        tmp_path / "mutants/actors/gone.py.meta",
    )
    written_ns = kept.stat().st_mtime_ns
    left.parent.mkdir(parents=True)
    for path in (gone, left):
        path.write_text("")

    furnish(place)

    assert kept.stat().st_mtime_ns == written_ns
    assert (gone.exists(), left.exists()) == (False, False)

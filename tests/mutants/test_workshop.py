import tomllib

import pytest

from tests.house.source import ROOT
from tests.mutants.workshop import Room, configured, rooms

PYPROJECT = (ROOT / "pyproject.toml").read_text()
FEES = Room("actors/rules", ("actors/rules/fees.py", "actors/rules/pulse.py"), ("tests/rules",))


def test_each_pattern_means_modules_that_exist() -> None:
    """A module that was renamed would be left out without a word."""
    patterns = [name for kind in tomllib.loads(PYPROJECT)["tool"]["mutmut"]["rooms"] for name in kind["only_mutate"]]

    assert [pattern for pattern in patterns if not list(ROOT.glob(pattern))] == []


def test_every_decision_is_in_a_room_and_in_one_only() -> None:
    found = [module for room in rooms(PYPROJECT) for module in room.modules]
    decisions = [path.relative_to(ROOT).as_posix() for path in (ROOT / "actors/rules").rglob("*.py")]

    assert len(set(found)) == len(found)
    assert set(decisions) <= set(found)


@pytest.mark.parametrize(
    ("pattern", "concerned"),
    [
        ("actors", True),
        ("actors/rules", True),
        ("actors/rules/*.py", True),
        ("actors/*.py", False),
        ("actors/rules/trade", False),
        ("actors.rules.fees.*", True),
        ("actors.rules.fees.x_fee__mutmut_1", True),
        ("actors.rules.catalog.*", False),
        ("bus/relay.py", False),
    ],
)
def test_a_pattern_means_a_room_a_room_around_it_or_mutants_in_it(pattern: str, concerned: bool) -> None:
    assert FEES.concerns(pattern) is concerned


def test_a_copy_mutates_its_rooms_modules_and_is_else_as_the_house_stands() -> None:
    copy = tomllib.loads(configured(PYPROJECT, FEES.modules))
    house = tomllib.loads(PYPROJECT)
    del house["tool"]["mutmut"]["rooms"]

    assert copy["tool"]["mutmut"].pop("only_mutate") == list(FEES.modules)
    assert copy == house

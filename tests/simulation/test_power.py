"""The oracles have not gone blind: a few of the planted bugs are caught as soon as ever. `make simulate-power` hunts for all."""

import pytest

from tests.simulation.power import BUGS, hunt

SEEDS = 40
QUICK = [
    "acknowledge before commit",
    "no inbox key",
    "outbox row without state",
    "state without outbox row",
    "report deduplicated by its order's id",
    "unknown treated as rejected",
    "fees of the ticker",
    "close exceeding the position",
    "paper order to a live venue",
    "restart intensity not counted",
    "poison blocks the queue",
    "journal not chained",
]


@pytest.mark.parametrize("name", QUICK)
def test_a_planted_bug_is_caught_within_a_few_seeds(name: str) -> None:
    assert hunt(name, SEEDS).seed


@pytest.mark.parametrize("name", list(BUGS))
def test_every_bug_can_be_planted_and_is_gone_afterwards(name: str) -> None:
    """A bug whose function was renamed would be hunted in vain."""
    with BUGS[name].plant().planted():
        pass

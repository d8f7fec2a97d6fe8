"""Many floods, and long ones: decisions as with every tick, and no more held than the inputs are."""

from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.rules.folding.fold import Fold
from actors.rules.folding.known import Known
from tests.rules.folding.builders import INPUTS, Flood, Stops, Walk, both

SEEDS: Final = st.integers(0, 2**32)
FLOODS: Final = st.builds(
    Flood,
    seed=SEEDS,
    inputs=st.sampled_from(("one market", *INPUTS)),
    moves=st.sampled_from((0.1, 0.5, 1)),
    blinks=st.sampled_from((0, 0.1, 0.4)),
    counts=st.lists(st.integers(1, 5) | st.integers(1, 30) | st.integers(1, 80), min_size=1, max_size=8),
    crosses=st.booleans(),
    stays=st.sampled_from((0, 0.3, 0.8)),
    late_s=st.sampled_from((0, 0, 3)),
)
THINS: Final = st.sampled_from((1, 7, 50))


@settings(max_examples=120, deadline=None, database=None)
@given(SEEDS, FLOODS, THINS)
def test_a_folded_flood_decides_as_every_tick_would_have_decided(seed: int, flood: Flood, thin_each: int) -> None:
    """Fault 40: the same trades, by the same rules; the same counts and bests; the same markets: values, crossed books, feeds, since when."""
    seen, after = both(seed, flood, thin_each)

    assert (after.fired, after.counted, after.markets) == (seen.fired, seen.counted, seen.markets)


@pytest.mark.parametrize("inputs", INPUTS)
def test_what_a_fold_holds_is_bounded_by_its_inputs_not_by_its_ticks(inputs: str) -> None:
    """Fault 40, S11"""
    walk, fold, held = Walk(Flood(1, inputs, 1, 0.1, ())), Fold(Stops(1).terms, 1000, Known()), []
    for word in walk.reads(20_000):
        fold.add(word)
        held.append(fold.held)

    assert max(held[1000:]) <= max(held[:1000]) <= 2000
    assert fold.held + fold.folded == sum(len(word.batch) for word in Walk(Flood(1, inputs, 1, 0.1, ())).reads(20_000))

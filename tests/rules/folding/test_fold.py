"""What a fold says in the place of all that came: parts of it in their order, and what decides as every tick would have."""

import pytest

from actors.rules.folding.fold import Fold
from actors.rules.folding.known import Known
from actors.rules.folding.terms import FoldTerms, touched
from actors.rules.stops.engine import StopEngine
from bus.messages.market import Part, Ticks
from bus.messages.stops import StopFired
from tests.rules.folding.builders import Flood, Outcome, Stops, Walk, both, folded
from tests.rules.stops.builders import a_quote, a_trade, at, stop


@pytest.mark.parametrize(
    ("seed", "flood"),
    [
        (6, Flood(0, "all inputs", 1, 0, (18,), late_s=3)),
        (0, Flood(459, "all inputs", 0.5, 0, (3,), late_s=3)),
        (2447370757, Flood(2755155085, "all inputs", 1, 0.4, (5,), late_s=3)),
        (4023303485, Flood(3206984639, "all inputs", 1, 0, (3,), late_s=3)),
        (2943917821, Flood(1623357655, "all inputs", 1, 0.4, (5,), late_s=3)),
    ],
)
def test_a_word_of_a_feed_lets_look_at_what_stood_before_the_fold_and_at_no_witness(seed: int, flood: Flood) -> None:
    """Fault 40: a beat within a fold lets look again; the tick that stood then may be gone."""
    seen, after = both(seed, flood, 1)

    assert after.fired == seen.fired


def test_few_ticks_stay_as_they_came() -> None:
    words = Walk(Flood(1, "all inputs", 1, 0, ())).reads(30)

    assert folded(Stops(1), words, most=1000) == words


def test_ticks_of_a_fold_keep_their_order_and_their_instants() -> None:
    words = Walk(Flood(1, "all inputs", 1, 0, ())).reads(300)
    came = [(id(tick), word.received_ns) for word in words for tick in word.batch]

    left = [(id(tick), word.received_ns) for word in folded(Stops(1), words) for tick in word.batch]

    assert left == [each for each in came if each in set(left)]


def test_history_within_a_flood_fires_nothing() -> None:
    """Fault 33: it raises bests and ends counts, and is no price to answer."""
    old = Ticks(batch=(a_quote(1, "0.20", "0.21"), a_quote(9, "0.50", "0.51")), received_ns=at(10))

    after = Outcome(Stops(1), folded(Stops(1), [old]))

    assert after.fired == Outcome(Stops(1), [old]).fired


def test_a_bad_quote_in_a_flood_still_marks_its_feed() -> None:
    """Fault 34"""
    bad = [a_quote(1 + step / 100, "40", "41") for step in range(100)]
    words = [
        Ticks(batch=(each, a_quote(1 + number / 100, "0.5", "0.51")), received_ns=each.ts)
        for number, each in enumerate(bad)
    ]

    [(_, _, mark)] = [feed for feed in Outcome(Stops(1), folded(Stops(1), words)).markets[2] if feed[0] == "kalshi"]

    assert mark == "unit_suspect"


def test_a_fold_ends_where_its_last_tick_is() -> None:
    """What adds several inputs up, such as an account's equity, is judged there and not before."""
    words = Walk(Flood(1, "two markets", 1, 0, ())).reads(300)

    fold = Fold(Stops(1).terms, 0, Known())
    for word in words:
        fold.add(word)
    fold.thin()
    *parts, end = fold.words()

    assert end == Ticks(batch=(), received_ns=words[-1].received_ns, part=Part.END)
    assert {word.part for word in parts if isinstance(word, Ticks)} <= {Part.KEPT, Part.WITNESS}


def test_what_comes_after_a_trade_s_word_is_kept_for_it_alone() -> None:
    """Fault 40: what its stop is crossed by after it was armed is told after it, though it was crossed deeper before."""
    trade = a_trade(stop("price", stop_price="0.45", confirm_ticks=1))
    before, after = (
        Walk(Flood(1, "one market", 1, 0, ())).reads(300),
        Walk(Flood(1, "one market", 1, 0, ())).reads(600)[300:],
    )
    fold = Fold(FoldTerms(), 0, Known())
    engine = StopEngine()
    for word in before:
        fold.add(word)
    fold.interpose(trade, touched(trade))
    for word in after:
        fold.add(word)

    said = [each for word in fold.words() for each in engine.handle(word)]

    assert [each.decision.trade_id for each in said if isinstance(each, StopFired)] == ["t1"]


def test_a_trade_that_comes_within_a_flood_is_folded_for_by_what_its_own_stop_asks() -> None:
    """Fault 40: nobody else wants three ticks to confirm."""
    trade = a_trade(stop("price", stop_price="0.45", confirm_ticks=3))
    fold, engine = Fold(FoldTerms(), 0, Known()), StopEngine()
    fold.interpose(trade, touched(trade))
    for word in Walk(Flood(1, "one market", 1, 0, ())).reads(300):
        fold.add(word)

    said = [each for word in fold.words() for each in engine.handle(word)]

    assert [each.decision.trade_id for each in said if isinstance(each, StopFired)] == ["t1"]


def test_what_is_older_than_a_tick_from_before_the_flood_is_not_kept_for_others() -> None:
    """Fault 40: the book drops it, so the ticks that follow decide alone."""
    known, newest = Known(), a_quote(5, "0.50", "0.51")
    known.takes(newest, newest.ts)
    old = [a_quote(1 + step / 100, "0.20", "0.21") for step in range(100)]
    new = [a_quote(6 + step / 100, "0.44", "0.45") for step in range(100)]

    words = folded(Stops(1), [Ticks(batch=(each,), received_ns=at(9)) for each in (*old, *new)], known=known)

    assert {tick.ts for word in words for tick in word.batch} <= {each.ts for each in new}

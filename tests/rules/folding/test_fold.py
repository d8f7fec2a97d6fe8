"""What a fold says in the place of all that came: parts of it in their order, and what decides as every tick would have."""

from collections.abc import Sequence

import pytest

from actors.rules.folding.fold import Fold
from actors.rules.folding.known import Known
from actors.rules.folding.terms import FoldTerms, touched
from actors.rules.stops.engine import StopEngine
from bus.messages.market import Part, SpotPrice, Tick, Ticks
from bus.messages.stops import StopFired
from tests.rules.folding.builders import Flood, Outcome, Stops, Walk, both, folded
from tests.rules.stops.builders import a_beat, a_coin_quote, a_momentum, a_price, a_quote, a_trade, at, stop


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


def a_fold(most: int = 0, terms: FoldTerms | None = None) -> Fold:
    return Fold(terms or FoldTerms(), most, Known())


def a_read(*ticks: Tick, part: Part = Part.KEPT) -> Ticks:
    return Ticks(batch=ticks, received_ns=ticks[-1].ts, part=part)


def reads(*values: int, since_s: int = 1) -> list[Ticks]:
    """Return reads of a price, one each second."""
    return [a_read(a_price(second, value)) for second, value in enumerate(values, since_s)]


def in_short(words: Sequence[object]) -> list[object]:
    """Return, for each read, its part and its prices; any other word as it is."""
    return [
        (word.part, *(int(tick.price) for tick in word.batch if isinstance(tick, SpotPrice)))
        if isinstance(word, Ticks)
        else word
        for word in words
    ]


def test_more_than_so_many_ticks_are_parted_and_no_fewer() -> None:
    fold, words = a_fold(most=2), reads(50, 51, 52)
    for word in words[:2]:
        fold.add(word)
    whole = fold.words()
    fold.add(words[2])

    assert whole == words[:2]
    assert fold.words() == [*words, Ticks(batch=(), received_ns=at(3), part=Part.END)]


def test_what_is_dropped_and_what_is_held_is_counted() -> None:
    fold = a_fold()
    for word in reads(60, 40, *(50, 51) * 20, 50):
        fold.add(word)
    before = (fold.held, fold.folded)

    fold.thin()

    assert (before, fold.held, fold.folded) == ((43, 0), 4, 39)


def test_a_path_is_thinned_out_by_itself_once_it_is_long() -> None:
    fold, held = a_fold(), []
    for word in reads(60, 40, *(50, 51) * 30):
        fold.add(word)
        held.append(fold.held)

    assert held[59:] == [60, 4, 5]


def test_what_stands_in_one_read_stays_in_one() -> None:
    fold = a_fold()
    fold.add(a_read(a_price(1, 50), a_momentum(1, 2), a_price(2, 40)))
    fold.add(a_read(a_price(3, 60), a_price(4, 50)))

    fold.thin()

    *words, end = fold.words()
    assert [(word.batch, word.received_ns) for word in words if isinstance(word, Ticks)] == [
        ((a_price(1, 50), a_momentum(1, 2), a_price(2, 40)), at(2)),
        ((a_price(3, 60), a_price(4, 50)), at(4)),
    ]
    assert end == Ticks(batch=(), received_ns=at(4), part=Part.END)


def test_a_beat_stands_last_in_its_read() -> None:
    fold = a_fold()
    fold.add(a_read(a_beat(1), a_price(1, 50)))

    [first, _] = fold.words()

    assert first == a_read(a_price(1, 50), a_beat(1))


def test_a_word_keeps_its_place_among_the_ticks_that_it_is_about() -> None:
    """Fault 40: a path is parted where a trade's word stands, so that no tick before it speaks for one behind it."""
    fold, mine = a_fold(), [(SpotPrice, "BTC")]
    for word in reads(50, 40, 45, 45):
        fold.add(word)
    fold.interpose("a word", mine)
    for word in reads(50, 42, 45, 45, since_s=5):
        fold.add(word)

    fold.thin()

    kept = Part.KEPT
    assert in_short(fold.words()) == [
        *((kept, 50), (kept, 40), (kept, 45), (kept, 45), "a word"),
        *((kept, 50), (kept, 42), (kept, 45), (kept, 45), (Part.END,)),
    ]


def test_a_word_about_other_inputs_parts_nothing() -> None:
    fold = a_fold()
    for word in reads(*(50, 51) * 15):
        fold.add(word)
    fold.interpose("a word", [(SpotPrice, "ETH")])
    for word in reads(*(50, 51) * 15, 51, since_s=31):
        fold.add(word)

    assert fold.folded == 61 - fold.held > 50


def test_words_stay_among_few_ticks_where_they_stood() -> None:
    fold, words = a_fold(most=9), reads(50, 51)
    fold.add(words[0])
    fold.interpose("a word", [])
    fold.add(words[1])

    assert fold.words() == [words[0], "a word", words[1]]


def test_a_word_that_came_before_there_were_too_many_ticks_parts_their_path_too() -> None:
    fold = a_fold(most=4)
    for word in reads(50, 40, 45):
        fold.add(word)
    fold.interpose("a word", [(SpotPrice, "BTC")])
    for word in reads(50, 42, since_s=4):
        fold.add(word)

    fold.thin()

    assert [word for word in in_short(fold.words()) if word == "a word" or 42 in tuple(word)] == [  # type: ignore[arg-type]  # a part and prices
        "a word",
        (Part.KEPT, 42),
    ]


def test_what_is_history_counts_and_fires_nothing() -> None:
    """Fault 33"""
    fold = a_fold()
    fold.add(a_read(a_price(1, 50), a_price(2, 40), part=Part.PAST))
    fold.add(a_read(a_price(3, 45)))

    assert in_short(fold.words()) == [(Part.COUNTED, 50, 40), (Part.KEPT, 45), (Part.END,)]


def test_bad_ticks_are_a_path_of_their_own() -> None:
    """Fault 34: they neither end counts nor are they lost."""
    fold = a_fold()
    for second in range(1, 6):
        fold.add(a_read(a_price(second, -second), a_price(second, 50)))

    fold.thin()

    bad = [
        -int(tick.price)
        for word in fold.words()
        if isinstance(word, Ticks)
        for tick in word.batch
        if isinstance(tick, SpotPrice) and tick.price < 0
    ]
    assert bad == [3, 4, 5]


def test_since_when_a_book_is_crossed_stays_known() -> None:
    """Fault 31: it counts once it has stood, and not only from the last tick of the fold on."""
    fold = a_fold()
    for second, ask in enumerate(("101", "101", *["99"] * 20), 1):
        fold.add(a_read(a_coin_quote(second, "100", ask)))

    fold.thin()

    since = [tick.ts for word in fold.words() if isinstance(word, Ticks) for tick in word.batch]
    assert since == [at(1), at(2), at(3), at(22)]

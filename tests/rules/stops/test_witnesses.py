"""A tick that stands for others of a folded flood: bests follow it and counts may end by it, nothing counts or fires (Fault 40)."""

from decimal import Decimal

from bus.messages.market import Part, Tick, Ticks
from tests.rules.stops.builders import Watch, a_quote, at, stop, watching

D = Decimal
CONFIRMED = stop("price", stop_price="0.25", confirm_ticks=2)


def fold(watch: Watch, seconds: float, *ticks: Tick) -> Watch:
    """Let ticks stand for others of a flood, which ends with them."""
    watch.hear(Ticks(batch=ticks, received_ns=at(seconds), part=Part.WITNESS))
    watch.hear(Ticks(batch=(), received_ns=at(seconds), part=Part.END))
    return watch


def test_a_witness_fires_nothing() -> None:
    watch = watching(stop("price", stop_price="0.25")).tick(a_quote(1, "0.60", "0.62"))

    assert fold(watch, 2, a_quote(1.5, "0.20", "0.24"), a_quote(2, "0.60", "0.62")).fired == []


def test_a_witness_counts_nothing() -> None:
    watch = watching(CONFIRMED).tick(a_quote(1, "0.20", "0.24"))

    assert fold(watch, 2, a_quote(1.5, "0.20", "0.24")).fired == []


def test_a_witness_that_denies_ends_a_count_and_that_is_kept() -> None:
    watch = watching(CONFIRMED).tick(a_quote(1, "0.20", "0.24")).wait(1.5)

    fold(watch, 2, a_quote(1.9, "0.60", "0.62")).tick(a_quote(2.1, "0.20", "0.24")).wait(3)

    assert watch.fired == []
    assert [(kept.confirms, kept.counted) for kept in watch.progress] == [
        (1, {"quote": at(1)}),
        (1, {"quote": at(2.1)}),
    ]


def test_a_witness_that_denies_ends_a_dwell() -> None:
    watch = watching(stop("price", stop_price="0.25", dwell_s=3)).tick(a_quote(1, "0.20", "0.24"))

    fold(watch, 2, a_quote(1.9, "0.60", "0.62")).tick(a_quote(2, "0.20", "0.24")).wait(9)

    assert [fired.now_ns for fired in watch.fired] == [at(5)]


def test_a_best_follows_a_witness() -> None:
    watch = watching(stop("trailing", trail="0.10")).tick(a_quote(1, "0.60", "0.62"))

    fold(watch, 2, a_quote(1.5, "0.80", "0.82")).tick(a_quote(3, "0.70", "0.72"))

    assert [fired.decision.inputs["best"].value for fired in watch.fired] == [D("0.80")]

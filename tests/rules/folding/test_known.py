"""What the book will know when it comes to a tick that waits."""

from actors.rules.folding.known import Known
from tests.rules.stops.builders import COIN, TICKER, a_coin_quote, a_price, a_quote, at


def test_a_tick_that_is_older_than_the_newest_of_its_input_is_dropped() -> None:
    known = Known()

    taken = [known.takes(a_price(second, "5"), at(9)) for second in (2, 2, 1, 3)]

    assert taken == [True, True, False, True]


def test_each_input_has_its_own_newest_instant() -> None:
    known = Known()
    known.takes(a_price(5, "5"), at(9))

    assert known.takes(a_price(1, "5", symbol="ETH"), at(9))
    assert known.takes(a_quote(1, "0.50", "0.51"), at(9))


def test_a_tick_that_the_book_rejects_makes_no_other_old() -> None:
    known = Known()

    assert not known.takes(a_price(5, "-1"), at(9))
    assert known.takes(a_price(1, "5"), at(9))


def test_a_book_is_crossed_since_the_first_tick_of_which_it_was_and_is_still() -> None:
    known, since = Known(), []

    for second, ask in enumerate(("0.51", "0.49", "0.48", "0.51", "0.49"), 1):
        known.takes(a_quote(second, "0.50", ask), at(9))
        since.append(known.crossed_ts(TICKER))

    assert since == [0, at(2), at(2), 0, at(5)]


def test_one_crossed_book_is_not_another() -> None:
    known = Known()
    known.takes(a_quote(1, "0.50", "0.49"), at(9))
    known.takes(a_coin_quote(2, "101", "100"), at(9))
    known.takes(a_quote(3, "0.50", "0.51"), at(9))

    assert (known.crossed_ts(TICKER), known.crossed_ts(COIN)) == (0, at(2))

"""Up to which sequence everything has had its effect."""

from hypothesis import given
from hypothesis import strategies as st

from actors.rules.record.places import Places
from bus.messages.records import Place
from bus.messages.units import NS_PER_S


def heard(*sequences: int, known: int = 0) -> Places:
    places = Places({"ORDERS": Place(reached=known)})
    for sequence in sequences:
        places.heard("ORDERS", sequence)
    return places


def test_nothing_is_reached_before_the_first_input_is_settled() -> None:
    assert heard(5, 6, known=4).reached() == {"ORDERS": 4}


def test_the_newest_settled_input_does_not_count_while_an_older_one_waits() -> None:
    """Fault 7: a fold by the highest sequence would lose the older one."""
    places = heard(5, 6, 7)
    places.settled("ORDERS", 5)
    places.settled("ORDERS", 7)

    assert places.reached() == {"ORDERS": 5}


def test_an_order_of_ours_in_front_of_an_unsettled_input_is_not_reached() -> None:
    """K19, Fault 7: the order at 4 may have lost its record with its process; only the next settled input proves that it stands."""
    places = heard(3, 5)
    places.settled("ORDERS", 3)

    assert places.reached() == {"ORDERS": 3}


def test_an_order_of_a_trade_that_is_not_on_record_is_passed_once_it_has_its_row() -> None:
    """S10, Fault 18: its trade may be born again in the life after the next."""
    places = heard(4, 5)
    places.awaited("ORDERS", 3, "t1-close-1")
    for sequence in (4, 5):
        places.settled("ORDERS", sequence)
    before = places.reached()

    places.stands("t1-close-1")

    assert (before, places.reached()) == ({"ORDERS": 0}, {"ORDERS": 5})


def test_once_all_are_settled_the_last_one_heard_is_reached() -> None:
    places = heard(5, 9)
    for sequence in (9, 5):
        places.settled("ORDERS", sequence)

    assert places.reached() == {"ORDERS": 9}


def test_a_redelivery_takes_nothing_back() -> None:
    places = heard(5, 6)
    for sequence in (5, 6):
        places.settled("ORDERS", sequence)
    places.reached()

    places.heard("ORDERS", 5)

    assert places.reached() == {"ORDERS": 6}


def test_what_is_reached_takes_no_room_any_more() -> None:
    """A million inputs are behind it by the evening."""
    places = heard(*range(1, 1001))
    for sequence in range(1, 1001):
        places.settled("ORDERS", sequence)

    places.reached()

    assert (places._outstanding, places._settled) == ({"ORDERS": {}}, {"ORDERS": set()})


def test_streams_do_not_wait_for_each_other() -> None:
    places = heard(5)
    places.heard("LEDGER", 3)
    places.settled("LEDGER", 3)

    assert places.reached() == {"ORDERS": 0, "LEDGER": 3}


def test_what_moved_is_noted_once_in_a_second_at_most() -> None:
    places = heard(5)
    places.settled("ORDERS", 5)
    places.noted(places.to_note(10 * NS_PER_S), 10 * NS_PER_S)
    places.heard("ORDERS", 6)
    places.settled("ORDERS", 6)

    assert places.to_note(10 * NS_PER_S + 1) == {}
    assert places.to_note(11 * NS_PER_S) == {"ORDERS": 6}


def test_what_has_not_moved_is_not_noted() -> None:
    assert heard(5, known=4).to_note(10 * NS_PER_S) == {}


@given(st.lists(st.integers(1, 40), unique=True, min_size=1).map(sorted), st.data())
def test_everything_up_to_what_is_reached_has_been_settled(sequences: list[int], data: st.DataObject) -> None:
    settled = data.draw(st.lists(st.sampled_from(sequences), unique=True))
    places = heard(*sequences)
    for sequence in settled:
        places.settled("ORDERS", sequence)

    reached = places.reached()["ORDERS"]

    assert {sequence for sequence in sequences if sequence <= reached} <= set(settled)

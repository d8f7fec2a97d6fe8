"""A transaction waits for ORDERS while a close is on its way there, a few milliseconds at most."""

from actors.rules.record.orders_first import WAIT_NS, OrdersFirst
from actors.rules.record.outage import OWNER, RETRY, RETRY_NS, SAID_AFTER_NS, Outage
from actors.rules.record.places import Places, unsettled
from bus.messages.envelope import Delivery
from bus.messages.records import OrdersTail, Place, RecordAway
from bus.messages.timers import SetTimer
from tests.rules.desk.builders import T0, a_command, a_desk, a_fired, a_report, an_open, commit_of, opened, received
from tests.rules.readable import readable

CLOSING = commit_of(opened(a_desk()).handle(a_fired()))
OPENING = commit_of(a_desk().handle(received(an_open())))
CLOSE = "submit:t1-close-1"
TIMER = SetTimer(owner="database", key="orders_first", due_ns=T0 + WAIT_NS)


def test_a_close_that_orders_may_not_have_is_waited_for() -> None:
    first = OrdersFirst()

    assert (first.hear(CLOSING, set(), T0), bool(first)) == ([TIMER], True)


def test_an_entry_that_waits_for_its_commit_is_not() -> None:
    first = OrdersFirst()

    assert (first.hear(OPENING, set(), T0), bool(first)) == ([], False)


def test_a_close_that_orders_has_already_is_not() -> None:
    first = OrdersFirst()

    assert (first.hear(CLOSING, {CLOSE}, T0), bool(first)) == ([], False)


def test_the_wait_ends_once_orders_has_it() -> None:
    first = OrdersFirst()
    first.hear(CLOSING, set(), T0)

    first.order_stored(CLOSE)

    assert not first


def test_the_wait_ends_when_it_has_taken_long_enough() -> None:
    first = OrdersFirst()
    first.hear(CLOSING, set(), T0)

    first.give_up()

    assert not first


def test_a_second_close_lengthens_no_wait() -> None:
    other = commit_of(opened(a_desk(), an_open("t2")).handle(a_fired("t2")))
    first = OrdersFirst()
    first.hear(CLOSING, set(), T0)

    timers = first.hear(other, set(), T0 + 1)
    first.order_stored("submit:t2-close-1")

    assert (timers, bool(first)) == ([], True)


# An outage, and what of the end of ORDERS is still to be heard


def test_what_was_not_taken_is_tried_again_in_a_moment() -> None:
    said = readable(Outage().failed("refused", 3, T0))

    assert said == [SetTimer(owner=OWNER, key=RETRY, due_ns=T0 + RETRY_NS), RecordAway(error="refused", now_ns=T0)]


def test_an_outage_that_is_told_is_tried_again_all_the_same() -> None:
    outage = Outage()
    outage.failed("refused", 3, T0)

    said = readable(outage.failed("refused", 3, T0 + SAID_AFTER_NS))

    assert said[0] == SetTimer(owner=OWNER, key=RETRY, due_ns=T0 + SAID_AFTER_NS + RETRY_NS)
    assert len(said) > 1
    assert len(readable(outage.caught_up(T0 + 9 * SAID_AFTER_NS))) > 1


def test_a_report_that_has_had_its_effect_is_not_heard_again() -> None:
    """Fault 7: up to the place all are settled, and behind it some."""
    reports = tuple(
        a_command(a_report(), subject="order.report.t1-entry-1") for _ in range(4)
    )  # fmt: skip
    at = [
        type(report)(
            **{name: getattr(report, name) for name in report.__struct_fields__}
            | {"delivery": Delivery(stream=stream, sequence=sequence, token="t")}
        )
        for report, (stream, sequence) in zip(
            reports, [("ORDERS", 4), ("ORDERS", 5), ("ORDERS", 7), ("X", 1)], strict=True
        )
    ]

    left = unsettled(OrdersTail(reports=tuple(at), last=7), {"ORDERS": Place(reached=4, beyond=frozenset({7}))})

    assert left == OrdersTail(reports=(at[1], at[3]), last=7)


def test_what_is_on_record_of_a_place_is_what_was_noted_last() -> None:
    places = Places({"ORDERS": Place(reached=4)})
    places.heard("LEDGER", 9)
    places.settled("LEDGER", 9)
    before = places.on_record()

    places.noted(places.to_note(T0), T0)

    assert (before, places.on_record()) == ({"ORDERS": 4}, {"ORDERS": 4, "LEDGER": 9})


def test_what_nobody_heard_may_settle() -> None:
    places = Places()
    places.settled("ORDERS", 3)

    assert places.reached() == {}

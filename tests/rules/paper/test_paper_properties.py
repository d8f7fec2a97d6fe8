"""Whatever comes in whatever order: fills never exceed orders or positions, and saying a thing again changes nothing."""

from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actors.rules.paper.faults import Fault, Faults
from bus.messages.orders import OrderCancel, OrderSubmit, ReportStatus, VenueOrdersRequest
from bus.messages.trades import Purpose
from tests.rules.paper.builders import LATENCY_NS, MS, D, Venue, a_cancel, a_close, an_order

CALM = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""The machine may be busy."""
PRICES = st.integers(1, 99).map(lambda cents: str(D(cents) / 100))
SIZES = st.one_of(st.none(), st.integers(0, 30).map(str))
QUOTES = st.tuples(st.just("quote"), PRICES, SIZES)
ORDERS = st.tuples(
    st.just("order"), st.sampled_from(["entry", "close"]), st.integers(1, 6), st.integers(1, 20), PRICES, st.booleans()
)
CANCELS = st.tuples(st.just("cancel"), st.sampled_from(["entry", "close"]), st.integers(1, 6))
WAITS = st.tuples(st.just("wait"), st.integers(0, 200))
STORIES = st.lists(st.one_of(QUOTES, ORDERS, CANCELS, WAITS), max_size=25)
FAULTS = st.sampled_from([None, Fault.PARTIAL, Fault.DUPLICATE, Fault.REJECT])


def submit_of(purpose: str, attempt: int, quantity: int, limit: str, *, rests: bool, ts: int) -> OrderSubmit:
    build = an_order if purpose == "entry" else a_close
    return build(
        attempt=attempt,
        quantity=D(quantity),
        limit_price=D(limit),
        time_in_force="gtc" if rests else "ioc",
        ts=ts,
    )


def tell(venue: Venue, story: list[tuple[object, ...]], *, twice: bool = False) -> dict[str, OrderSubmit]:
    """Run `story`; where `twice`, everything that comes through ORDERS is delivered again at once. Return the first of each id."""
    orders: dict[str, OrderSubmit] = {}
    for step in story:
        word: OrderSubmit | OrderCancel
        match step:
            case ("quote", str(bid), size):
                sizes = {} if size is None else {"yes_bid_size": str(size), "yes_ask_size": str(size)}
                venue.quote(yes_bid=bid, yes_ask=str(min(D(bid) + D("0.02"), D("0.995"))), **sizes)
                continue
            case ("wait", int(ms)):
                venue.at(venue.now_ns + ms * MS)
                continue
            case ("order", str(purpose), int(attempt), int(quantity), str(limit), bool(rests)):
                word = submit_of(purpose, attempt, quantity, limit, rests=rests, ts=venue.now_ns)
                orders.setdefault(word.client_order_id, word)
            case ("cancel", str(purpose), int(attempt)):
                word = a_cancel(submit_of(purpose, attempt, 1, "0.5", rests=False, ts=venue.now_ns))
            case _:
                raise AssertionError(step)
        for _ in range(1 + twice):
            venue.order(word)
    venue.at(venue.now_ns + LATENCY_NS)
    return orders


def filled(venue: Venue, purpose: Purpose) -> Decimal:
    fills = venue.book.fills(VenueOrdersRequest(account="acc")).fills
    return sum((fill.quantity for fill in fills if f"-{purpose}-" in (fill.client_order_id or "")), D(0))


@CALM
@given(STORIES, FAULTS)
def test_the_fills_of_an_order_never_exceed_it(story: list[tuple[object, ...]], fault: Fault | None) -> None:
    """Fault 29; S1"""
    venue = Venue(faults=Faults(every={} if fault is None else {fault: 2}))

    orders = tell(venue, story)

    for name, order in orders.items():
        assert sum((quantity for _, quantity in venue.fills(name)), D(0)) <= order.quantity


@CALM
@given(STORIES)
def test_closes_never_take_more_than_entries_brought(story: list[tuple[object, ...]]) -> None:
    """S2: closed quantity <= opened quantity, and the position is the sum of the fills."""
    venue = Venue()

    tell(venue, story)

    assert D(0) <= venue.position() == filled(venue, Purpose.ENTRY) - filled(venue, Purpose.CLOSE)


@CALM
@given(STORIES)
def test_delivering_everything_twice_changes_nothing(story: list[tuple[object, ...]]) -> None:
    """Faults 4 and 24"""
    once, twice = Venue(), Venue()

    tell(once, story)
    tell(twice, story, twice=True)

    ask = VenueOrdersRequest(account="acc")
    assert once.book.orders(ask) == twice.book.orders(ask)
    assert once.book.fills(ask) == twice.book.fills(ask)


@CALM
@given(STORIES)
def test_a_limit_is_kept_by_every_fill(story: list[tuple[object, ...]]) -> None:
    venue = Venue()

    orders = tell(venue, story)

    for name, order in orders.items():
        assert order.limit_price is not None
        for price, _ in venue.fills(name):
            assert price <= order.limit_price if order.purpose is Purpose.ENTRY else price >= order.limit_price


@CALM
@given(STORIES)
def test_nothing_follows_the_end_of_an_order(story: list[tuple[object, ...]]) -> None:
    venue = Venue()
    ends = {ReportStatus.FILLED, ReportStatus.CANCELLED, ReportStatus.EXPIRED, ReportStatus.REJECTED}

    tell(venue, story)

    for order in venue.book._state.orders.values():
        assert not any(report.status in ends for report in order.reports[:-1])


@CALM
@given(STORIES)
def test_a_venue_restored_from_its_stream_answers_as_before(story: list[tuple[object, ...]]) -> None:
    """Fault 8: recovery says what was said."""
    before = Venue()
    orders = tell(before, story)
    stream = [word for name, word in orders.items() if before.statuses(name)]
    after = Venue()

    after.book.restore([*stream, *before.reports], [], before.now_ns)

    for order in stream:
        ask = VenueOrdersRequest(account="acc", client_order_id=order.client_order_id)
        assert after.book.fills(ask) == before.book.fills(ask)

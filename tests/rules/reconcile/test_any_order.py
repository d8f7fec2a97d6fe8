"""Whatever is lost, doubled or late between the desk and the venue: in the end the trade is what the venue's own record says."""

from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bus.messages.trades import AttemptState, Purpose, Trade, TradeState
from bus.messages.units import ZERO
from tests.rules.desk.builders import a_fired
from tests.rules.reconcile.world import PRICE, World

MANY = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def lived(seed: int, *, by_hand: bool, stops: bool, tells: bool = True) -> World:
    """Open a trade in a bad world, close it by hand or by a stop or both, then let the world be good for ten minutes."""
    world = World(seed).opens()
    world.passes(world.chance.uniform(0, 40))
    if stops:
        world.hear(a_fired())
    world.passes(world.chance.uniform(0, 10))
    if by_hand and world.venue.held:
        world.venue.close_by_hand(Decimal(world.chance.randint(1, int(world.venue.held))), world.now_ns, tells=tells)
    world.passes(world.chance.uniform(0, 30))
    world.heals().passes(600)
    return world


def check(world: World) -> Trade | None:
    """S1, S2, S3, S8: compare what is booked with what happened; return the trade, if there is one."""
    trade = world.trades.get("t1")
    assert len(world.booked) == len(set(world.booked)), "a fill is booked once"
    assert len({close.client_order_id for close in world.closes}) == len(world.closes), "an order is sent once"
    if trade is None:
        assert world.venue.fills == []
        return None
    assert sum((t.open_quantity for t in world.trades.values() if not t.state.is_terminal), ZERO) == world.venue.held
    for attempt in trade.attempts:
        known = world.venue.orders.get(attempt.client_order_id)
        if attempt.state is AttemptState.DEAD:
            assert attempt.filled == (known.cumulative_quantity if known else ZERO), "only evidence ends an order"
    assert world.standing is not None
    assert world.standing.unresolved == ()
    return trade


@MANY
@given(seed=st.integers(0, 2**32))
def test_an_entry_ends_as_what_the_venue_filled_of_it(seed: int) -> None:
    """Lesson 15, Lesson 25; Fault 26, Fault 27, S8"""
    trade = check(lived(seed, by_hand=False, stops=False))

    assert trade is None or trade.state in (TradeState.OPEN, TradeState.REJECTED)


@MANY
@given(seed=st.integers(0, 2**32))
def test_a_close_goes_on_until_the_venue_holds_nothing_and_one_order_at_a_time(seed: int) -> None:
    """Lesson 25; Fault 6, Fault 7, Fault 26, S2, S8"""
    world = lived(seed, by_hand=False, stops=True)
    trade = check(world)

    if trade is not None and trade.filled_quantity and trade.close_reason is not None:
        assert trade.state is TradeState.CLOSED
        assert trade.unpriced_quantity == ZERO


@MANY
@given(seed=st.integers(0, 2**32))
def test_within_a_minute_of_the_venues_return_nothing_is_unknown_any_more(seed: int) -> None:
    """L3"""
    world = World(seed).opens()
    world.passes(20)
    world.hear(a_fired())
    world.passes(world.chance.uniform(0, 60))
    world.heals().passes(60)

    trade = world.trades.get("t1")
    assert trade is None or AttemptState.UNKNOWN not in {attempt.state for attempt in trade.attempts}


@MANY
@given(seed=st.integers(0, 2**32), stops=st.booleans())
def test_what_a_person_closes_meanwhile_is_found_and_priced_by_the_venues_fills(seed: int, stops: bool) -> None:
    """Fault 55, with or without a stop at the same time."""
    world = lived(seed, by_hand=True, stops=stops)
    trade = check(world)

    if trade is not None:
        told = {fill.fill_id for fill in world.venue.fills if fill.client_order_id is None}
        assert told <= {fill.fill_id for fill in trade.fills}
        assert trade.exit_price in (None, PRICE)
        assert trade.unpriced_quantity == ZERO


@MANY
@given(seed=st.integers(0, 2**32))
def test_what_a_person_closes_without_a_trace_is_found_and_has_no_price(seed: int) -> None:
    """Fault 55: never invented."""
    world = lived(seed, by_hand=True, stops=False, tells=False)
    trade = check(world)

    if trade is not None and trade.unpriced_quantity:
        priced = sum((fill.quantity for fill in trade.fills if fill.purpose is Purpose.CLOSE), ZERO)
        assert trade.closed_quantity - priced == trade.unpriced_quantity

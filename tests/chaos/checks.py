"""What is compared once a round has settled: what the venue saw, what PostgreSQL says, and what the streams hold."""

from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from bus.messages.trades import TradeState
from bus.messages.units import ZERO
from tests.chaos.checks_of_streams import of_streams
from tests.chaos.driver import CALM, QUANTITY
from tests.chaos.keeper import EXIT_KILLED
from tests.chaos.ledger import of_journal
from tests.chaos.retold import of_recordings
from tests.chaos.world import World

_TRADES: Final = """
    select trade_id, state, open_quantity, pnl, coalesce(sum(f.quantity) filter (where purpose = 'entry'), 0),
        coalesce(sum(f.quantity) filter (where purpose = 'close'), 0),
        coalesce(sum(case purpose when 'close' then f.price * f.quantity else -f.price * f.quantity end), 0)
    from trades left join fills f using (trade_id) group by trade_id, state, open_quantity, pnl
"""
_ORPHAN: Final = "no trade has the order"
_CRASHED: Final = "actor_restarted"


def violations(world: World, *, may_end_with: frozenset[int]) -> list[str]:
    """Return what must not be. may_end_with: the exit codes with which the faults of the round may make `serve` end itself."""
    return [
        *(f"S2: {words}" for words in world.executor.venue.violations),
        *_of_positions(world),
        *_of_fills(world),
        *_of_trades(world),
        *_of_orders(world),
        *of_journal(world.rows("select * from journal order by seq")),
        *of_streams(world),
        *_of_quarantine(world),
        *of_recordings(world),
        *_of_ends(world, may_end_with),
    ]


def _of_positions(world: World) -> Iterator[str]:
    """Whatever was opened or taken over is closed, by exactly what was held; what was not taken over is left alone."""
    driver, expected = world.driver, Counter[tuple[str, str, str]]()
    known = {trade_id for (trade_id,) in world.rows("select trade_id from trades")}
    for trade_id, body in driver.asked.items():
        if driver.verbs[trade_id] == "adopt" and trade_id not in known:
            expected[body["account"], body["ticker"], body["side"]] += int(QUANTITY)
    for holding, held in world.executor.venue.positions.items():
        if held != expected[holding]:
            yield f"S1: the venue holds {held} of {holding}, and it should be {expected[holding]}"


def _of_fills(world: World) -> Iterator[str]:
    """Each fill of the venue is booked once, as the venue tells it."""
    _, fills = world.executor.seen()
    seen = Counter(
        (fill["fill_id"], fill["order"]["client_order_id"], fill["fill_price"], fill["fill_quantity"]) for fill in fills
    )
    booked = Counter(world.rows("select fill_id, client_order_id, price, quantity from fills"))
    yield from (f"S3: {fill} was filled and is not booked" for fill in (seen - booked).elements())
    yield from (f"S1: {fill} is booked and was not filled" for fill in (booked - seen).elements())


def _of_trades(world: World) -> Iterator[str]:
    """Each has ended, closed in full if it was ever open; its quantity and its profit are the sums of its fills."""
    for trade_id, state, left, pnl, bought, sold, made in world.rows(_TRADES):
        brought = QUANTITY if world.driver.verbs.get(trade_id) == "adopt" else ZERO
        held = bought + brought
        if left or sold != held:
            yield f"S1: {trade_id} is {state}: {held} were held, {sold} sold, {left} are left"
        if state != (TradeState.CLOSED if held else TradeState.REJECTED):
            yield f"S12: {trade_id} held {held} and is {state}"
        if pnl != made - CALM * brought:
            yield f"S1: {trade_id} made {made - CALM * brought} by its fills, and {pnl} on record"


def _of_orders(world: World) -> Iterator[str]:
    """No order lives on; each one that the venue has seen is on record, and each on record is known by its end."""
    orders, _ = world.executor.seen()
    rows = world.rows("select client_order_id, is_live, evidence, quantity from orders")
    yield from (f"S2: {name} lives on" for name, is_live, _, _ in rows if is_live)
    yield from (
        f"S5: the venue has {name}, and there is no row of it" for name in orders.keys() - {row[0] for row in rows}
    )
    for name, _, evidence, quantity in rows:
        order: dict[str, Any] = orders.get(name, {"status": None, "filled": ZERO, "asked": quantity})
        if evidence == "filled" and order["status"] != "filled":
            yield f"S8: {name} counts as filled, and at the venue it is {order['status']}"
        if evidence in ("empty_lookup", "never_sent") and order["filled"]:
            yield f"S8: {name} counts as {evidence}, and {order['filled']} were filled"
        if order["asked"] != quantity:
            yield f"S5: {name} is of {order['asked']} at the venue, of {quantity} on record"


def _of_quarantine(world: World) -> Iterator[str]:
    """Only poison of our own is set aside, and what was told of an order whose trade was lost with its process.

    Such a trade is born again when its command is heard again, and finds its fills at the venue: `_of_fills` demands them.
    """
    orders, _ = world.executor.seen()
    for subject, body, reason in world.rows("select subject, body, reason from quarantine"):
        is_poison = any(poison.startswith(bytes(body)) for poison in world.poison)
        is_orphan = reason.startswith(_ORPHAN) and subject.removeprefix("order.report.") in orders
        if not is_poison and not is_orphan:
            yield f"L5: {subject} was set aside: {reason} {bytes(body)[:300]!r}"


def _of_ends(world: World, may_end_with: frozenset[int]) -> Iterator[str]:
    """It ends when it is killed, or by itself where it had to; and no actor crashes."""
    for keeper in world.keepers:
        ends, killed = Counter(keeper.ends), keeper.kills + (keeper.died_at() is not None)
        if ends[EXIT_KILLED] > killed:
            yield f"it was killed {killed} times, and {ends[EXIT_KILLED]} times it died: {keeper.ends}"
        if set(ends) - {EXIT_KILLED, *may_end_with}:
            yield f"it ended by itself: {keeper.ends}"
    for title, body in world.rows("select title, body from notices where kind = %s", _CRASHED):
        yield f"L4: {title}: {body}"

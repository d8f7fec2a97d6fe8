"""What is compared once a round has settled: what the venue saw, what PostgreSQL says, and what the streams hold."""

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

from bus.messages.trades import TradeState
from bus.messages.units import ZERO
from tests.chaos.checks_of_streams import of_streams
from tests.chaos.keeper import EXIT_INTERNAL, EXIT_KILLED
from tests.chaos.ledger import of_journal
from tests.chaos.world import World

QUANTITY: Final = Decimal(10)
"""Of each trade."""
_CRASHES: Final = ("actor_restarted", "service_down")


def violations(world: World, *, may_end: bool) -> list[str]:
    """Return what must not be. may_end: whether a fault of the round may make `serve` end itself with 70."""
    return [
        *(f"S2: {words}" for words in world.executor.venue.violations),
        *_of_positions(world),
        *_of_fills(world),
        *_of_trades(world),
        *_of_orders(world),
        *of_journal(world.rows("select * from journal order by seq")),
        *of_streams(world),
        *_of_quarantine(world),
        *_of_ends(world, may_end=may_end),
    ]


def _of_positions(world: World) -> Iterator[str]:
    """Whatever was opened or taken over is closed, by exactly what was held."""
    left_alone = {f"M-{trade_id}" for trade_id in world.driver.refused}
    for (_, ticker, _), held in world.executor.venue.positions.items():
        if held and not (ticker in left_alone and held == QUANTITY):
            yield f"S1: the venue still holds {held} of {ticker}"


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
    """What is promised has ended, closed in full if it was ever open; the sums of its fills are its quantities."""
    sums = {
        trade_id: (bought, sold)
        for trade_id, bought, sold in world.rows(
            "select trade_id, coalesce(sum(quantity) filter (where purpose = 'entry'), 0), "
            "coalesce(sum(quantity) filter (where purpose = 'close'), 0) from fills group by trade_id"
        )
    }
    for trade_id, state, left, pnl, exit_price in world.rows(
        "select trade_id, state, open_quantity, pnl, exit_price from trades"
    ):
        bought, sold = sums.get(trade_id, (ZERO, ZERO))
        brought = QUANTITY if trade_id in world.driver.adopted else ZERO
        held = bought + brought
        if left or sold != held:
            yield f"S1: {trade_id} is {state}: {held} were held, {sold} sold, {left} are left"
        if state != (TradeState.CLOSED if held else TradeState.REJECTED):
            yield f"S12: {trade_id} held {held} and is {state}"
        if held and pnl != (exit_price - (Decimal("0.60") if brought else Decimal("0.62"))) * held:
            yield f"S1: {trade_id} sold {sold} at {exit_price} and made {pnl}"


def _of_orders(world: World) -> Iterator[str]:
    """No order lives on; each one that the venue has seen is on record, and each on record is known by its end."""
    orders, _ = world.executor.seen()
    rows = world.rows("select client_order_id, is_live, evidence, quantity from orders")
    yield from (f"S2: {name} lives on" for name, is_live, _, _ in rows if is_live)
    yield from (
        f"S5: the venue has {name}, and there is no row of it" for name in orders.keys() - {row[0] for row in rows}
    )
    for name, _, evidence, quantity in rows:
        order: dict[str, Any] = orders.get(name, {"status": None, "filled": ZERO, "quantity": quantity})
        if evidence == "filled" and order["status"] != "filled":
            yield f"S8: {name} counts as filled, and at the venue it is {order['status']}"
        if evidence in ("empty_lookup", "never_sent") and order["filled"]:
            yield f"S8: {name} counts as {evidence}, and {order['filled']} were filled"
        if order["quantity"] != quantity:
            yield f"S5: {name} is of {order['quantity']} at the venue, of {quantity} on record"


def _of_quarantine(world: World) -> Iterator[str]:
    """Only poison of our own is set aside."""
    for subject, body, reason in world.rows("select subject, body, reason from quarantine"):
        if not any(poison.startswith(bytes(body)) for poison in world.poison):
            yield f"L5: {subject} was set aside: {reason} {bytes(body)[:300]!r}"


def _of_ends(world: World, *, may_end: bool) -> Iterator[str]:
    """It ends when it is killed, or with 70 where it had to; and no actor crashes."""
    ends = Counter(world.keeper.ends)
    killed = world.keeper.kills + (world.keeper.died_at() is not None)
    if ends[EXIT_KILLED] > killed:
        yield f"it was killed {killed} times, and {ends[EXIT_KILLED]} times it died: {world.keeper.ends}"
    odd = [code for code in ends if code not in (EXIT_KILLED, *((EXIT_INTERNAL,) if may_end else ()))]
    if odd:
        yield f"it ended by itself: {world.keeper.ends}"
    for kind, title, body in world.rows("select kind, title, body from notices"):
        if kind in _CRASHES:
            yield f"L4: {title}: {body}"

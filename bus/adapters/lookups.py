"""The clauses about look-ups: what a venue knows is told whole, and silence is no answer. As `clauses`."""

from decimal import Decimal
from typing import Final

from bus.adapters.story import KINDS, Story, demand
from bus.messages.orders import ReportStatus, VenueOrdersRequest
from bus.messages.units import NS_PER_S, ZERO

NOBODY: Final = "no-such-cursor"


def fills_add_up_to_what_a_look_up_tells(story: Story) -> None:
    """Reports, the order and its fills say the same, however they are asked for."""
    order = story.holds()

    known = story.look_up(order.client_order_id)
    demand(known is not None, f"venue.request.orders must know {order.client_order_id}, which was filled")
    told = [fill for fill in story.all_fills() if fill.client_order_id == order.client_order_id]
    sums = {
        "reports": story.filled(order),
        "orders": known.cumulative_quantity if known else ZERO,
        "fills": sum((fill.quantity for fill in told), ZERO),
    }
    demand(set(sums.values()) == {order.quantity}, f"{order.quantity:f} were filled, but the lists say {_shown(sums)}")
    reported = {report.fill_id for report in story.reports(order) if report.fill_id}
    demand(
        {fill.fill_id for fill in told} == reported, "a fill must have the same fill_id in its report and its look-up"
    )


def _shown(sums: dict[str, Decimal]) -> str:
    return ", ".join(f"{name} {value:f}" for name, value in sums.items())


def a_look_up_finds_an_order_that_rests(story: Story) -> None:
    """An order that works is no unknown one."""
    story.holds()
    rests = story.sends(story.rests())

    known = story.look_up(rests.client_order_id)
    story.cancels(rests)

    demand(
        known is not None and known.status is ReportStatus.ACCEPTED,
        f"venue.request.orders must tell a resting order as accepted; it told {known.status if known else 'nothing'}",
    )


def a_look_up_of_an_order_that_never_came_finds_nothing(story: Story) -> None:
    """An empty list is an answer: it proves, after `expires_ts` and the venue's bound, that nothing was filled."""
    demand(story.look_up(f"{story.name}-entry-99") is None, "venue.request.orders knows an order that never came")


def a_position_is_told_while_it_is_held(story: Story) -> None:
    """What is held is told, and what is not held is told no more."""
    order = story.holds()
    held = story.held()
    story.sends(story.sells())
    left = story.held()

    demand(held == order.quantity, f"{order.quantity:f} were bought, venue.request.positions tells {held:f}")
    demand(left == ZERO, f"all was sold, venue.request.positions tells {left:f}")


def every_list_is_told_to_its_end_and_each_row_once(story: Story) -> None:
    """`next` is the `after` of the following page; the last page has none."""
    sent = [story.sends(story.buys(limit_price=story.ground.sell_at)).client_order_id for _ in range(3)]
    sent.append(story.holds().client_order_id)

    orders = [order.client_order_id for order in story.all_orders()]
    fills = [fill.fill_id for fill in story.all_fills()]
    demand(not set(sent) - set(orders), f"venue.request.orders left out {sorted(set(sent) - set(orders))}")
    demand(len(set(orders)) == len(orders), "venue.request.orders told an order on two pages")
    demand(len(set(fills)) == len(fills), "venue.request.fills told a fill on two pages")


def what_is_asked_since_an_instant_holds_everything_after_it(story: Story) -> None:
    """More may be told, never less."""
    begun_ns = story.executor.now_ns() - NS_PER_S
    order = story.holds()

    fills = {fill.client_order_id for fill in story.all_fills(since=begun_ns)}
    orders = {one.client_order_id for one in story.all_orders(since=begun_ns)}
    demand(order.client_order_id in fills, "venue.request.fills left out a fill made after `since`")
    demand(order.client_order_id in orders, "venue.request.orders left out an order that changed after `since`")


def a_cursor_that_nobody_gave_out_is_an_error(story: Story) -> None:
    """Begun anew in silence, a list would never end."""
    for kind in KINDS.values():
        page = story.executor.ask(kind, VenueOrdersRequest(account=story.ground.account, after=NOBODY))
        demand(page.error is not None, f"venue.request.{kind} must answer an unknown `after` with an error")


def an_account_of_which_nothing_is_known_is_answered_too(story: Story) -> None:
    """Silence is no answer, and no account is told of another's: an empty list, or an error."""
    story.holds()

    for kind in KINDS.values():
        page = story.executor.ask(kind, VenueOrdersRequest(account=f"{story.name}-nobody"))
        rows = getattr(page, kind)
        demand(not rows, f"venue.request.{kind} tells {len(rows)} rows of an account that does not exist")

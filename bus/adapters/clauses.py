"""The clauses about orders: what is sent, once; what is refused; what is reported.

Each is a function of a `Story`, and holds at any venue, whatever its market does. It raises `Broken` with what the executor did and
what it must do instead.
"""

from bus.adapters.story import Story, demand
from bus.messages.orders import OrderSubmit, ReportStatus
from bus.messages.trades import Mode
from bus.messages.units import NS_PER_S, ZERO


def _fills_nothing(story: Story, order: OrderSubmit, why: str, *statuses: ReportStatus) -> None:
    ended = story.end(order).status
    demand(
        ended in statuses and story.filled(order) == ZERO,
        f"{why}: it must end {' or '.join(statuses)} with nothing filled; it had {story.statuses(order)}",
    )


def a_filled_order_is_reported_whole(story: Story) -> None:
    """A fill names its id, price, quantity, fees, and the order's sum so far."""
    order = story.holds()

    last = story.reports(order)[-1]
    demand(
        last.status is ReportStatus.FILLED, f"the last report of a filled order must be filled; it was {last.status}"
    )
    demand(last.cumulative_quantity == order.quantity, f"cumulative_quantity must be {order.quantity:f} at the end")
    for report in story.reports(order):
        if report.fill_quantity:
            demand(report.fill_id is not None, "a fill must name its fill_id, the venue's own")
            demand(report.fees is not None, "a fill must name its fees, 0 where there are none")
            demand(
                report.fill_price is not None
                and order.limit_price is not None
                and report.fill_price <= order.limit_price,
                f"a fill must name its price, of the order's side, within the limit of {order.limit_price:f}",
            )


def a_redelivered_order_is_looked_up_and_never_sent_twice(story: Story) -> None:
    """JetStream delivers an order again whenever its acknowledgement was lost."""
    order = story.holds()

    story.sends(order)

    demand(
        story.held() == order.quantity,
        f"{story.held():f} are held after {order.client_order_id} came twice: look it up first",
    )
    fills = {report.fill_id for report in story.reports(order) if report.fill_id}
    demand(
        story.filled(order) == order.quantity,
        f"its fills were reported under other ids the second time: {sorted(fills)}",
    )


def a_known_id_with_another_body_changes_nothing(story: Story) -> None:
    """An id is used once: the first order under it is the one in effect."""
    order = story.holds()
    twice = story.buys(client_order_id=order.client_order_id, quantity=order.quantity * 2)

    story.sends(twice)

    demand(story.held() == order.quantity, f"an order under a known id was sent: {story.held():f} are held")


def an_order_is_not_sent_after_its_expires_ts(story: Story) -> None:
    """`expires_ts` is the last moment of sending."""
    late = story.sends(story.buys(expires_ts=story.executor.now_ns() - NS_PER_S))

    _fills_nothing(story, late, "it came after its expires_ts", ReportStatus.EXPIRED)


def an_older_epoch_is_refused(story: Story) -> None:
    """A leader that was replaced may still believe that it leads."""
    story.sends(story.buys(limit_price=story.ground.sell_at))

    old = story.sends(story.buys(epoch=story.ground.epoch - 1))

    _fills_nothing(story, old, "its epoch is lower than the highest seen", ReportStatus.REJECTED)


def another_mode_is_refused(story: Story) -> None:
    """A paper order must never reach real money, nor a live one play money. Its price finds nobody, should it be sent."""
    other = Mode.LIVE if story.ground.mode is Mode.PAPER else Mode.PAPER

    strange = story.sends(story.buys(mode=other, limit_price=story.ground.sell_at))

    _fills_nothing(
        story, strange, f"its mode is {other}, and the executor trades {story.ground.mode}", ReportStatus.REJECTED
    )


def a_close_never_exceeds_the_position_held(story: Story) -> None:
    """It fills in part: what is held, and the rest is cancelled."""
    story.holds()
    close = story.sends(story.sells(quantity=story.ground.quantity * 2))

    demand(
        story.filled(close) == story.ground.quantity,
        f"{story.filled(close):f} of {close.quantity:f} were filled; only {story.ground.quantity:f} were held",
    )
    demand(
        story.end(close).status is not ReportStatus.FILLED,
        "an order that was filled in part must not end filled: report the part, then cancelled with its cumulative_quantity",
    )
    demand(story.end(close).cumulative_quantity == story.ground.quantity, "its end must say how much was filled in all")
    demand(story.held() == ZERO, f"{story.held():f} are held after all was sold")


def a_close_without_a_position_fills_nothing(story: Story) -> None:
    """A close opens nothing, not even the other side."""
    close = story.sends(story.sells())

    _fills_nothing(story, close, "nothing is held", ReportStatus.REJECTED, ReportStatus.CANCELLED)


def two_closes_at_once_do_not_exceed_the_position_together(story: Story) -> None:
    """The orders of one account and ticker are sent one at a time."""
    story.holds()
    closes = [story.sells(), story.sells()]
    for close in closes:
        story.executor.submit(close)
    story.executor.settle()

    filled = sum((story.filled(close) for close in closes), ZERO)
    demand(
        filled == story.ground.quantity, f"two closes at once filled {filled:f}; {story.ground.quantity:f} were held"
    )


def a_resting_close_counts_against_the_position(story: Story) -> None:
    """An accepted resting order is no longer in flight, but may still be filled."""
    story.holds()
    rests = story.sends(story.rests())

    second = story.sends(story.sells())

    demand(
        story.statuses(rests) == ["accepted"],
        f"a gtc that finds nobody must be accepted and wait; it had {story.statuses(rests)}",
    )
    _fills_nothing(
        story, second, "all that is held is promised to a resting close", ReportStatus.REJECTED, ReportStatus.CANCELLED
    )
    story.cancels(rests)


def an_ioc_that_finds_nobody_is_cancelled(story: Story) -> None:
    """A limit is kept."""
    order = story.sends(story.buys(limit_price=story.ground.sell_at))

    _fills_nothing(story, order, "nobody sells at its limit", ReportStatus.CANCELLED, ReportStatus.EXPIRED)


def a_cancel_is_answered_with_what_was_filled(story: Story) -> None:
    """`cancelled` with `cumulative_quantity` is the evidence that lets the next attempt begin."""
    story.holds()
    rests = story.sends(story.rests())

    story.cancels(rests)

    end = story.end(rests)
    demand(
        (end.status, end.cumulative_quantity) == (ReportStatus.CANCELLED, ZERO),
        f"a cancel must be answered by cancelled with cumulative_quantity 0; it was {end.status} {end.cumulative_quantity}",
    )


def a_cancel_before_its_order_promises_never_to_send_it(story: Story) -> None:
    """A cancel may overtake its order."""
    order = story.buys()
    story.cancels(order)

    story.sends(order)

    demand(
        set(story.statuses(order)) == {"cancelled"},
        f"it was cancelled before it came, and then had {story.statuses(order)}",
    )
    demand(story.held() == ZERO, "an order was sent that had been cancelled before it came")


def an_order_ends_once(story: Story) -> None:
    """A cancel that comes too late changes nothing."""
    story.holds()
    close = story.sends(story.sells())

    story.cancels(close)
    story.sends(close)

    demand(story.end(close).status is ReportStatus.FILLED, f"it was filled, and then ended {story.statuses(close)}")

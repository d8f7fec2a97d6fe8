"""The simulated venue after a restart: what ORDERS holds is all that it ever said, so that is what happened.

An order with reports stands as they say. One without is taken in again, as if it had just come. Positions are the fills of
trades that are still open, and what those trades brought along from before the stream: a trade that has ended is flat, however
little of its history the stream still holds.
"""

from collections.abc import Sequence

from msgspec.structs import replace

from actors.rules.paper.executor import PaperExecutor, Said
from actors.rules.paper.orders import PaperOrder, Phase, ended, promised, reported
from actors.rules.paper.state import VenueState
from bus.messages.orders import OrderCancel, OrderReport, OrderSubmit, ReportStatus
from bus.messages.trades import Trade

InStream = OrderSubmit | OrderCancel | OrderReport
"""What the ORDERS stream holds of a venue."""


def rebuild(
    executor: PaperExecutor, draft: VenueState, stream: Sequence[InStream], trades: Sequence[Trade], now_ns: int
) -> Said:
    """Write into `draft` what `stream` and the open paper `trades` say; return what is still to be said."""
    reports = _first_reports(stream)
    open_ids = {trade.trade_id for trade in trades}
    _note_fills(draft, stream, reports, open_ids)
    for trade in trades:
        draft.hear_trade(trade)
    said: Said = []
    for word in stream:
        match word:
            case OrderSubmit() if word.client_order_id in draft.orders:
                pass
            case OrderSubmit() if word.client_order_id in reports:
                _remember(executor, draft, word, reports[word.client_order_id], counts=word.trade_id in open_ids)
            case OrderSubmit():
                said += executor.take_in(draft, word, now_ns)
            case OrderCancel():
                said += _hear_cancel(executor, draft, word, reports, now_ns)
            case OrderReport():
                pass
    return said + _take_up(executor, draft, now_ns)


def _first_reports(stream: Sequence[InStream]) -> dict[str, list[OrderReport]]:
    """Return the reports of each order, each once: by its fill, else by its status."""
    found: dict[str, dict[str, OrderReport]] = {}
    for word in stream:
        if isinstance(word, OrderReport):
            found.setdefault(word.client_order_id, {}).setdefault(word.fill_id or word.status, word)
    return {client_order_id: list(once.values()) for client_order_id, once in found.items()}


def _note_fills(
    draft: VenueState, stream: Sequence[InStream], reports: dict[str, list[OrderReport]], open_ids: set[str]
) -> None:
    """Name the fills that will be counted, so that what a trade brought along does not count them again."""
    for word in stream:
        if isinstance(word, OrderSubmit) and word.trade_id in open_ids:
            for report in reports.get(word.client_order_id, ()):
                if report.fill_id is not None:
                    draft.fill_ids[report.fill_id] = word.client_order_id


def _remember(
    executor: PaperExecutor, draft: VenueState, submit: OrderSubmit, reports: Sequence[OrderReport], *, counts: bool
) -> None:
    draft.epoch = max(draft.epoch, submit.epoch)
    order = executor.number(draft, submit, submit.ts)
    for report in reports:
        order = reported(order, report)
        if report.fill_id is not None and report.fill_quantity is not None and counts:
            draft.fill(submit, report.fill_id, report.fill_quantity)
    draft.keep(order)


def _hear_cancel(
    executor: PaperExecutor, draft: VenueState, cancel: OrderCancel, reports: dict[str, list[OrderReport]], now_ns: int
) -> Said:
    known = draft.orders.get(cancel.client_order_id)
    if known is not None and known.phase is Phase.ENDED:
        return []
    if known is not None or cancel.client_order_id not in reports:
        return executor.hear_cancel(draft, cancel, now_ns)
    draft.count += 1
    promise = promised(cancel, draft.count, cancel.ts)
    draft.keep(replace(promise, reports=tuple(reports[cancel.client_order_id])))
    return []


def _take_up(executor: PaperExecutor, draft: VenueState, now_ns: int) -> Said:
    """Go on with what had been accepted: a `gtc` rests on, an `ioc` is cancelled with what it had filled."""
    said: Said = []
    resting: list[PaperOrder] = [order for order in draft.orders.values() if order.phase is Phase.RESTING]
    for order in resting:
        if order.sent.time_in_force == "gtc":
            said.append(executor.rest_timer(draft, order))
            continue
        done = ended(order, ReportStatus.CANCELLED, "the venue was restarted", now_ns)
        draft.keep(done)
        said += executor.say_steps(draft, order, done)
    return said

"""What a recording tells, entry by entry, sorted for a picture: of one trade (`trade_story`) or of a whole run (`run_story`)."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from actors.rules.pictures import marks
from actors.rules.pictures.drawn import Mark
from actors.rules.stops.engine import StopEngine
from bus.messages.envelope import Received
from bus.messages.notices import Notice
from bus.messages.orders import OrderReport
from bus.messages.records import Commit
from bus.messages.stops import StopFired
from bus.messages.trades import Trade


class Heard(NamedTuple):
    """What one actor applied and said, as it was recorded. heard: None if it cannot be read. stops: as they stand behind it."""

    at_ns: int
    actor: str
    heard: object
    said: tuple[object, ...]
    stops: StopEngine | None


def notices_in(said: Iterable[object]) -> Iterator[Notice]:
    """Yield each notice that was said, or that a commit keeps."""
    for word in said:
        match word:
            case Notice():
                yield word
            case Commit(notices=notices):
                yield from notices


def marks_of(told: Heard) -> Iterator[tuple[str, Mark]]:
    """Yield what this entry adds to the rows of stops, orders and requests: (the trade's id, the mark)."""
    at_ns = told.at_ns
    match told.heard:
        case Received(message=OrderReport() as report):
            mark = marks.of_report(report, at_ns)
            if mark is not None and told.actor == "trade_desk":
                yield trade_of(report.client_order_id), mark
        case Received(message=request) if isinstance(request, marks.Request) and told.actor == "trade_desk":
            yield request.trade_id, marks.of_request(request, at_ns)
    for word in told.said:
        match word:
            case StopFired(decision=decision):
                yield decision.trade_id, marks.of_decision(decision, at_ns)
            case Commit():
                yield from _of_commit(word, at_ns)


def _of_commit(commit: Commit, at_ns: int) -> Iterator[tuple[str, Mark]]:
    for decision in commit.decisions:
        # What fired was said as it fired; the desk only keeps it.
        if not decision.fired:
            yield decision.trade_id, marks.of_decision(decision, at_ns)
    for order in commit.orders:
        yield order.trade_id, marks.of_order(order, at_ns)
    for cancel in commit.cancels:
        yield cancel.trade_id, marks.of_cancel(cancel, at_ns)


def trades_in(told: Heard) -> Iterator[Trade]:
    """Yield each version of a trade that TradeDesk says."""
    if told.actor == "trade_desk":
        yield from (word for word in told.said if isinstance(word, Trade))


def trade_of(client_order_id: str) -> str:
    """Return the trade that an order's id names: `<trade_id>-<purpose>-<attempt>`."""
    return client_order_id.rpartition("-")[0].rpartition("-")[0]

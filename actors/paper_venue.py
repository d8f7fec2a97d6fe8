"""PaperVenue: a simulated venue that fulfils what DESIGN asks of an executor. `rules.paper.book` decides."""

import threading
from collections.abc import Iterable, Sequence

from actors.rules.paper.book import PaperBook
from actors.watched import EngineActor
from bus.messages.orders import (
    OrderCancel,
    OrderReport,
    OrderSubmit,
    VenueFills,
    VenueOrders,
    VenueOrdersRequest,
    VenuePositions,
)
from bus.messages.trades import Trade


class PaperVenue(EngineActor):
    """Fills paper orders at the quotes in force.

    Hears ticks, lifecycle events, orders and cancels through ORDERS, timers. Says reports.
    """


class SharedPaperBook:
    """A `PaperBook` that its actor works and that the wire asks: `venue.request.*` is answered on the wire's thread.

    The answer must not wait behind a queue of ticks, so it is read beside the actor, never in the middle of a word.
    """

    def __init__(self, book: PaperBook) -> None:
        self._book = book
        self._lock = threading.Lock()

    def __reduce__(self) -> tuple[type["SharedPaperBook"], tuple[PaperBook]]:
        """Of a lock nothing is kept in a checkpoint."""
        return SharedPaperBook, (self._book,)

    def handle(self, word: object) -> list[object]:
        """Work one word."""
        with self._lock:
            return self._book.handle(word)

    def restore(
        self, stream: Sequence[OrderSubmit | OrderCancel | OrderReport], trades: Iterable[Trade], now_ns: int
    ) -> list[object]:
        """Rebuild the venue after a restart; see `PaperBook.restore`."""
        with self._lock:
            return self._book.restore(stream, trades, now_ns)

    def answer(self, kind: str, request: VenueOrdersRequest) -> VenueOrders | VenueFills | VenuePositions:
        """Answer `venue.request.<kind>.paper`."""
        with self._lock:
            match kind:
                case "orders":
                    return self._book.orders(request)
                case "fills":
                    return self._book.fills(request)
                case _:
                    return self._book.positions(request)

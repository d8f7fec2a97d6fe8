"""Every venue of a recording, simulated: fills are computed anew, whoever made them then.

The paper venue is the house's own. Each other one is a book of the same kind with that venue's style and netting; an order of mode
live is worked there as if it were paper, for here no order ever leaves.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from msgspec.structs import replace

from actors.paper_venue import SharedPaperBook
from actors.terms import PAPER, paper_book
from actors.watched import Engine
from bus.messages.market import Lifecycle, Ticks
from bus.messages.orders import (
    OrderArrived,
    OrderCancel,
    OrderReport,
    OrderSubmit,
    VenueAnswer,
    VenueFills,
    VenueOrders,
    VenueOrdersRequest,
    VenuePositions,
    VenueQuestion,
)
from bus.messages.reconcile import AccountAnswer, AccountQuestion
from bus.messages.timers import TimerFired
from bus.messages.trades import Mode, Trade
from config.settings import Settings

InStream = OrderSubmit | OrderCancel | OrderReport


class VenueBook(Protocol):
    """A simulated venue, as `SharedPaperBook` is one."""

    def handle(self, word: object) -> list[object]:
        """Work one word."""
        ...

    def restore(self, stream: Sequence[InStream], trades: Iterable[Trade], now_ns: int) -> list[object]:
        """Rebuild the venue after a restart."""
        ...

    def answer(self, kind: str, request: VenueOrdersRequest) -> VenueOrders | VenueFills | VenuePositions:
        """Answer `venue.request.<kind>`."""
        ...


class NotedBook:
    """`book`, whose words go through `engine`, which may note them."""

    def __init__(self, book: VenueBook, engine: Engine) -> None:
        self.handle = engine.handle
        self.restore = book.restore
        self.answer = book.answer


class SimulatedVenues:
    """Hears what a venue hears. history: what was ordered and reported so far, by venue, in order; both outlive a process."""

    def __init__(
        self, settings: Settings, paper: VenueBook, history: Mapping[str, list[InStream]] | None = None
    ) -> None:
        self.history: dict[str, list[InStream]] = dict(history or {})
        self._settings = settings
        self._books: dict[str, VenueBook] = {PAPER: paper}
        self._venue_of: dict[str, str] = {}
        self._arrivals = 0

    @property
    def simulated(self) -> tuple[str, ...]:
        """The venues whose fills were real ones when they were recorded."""
        return tuple(sorted(self._books.keys() - {PAPER}))

    def restore(self, trades: tuple[Trade, ...], now_ns: int) -> list[object]:
        """Rebuild the books of other venues after a restart; return what they say. The paper venue's is the house's to restore."""
        said: list[object] = []
        for venue in self.history.keys() - {PAPER}:
            theirs = [_as_paper(trade) for trade in trades if trade.venue == venue]
            said += self._book(venue).restore(self.history[venue], theirs, now_ns)
        return said

    def handle(self, word: Ticks | Lifecycle | TimerFired | Trade) -> list[object]:
        """Return what the venues say to `word`. A timer names an order: whose it is not, does not know it."""
        if isinstance(word, Trade):
            return self._book(word.venue).handle(_as_paper(word))
        return [said for book in self._books.values() for said in book.handle(word)]

    def take_in(self, venue: str, order: OrderSubmit | OrderCancel, now_ns: int) -> list[object]:
        """Hand an order, or a cancel, to its venue; return what that says."""
        self._arrivals += 1
        self._venue_of[order.trade_id] = venue
        self.history.setdefault(venue, []).append(order)
        if isinstance(order, OrderSubmit):
            order = replace(order, mode=Mode.PAPER)
        arrived = OrderArrived(order=order, token="", sequence=self._arrivals, now_ns=now_ns)
        return self._book(venue).handle(arrived)

    def note(self, report: OrderReport) -> None:
        """Remember what a venue has said."""
        trade_id = report.client_order_id.rsplit("-", 2)[0]
        if trade_id in self._venue_of:
            self.history[self._venue_of[trade_id]].append(report)

    def answer(self, question: VenueQuestion | AccountQuestion, now_ns: int) -> VenueAnswer | AccountAnswer:
        """Return what a venue knows of an order, or of a whole account."""
        book = self._book(question.venue)
        if isinstance(question, VenueQuestion):
            request = VenueOrdersRequest(account=question.account, client_order_id=question.client_order_id)
            orders = [order for page in _pages(book, "orders", request) for order in getattr(page, "orders", ())]
            return VenueAnswer(
                client_order_id=question.client_order_id,
                trade_id=question.trade_id,
                order=orders[0] if orders else None,
                error=None,
                now_ns=now_ns,
                fills=tuple(fill for page in _pages(book, "fills", request) for fill in getattr(page, "fills", ())),
                venue=question.venue,
                account=question.account,
            )
        since = VenueOrdersRequest(account=question.account, since=question.since_ns)
        whole = VenueOrdersRequest(account=question.account)
        return AccountAnswer(
            venue=question.venue,
            account=question.account,
            asked_ns=question.now_ns,
            now_ns=now_ns,
            orders=tuple(one for page in _pages(book, "orders", since) for one in getattr(page, "orders", ())),
            fills=tuple(one for page in _pages(book, "fills", since) for one in getattr(page, "fills", ())),
            positions=tuple(one for page in _pages(book, "positions", whole) for one in getattr(page, "positions", ())),
        )

    def _book(self, venue: str) -> VenueBook:
        book = self._books.get(venue)
        if book is None:
            book = self._books[venue] = SharedPaperBook(paper_book(self._settings, venue))
        return book


def _as_paper(trade: Trade) -> Trade:
    return replace(trade, mode=Mode.PAPER)


def _pages(
    book: VenueBook, kind: str, request: VenueOrdersRequest
) -> Iterator[VenueOrders | VenueFills | VenuePositions]:
    while True:
        page = book.answer(kind, request)
        yield page
        if page.next is None:
            return
        request = replace(request, after=page.next)

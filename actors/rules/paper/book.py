"""`PaperBook`: the simulated venue, and the executor that talks to it (DESIGN section 5, "An executor"; SPEC 1.3, Paper).

An order that arrives is looked up by its client_order_id first: what is known is answered as before and never worked again.
What is new waits for its latency, which is a timer at its own `ts` plus `latency_ns`; then it is decided, closes first, one
order of an account and ticker after the other. At one instant timers come before ticks, so a decision sees the quotes that
were in force until then. Each word is worked out in a draft; one that raises has changed nothing (see `paper_state`).
"""

from collections.abc import Callable, Iterable, Sequence

from actors.rules.paper import answers as paper_answers
from actors.rules.paper.executor import OWNER, PaperExecutor, Said
from actors.rules.paper.faults import Faults
from actors.rules.paper.fills import FeeOf, Matching
from actors.rules.paper.quotes import PaperQuotes
from actors.rules.paper.restore import InStream, rebuild
from actors.rules.paper.state import VenueState
from bus.messages.market import Lifecycle, Ticks
from bus.messages.orders import (
    OrderArrived,
    OrderCancel,
    OrderSubmit,
    VenueFills,
    VenueOrders,
    VenueOrdersRequest,
    VenuePositions,
)
from bus.messages.timers import TimerFired
from bus.messages.trades import Mode, Trade


class PaperBook:
    """The engine of PaperVenue.

    latency_ns: from an order's `ts` to its decision. fee_of: the fee of a fill. style: `sell` or `buy_opposite`, how this
    venue closes event contracts; the other way is refused. netting: both sides of a ticker cancel each other.
    """

    def __init__(
        self,
        *,
        latency_ns: int,
        fee_of: FeeOf,
        style: str,
        netting: bool,
        faults: Faults | None = None,
        page_rows: int = 100,
    ) -> None:
        self._page_rows = page_rows
        self._quotes = PaperQuotes()
        self._state = VenueState(netting=netting)
        self._executor = PaperExecutor(
            Matching(self._quotes, fee_of), latency_ns=latency_ns, style=style, faults=faults or Faults()
        )

    def handle(self, word: object) -> Said:
        """Return what the venue says to `word`: reports and timers, in order. Words that are not its own it does not hear."""
        executor = self._executor
        match word:
            case Ticks():
                return self._hear_ticks(word)
            case OrderArrived(order=OrderSubmit() as submit, now_ns=now_ns):
                return self._work(lambda draft: executor.take_in(draft, submit, now_ns))
            case OrderArrived(order=OrderCancel() as cancel, now_ns=now_ns):
                return self._work(lambda draft: executor.hear_cancel(draft, cancel, now_ns))
            case TimerFired(owner=owner) if owner == OWNER:
                return self._work(lambda draft: executor.hear_timer(draft, word))
            case Lifecycle(ts=ts):
                return self._work(lambda draft: executor.hear_lifecycle(draft, word, ts))
            case Trade(mode=Mode.PAPER):
                return self._work(lambda draft: executor.hear_trade(draft, word))
            case _:
                return []

    def restore(self, stream: Sequence[InStream], open_trades: Iterable[Trade], now_ns: int) -> Said:
        """Rebuild the venue after a restart; call it once, before anything else.

        stream: what ORDERS holds of this venue, in its order. open_trades: all paper trades that have not ended; a position
        older than the stream stands on them alone. Returns what is still to be said: orders that were on their way are decided
        when their time comes, an `ioc` caught in the middle is cancelled with what it had filled.
        """
        trades = [trade for trade in open_trades if trade.mode is Mode.PAPER]
        return self._work(lambda draft: rebuild(self._executor, draft, stream, trades, now_ns))

    def orders(self, request: VenueOrdersRequest) -> VenueOrders:
        """Answer `venue.request.orders.paper`."""
        return paper_answers.orders(self._state, request, self._page_rows)

    def fills(self, request: VenueOrdersRequest) -> VenueFills:
        """Answer `venue.request.fills.paper`."""
        return paper_answers.fills(self._state, request, self._page_rows)

    def positions(self, request: VenueOrdersRequest) -> VenuePositions:
        """Answer `venue.request.positions.paper`."""
        return paper_answers.positions(self._state, request, self._page_rows)

    def _work(self, step: Callable[[VenueState], Said]) -> Said:
        draft = self._state.draft()
        said = step(draft)
        self._state.adopt(draft)
        return said

    def _hear_ticks(self, ticks: Ticks) -> Said:
        draft: VenueState | None = None
        said: Said = []
        for tick in ticks.batch:
            ticker = self._quotes.take(tick)
            # Nearly every tick finds nothing at rest: that path must stay two look-ups long.
            if ticker is not None and self._state.resting.get(ticker):
                draft = draft or self._state.draft()
                said += self._executor.match_resting(draft, ticker, ticks.received_ns)
        if draft is not None:
            self._state.adopt(draft)
        return said

"""The executor of the chaos rounds: the sample one, that may be killed at K16 and K17, and a venue that notes what it sees.

The venue outlives its executor, and so do the highest epoch and the cancels that came early, which a real one keeps on disk; what it
said before is forgotten with it, so Watchkeeper must ask.
"""

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import Decimal
from random import Random
from typing import Any, Final, Self, TypeVar

from tests.acceptance.sample_executor import SampleExecutor, serve
from tests.acceptance.toy_venue import ENDED, ToyVenue, Words

VENUE: Final = "toy"
_AGAIN_S: Final = 0.1
_PART: Final = Decimal(4)
_LISTENS_WITHIN_S: Final = 180.0
_END_WITHIN_S: Final = 20.0
_TIMELY: Final = ("too late to send", "an older epoch", "cancelled before it was sent")
T = TypeVar("T")


class Died(Exception):  # noqa: N818  # no error: it was asked for
    """The executor was killed."""


class WatchedVenue(ToyVenue):
    """Notes whatever should never be asked of a venue. thin: how often a close finds room for a part of it alone."""

    def __init__(self) -> None:
        super().__init__()
        self.thin = 0.0
        self._random = Random(1)
        self.violations: list[str] = []
        self.refused: Counter[str] = Counter()

    def place(self, order: Words) -> list[Words]:
        name = order["client_order_id"]
        if name in self.orders:
            self.violations.append(f"{name} was placed twice")
        if order.get("cut"):
            self.violations.append(f"{name} closes more than is held: {order}")
        flying = [
            other["client_order_id"]
            for other in self.orders.values()
            if (other["trade_id"], other["purpose"]) == (order["trade_id"], order["purpose"])
            and (other["status"] not in ENDED or other["attempt"] > order["attempt"])
        ]
        if flying:
            self.violations.append(f"{name} was placed beside {flying}")
        order = {**order, "asked": order["quantity"]}
        if order["purpose"] == "close" and order["quantity"] > _PART and self._random.random() < self.thin:
            order |= {"quantity": _PART, "cut": True}
        return super().place(order)


class MortalExecutor(SampleExecutor):
    """May be killed before and after each of K16 (the request is written) and K17 (the venue has replied)."""

    def __init__(self, venue: WatchedVenue, points: "ExecutorPoints") -> None:
        super().__init__(venue, mode="live")
        self._points = points
        self.watched = venue

    def take(self, messages: Iterable[Words], now: datetime) -> list[Words]:
        """As ever; K17 lies between the venue's reply and the reports."""
        reports = super().take(messages, now)
        if reports:
            self._points.passing("K17 after")
        return reports

    def _submit(self, order: Words, now: datetime) -> list[Words]:
        if order["client_order_id"] in self.venue.orders:
            return super()._submit(order, now)
        self._points.passing("K16 before")
        if self._points.is_due("K16 after"):
            # It is written, and the venue does what it says; nobody here has heard that.
            super()._submit(order, now)
            raise Died
        happened = super()._submit(order, now)
        self._points.passing("K17 before")
        return happened

    def _refusal(self, order: Words, now: datetime) -> Words | None:
        refusal = super()._refusal(order, now)
        if refusal is not None:
            self.watched.refused[refusal["reason"]] += 1
            if refusal["reason"] not in _TIMELY:
                self.watched.violations.append(f"{order['client_order_id']} had to be refused: {refusal['reason']}")
        return refusal

    def take_over(self, before: "MortalExecutor") -> None:
        """Know what a real one would find on disk."""
        self._epoch, self._never = before._epoch, before._never


class ExecutorPoints:
    """The place where the executor is to be killed, if any."""

    def __init__(self) -> None:
        self.planned: tuple[str, int] | None = None
        self.died_at: str | None = None

    def is_due(self, place: str) -> bool:
        """Count somebody who passes; return whether he is the one to die."""
        if self.planned is None or self.planned[0] != place:
            return False
        self.planned = (place, self.planned[1] - 1)
        if self.planned[1]:
            return False
        self.planned, self.died_at = None, place
        return True

    def passing(self, place: str) -> None:
        """Raises: Died, if it is due."""
        if self.is_due(place):
            raise Died


class ExecutorKeeper(threading.Thread):
    """Runs the executor on a thread of its own, and another one whenever it ends."""

    def __init__(self, url: str) -> None:
        super().__init__(name="executor", daemon=True)
        self.venue = WatchedVenue()
        self.points = ExecutorPoints()
        self.faults: list[str] = []
        self._living = MortalExecutor(self.venue, self.points)
        self._url = url
        self._loop = asyncio.new_event_loop()
        self._over = asyncio.Event()
        self._is_ready = threading.Event()
        self._life: asyncio.Task[None] | None = None

    def __enter__(self) -> Self:
        self.start()
        assert self._is_ready.wait(_LISTENS_WITHIN_S), "the executor does not listen: are there streams?"
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self.join(_END_WITHIN_S)
        if self.is_alive():
            # It may wait for a server that a broken round has left away.
            self.kill()
            self.join(_END_WITHIN_S)
        assert not self.is_alive(), "the executor does not end"

    def run(self) -> None:
        self._loop.run_until_complete(self._keep())
        self._loop.close()

    async def _keep(self) -> None:
        executor = self._living
        while not self._over.is_set():
            ready = asyncio.Event()
            self._life = asyncio.create_task(serve(self._url, VENUE, executor, self._over, ready))
            telling = asyncio.create_task(self._tell(ready))
            done, _ = await asyncio.wait({self._life})
            telling.cancel()
            for life in done:
                if not life.cancelled() and (error := life.exception()) is not None:
                    self.faults.append(repr(error))
            executor = MortalExecutor(self.venue, self.points)
            executor.take_over(self._living)
            self._living = executor
            if not self._over.is_set():
                await asyncio.sleep(_AGAIN_S)

    async def _tell(self, ready: asyncio.Event) -> None:
        await ready.wait()
        self._is_ready.set()

    def kill(self) -> None:
        """End it wherever it is."""
        self.call(lambda: self._life is not None and self._life.cancel())

    def call(self, act: Callable[[], T]) -> T:
        """Do something where nothing else touches the venue."""

        async def acting() -> T:
            return act()

        return asyncio.run_coroutine_threadsafe(acting(), self._loop).result(10)

    def hold(self, account: str, ticker: str, side: str, quantity: Decimal) -> None:
        """Let the account hold so much more, which Watchkeeper has not opened."""

        def put() -> None:
            before = self.venue.positions.get((account, ticker, side), Decimal(0))
            self.venue.positions[account, ticker, side] = before + quantity

        self.call(put)

    def seen(self) -> tuple[dict[str, Any], list[Words]]:
        """Return the venue's orders and fills as they stand."""
        return self.call(lambda: (dict(self.venue.orders), list(self.venue.fills)))

    def said(self) -> list[Words]:
        """Return what the executor of now has reported."""
        return self.call(lambda: [report for reports in self._living._said.values() for report in reports])

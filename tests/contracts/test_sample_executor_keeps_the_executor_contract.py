"""The sample executor, over a real ORDERS stream, passes the suite that every executor must pass."""

import asyncio
import json
import threading
import time
from collections.abc import Iterator, Sequence

import nats
import pytest
from nats.js.api import StreamConfig

from bus.adapters.story import KINDS, Page
from bus.adapters.suite import Clause
from bus.messages.addresses import order_cancel, order_submit
from bus.messages.orders import OrderCancel, OrderReport, OrderSubmit, VenueOrdersRequest
from bus.messages.plain import from_json, to_json
from tests.acceptance.sample_executor import SampleExecutor, serve
from tests.acceptance.toy_venue import ToyVenue
from tests.contracts.executor_suite import ALL_CLAUSES, keeps

VENUE = "sample"


class SampleUnderTest:
    """The executor's loop on a thread of its own, and a plain client of the same server."""

    def __init__(self, url: str) -> None:
        self._runner = asyncio.Runner()
        self._client = self._runner.run(nats.connect(url))
        self._stream = self._client.jetstream()
        self._runner.run(self._stream.add_stream(StreamConfig(name="ORDERS", subjects=["order.>"])))
        self._stop: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ready = threading.Event()
        self._last = 0
        self._thread = threading.Thread(target=self._serve, args=(url,))
        self._thread.start()
        assert self._ready.wait(10)

    def _serve(self, url: str) -> None:
        async def main() -> None:
            self._loop, self._stop, ready = asyncio.get_running_loop(), asyncio.Event(), asyncio.Event()
            running = asyncio.create_task(
                serve(url, VENUE, SampleExecutor(ToyVenue(), mode="paper"), self._stop, ready)
            )
            await ready.wait()
            self._ready.set()
            await running

        asyncio.run(main())

    def close(self) -> None:
        assert self._loop is not None
        assert self._stop is not None
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)
        self._runner.run(self._stream.delete_stream("ORDERS"))
        self._runner.run(self._client.close())
        self._runner.run(asyncio.sleep(0))  # nats-py closes its socket one turn of the loop later
        self._runner.close()

    def now_ns(self) -> int:
        return time.time_ns() // 1000 * 1000

    def quote(self, ticker: str, *, yes_bid: str | None = None, yes_ask: str | None = None) -> None:
        body = {"ticker": ticker, "yes_bid": yes_bid, "yes_ask": yes_ask}
        self._runner.run(self._client.publish(f"market.quote.{ticker}", json.dumps(body).encode()))
        # Quotes and orders come by different roads: the answer to a question asked behind the quote shows that it was heard.
        self.ask("positions", VenueOrdersRequest(account="nobody"))

    def submit(self, order: OrderSubmit) -> None:
        self._publish(order_submit(VENUE, order.trade_id), to_json(order))

    def cancel(self, cancel: OrderCancel) -> None:
        self._publish(order_cancel(VENUE, cancel.trade_id), to_json(cancel))

    def _publish(self, subject: str, body: bytes) -> None:
        self._last = self._runner.run(self._stream.publish(subject, body)).seq

    def settle(self) -> None:
        deadline = time.monotonic() + 20
        while not self._is_idle():
            assert time.monotonic() < deadline, "the executor does not come to rest"

    def _is_idle(self) -> bool:
        info = self._runner.run(self._stream.consumer_info("ORDERS", f"executor-{VENUE}"))
        # Not `num_pending`: right after a publish the consumer may not have seen the message yet.
        return info.ack_floor is not None and info.ack_floor.stream_seq >= self._last

    def reports(self, client_order_id: str) -> Sequence[OrderReport]:
        return self._runner.run(self._read(f"order.report.{client_order_id}"))

    async def _read(self, subject: str) -> list[OrderReport]:
        reports: list[OrderReport] = []
        sequence = 1
        while True:
            try:
                message = await self._stream.get_msg("ORDERS", seq=sequence, subject=subject, next=True)
            except nats.js.errors.NotFoundError:
                return reports
            assert message.data is not None
            assert message.seq is not None
            reports.append(from_json(OrderReport, message.data))
            sequence = message.seq + 1

    def ask(self, kind: str, request: VenueOrdersRequest) -> Page:
        subject = f"venue.request.{kind}.{VENUE}"
        answer = self._runner.run(self._client.request(subject, to_json(request), timeout=10))
        shape = next(shape for shape, name in KINDS.items() if name == kind)
        page: Page = from_json(shape, answer.data)
        return page


@pytest.fixture
def executor(nats_url: str) -> Iterator[SampleUnderTest]:
    running = SampleUnderTest(nats_url)
    yield running
    running.close()


@pytest.mark.parametrize("clause", ALL_CLAUSES, ids=lambda clause: clause.__name__)
def test_the_sample_executor_keeps_the_contract(clause: Clause, executor: SampleUnderTest) -> None:
    """Lesson 44, Fault 24"""
    assert keeps(executor, clause) is None

"""A live trade filled and closed by the sample executor, as another service would do it."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal

from tests.acceptance.harness import Watchkeeper, an_open
from tests.acceptance.sample_executor import SampleExecutor, serve
from tests.acceptance.toy_venue import ToyVenue

VENUE = "toy"


@contextmanager
def executing(
    url: str, *, executor: Callable[..., SampleExecutor] = SampleExecutor, mode: str = "live"
) -> Iterator[ToyVenue]:
    """Run the sample executor on a thread of its own, from when it listens to the end."""
    venue, is_ready = ToyVenue(), threading.Event()
    loop, stop = asyncio.new_event_loop(), asyncio.Event()

    async def main() -> None:
        ready = asyncio.Event()
        running = asyncio.create_task(serve(url, VENUE, executor(venue, mode=mode), stop, ready))
        await ready.wait()
        is_ready.set()
        await running

    thread = threading.Thread(target=lambda: loop.run_until_complete(main()))
    thread.start()
    assert is_ready.wait(10)
    try:
        yield venue
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        loop.close()


def test_an_executor_fills_a_live_trade_and_its_close(watchkeeper: Watchkeeper) -> None:
    wanted = an_open(venue=VENUE, account="acc-toy")
    trade_id = wanted["trade_id"]

    with executing(watchkeeper.url) as venue:
        watchkeeper.quote(wanted["ticker"], "0.60", "0.62")
        reply = watchkeeper.demand("trade.request.open", wanted)
        watchkeeper.event(trade_id, "open")
        watchkeeper.quote(wanted["ticker"], "0.39", "0.41")
        closed = watchkeeper.event(trade_id, "closed")

    assert reply["ok"], reply
    assert (closed["entry_price"], closed["exit_price"], Decimal(closed["pnl"])) == ("0.62", "0.39", Decimal("-2.3"))
    assert venue.positions == {("acc-toy", wanted["ticker"], "yes"): Decimal(0)}
    watchkeeper.await_rows(
        [("entry", "filled"), ("close", "filled")],
        "select purpose, evidence from orders where trade_id = %s order by ts",
        trade_id,
    )

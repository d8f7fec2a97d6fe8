"""The one thread on which nats-py runs: an asyncio loop (uvloop), and nothing that blocks."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar, TypeVarTuple

import uvloop
from loguru import logger

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class LoopThread:
    """Runs a loop on a thread of its own. `call` and `run` may be used from any thread; `loop` only on that thread."""

    def __init__(self, name: str = "nats") -> None:
        self.loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
        self.loop.set_exception_handler(_log_fault)
        self._thread = threading.Thread(target=self._main, name=name, daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def _main(self) -> None:
        asyncio.set_event_loop(self.loop)
        try:
            self.loop.run_forever()
        finally:
            self.loop.run_until_complete(self.loop.shutdown_asyncgens())
            self.loop.close()

    def call(self, function: Callable[[*Ts], object], *arguments: *Ts) -> None:
        """Have `function` called on the loop, soon, in the order of the calls. Does nothing once the loop has ended."""
        try:
            self.loop.call_soon_threadsafe(function, *arguments)
        except RuntimeError:
            logger.debug("the NATS loop has ended; a call was dropped")

    def hand(self, wait_s: float, function: Callable[[*Ts], object], *arguments: *Ts) -> None:
        """As `call`, but let the loop go first: return when the function has run, or after `wait_s`.

        The caller would otherwise go on, and hold the interpreter while the loop has something urgent to send.
        """
        if threading.current_thread() is self._thread:
            self.call(function, *arguments)
            return
        waiting = threading.Lock()
        waiting.acquire()

        def run() -> None:
            try:
                function(*arguments)
            finally:
                waiting.release()

        self.call(run)
        waiting.acquire(timeout=wait_s)

    @property
    def is_running(self) -> bool:
        """Whether `run` and `call` reach anybody."""
        return self._thread.is_alive() and not self.loop.is_closed()

    def run(self, coroutine: Coroutine[Any, Any, T], timeout_s: float) -> T:
        """Run `coroutine` on the loop and wait for it; not for the loop's own thread. Raises: TimeoutError, what it raises."""
        assert threading.current_thread() is not self._thread, "would wait for itself"
        future: Future[T] = asyncio.run_coroutine_threadsafe(coroutine, self.loop)
        try:
            return future.result(timeout_s)
        except TimeoutError:
            future.cancel()
            raise

    def stop(self, timeout_s: float = 5) -> None:
        """End the loop and its thread; what still runs on it is cancelled. Harmless if it was never started, or twice."""
        if not self._thread.is_alive():
            if not self.loop.is_running() and not self.loop.is_closed():
                self.loop.close()
            return
        self.run(_cancel_the_rest(), timeout_s)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(timeout_s)


async def _cancel_the_rest() -> None:
    tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _log_fault(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    logger.opt(exception=context.get("exception")).error("on the NATS loop: {}", context.get("message"))

"""`serve` that is killed (kill -9) at a kill point: `python -m tests.chaos.killing FOLDER serve ...`.

FOLDER/plan says where: `K5 before 2` is the second time that somebody is about to pass K5 from then on. It is renamed to
FOLDER/died in the moment of death, so nobody is killed twice by it. Production code knows nothing of this.
"""

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import psycopg

import run
from actors.database import Database
from actors.rules.desk.desk import Desk
from bus.consumer import PullConsumer
from bus.messages.orders import OrderSubmit
from bus.messages.stops import StopFired
from bus.messages.trades import Purpose, TradeState
from bus.orders import OrderSender
from bus.publisher import Publisher
from db import connections, writer
from db.rows import Batch
from db.store import PostgresStore

SOON_S: Final = 0.05
"""What was sent has arrived by then."""


class KillPoints:
    """Counts who passes the place that is planned, and ends the process there."""

    def __init__(self, folder: Path) -> None:
        self._plan = folder / "plan"
        self._died = folder / "died"
        self._passed = 0
        self._lock = threading.Lock()

    def is_due(self, point: str, moment: str) -> bool:
        """Count somebody who passes; return whether he is the one to die, which is then on record."""
        try:
            where = self._plan.read_text().split()
        except OSError:
            return False
        if where[:2] != [point, moment]:
            return False
        with self._lock:
            self._passed += 1
            if self._passed != int(where[2]):
                return False
        with suppress(FileNotFoundError):
            self._plan.rename(self._died)
        return True

    def passing(self, point: str, moment: str) -> None:
        """End the process if it is due."""
        if self.is_due(point, moment):
            die()

    def around(self, owner: object, name: str, point: str, when: Callable[..., bool] = lambda *_, **__: True) -> None:
        """Let each call of a method pass `point`, before and after, where `when` says so of its arguments."""
        usual: Callable[..., Any] = getattr(owner, name)

        def watched(*arguments: Any, **named: Any) -> Any:
            if not when(*arguments, **named):
                return usual(*arguments, **named)
            self.passing(point, "before")
            returned = usual(*arguments, **named)
            self.passing(point, "after")
            return returned

        put(owner, name, watched)


def put(owner: object, name: str, function: object) -> None:
    """Let a module or class have another function under a name."""
    setattr(owner, name, function)


def die() -> None:
    """kill -9."""
    os.kill(os.getpid(), signal.SIGKILL)


def watch_inputs(points: KillPoints) -> None:
    """K1, K7, K8: an input is received, its acknowledgement sent, and confirmed."""
    points.around(PullConsumer, "_take", "K1")
    usual = PullConsumer.acknowledge

    def acknowledge(consumer: PullConsumer, token: str) -> bool:
        if token not in consumer._held:
            return False
        points.passing("K7", "before")
        usual(consumer, token)
        points.passing("K7", "after")
        loop = asyncio.get_running_loop()
        loop.call_soon(points.passing, "K8", "before")
        loop.call_later(SOON_S, points.passing, "K8", "after")
        return True

    put(PullConsumer, "acknowledge", acknowledge)


def watch_commits(points: KillPoints) -> None:
    """K2-K6 of each batch; K15, K18, K19, K20 around those that hold a close order, a report, a fill, a closed trade."""
    usual_transaction, usual_write = connections.transaction, writer.BatchWriter.write
    written: list[Batch] = []

    @contextmanager
    def transaction(connection: psycopg.Connection) -> Iterator[None]:
        if not written:
            with usual_transaction(connection):
                yield
            return
        kept = marks(written[0])
        points.passing("K2", "before")
        with usual_transaction(connection):
            points.passing("K2", "after")
            yield
            for point in (*kept, "K5"):
                points.passing(point, "before")
            if points.is_due("K5", "after"):
                send_commit(connection)
                die()
            if points.is_due("K6", "before"):
                connection.pgconn.exec_(b"COMMIT")
                die()
        for point in ("K6", *kept):
            points.passing(point, "after")

    def write(self: writer.BatchWriter, connection: psycopg.Connection, batch: Batch) -> None:
        self._ensure_months(connection, batch)
        written[:] = [batch]
        try:
            usual_write(self, connection, batch)
        finally:
            written.clear()

    put(writer, "transaction", transaction)
    put(writer.BatchWriter, "write", write)
    points.around(writer, "_write_inbox", "K3", lambda _, batch: bool(batch.inbox()))
    points.around(writer, "_write_trades", "K4", lambda _, batch: bool(batch.changes))


def marks(batch: Batch) -> list[str]:
    """Return the kill points that stand around the commit of `batch`."""
    holds = {
        "K15": any(order.purpose is Purpose.CLOSE for commit in batch.commits for order in commit.orders),
        "K18": batch.holds("reports"),
        "K19": batch.holds("fills"),
        "K20": any(change.trade.state is TradeState.CLOSED for change in batch.changes),
    }
    return [point for point, is_held in holds.items() if is_held]


def send_commit(connection: psycopg.Connection) -> None:
    """Send COMMIT, and wait for no answer."""
    connection.pgconn.send_query(b"COMMIT")
    while connection.pgconn.flush():
        pass


def watch_outputs(points: KillPoints) -> None:
    """K9-K12: a row is on its way to the relay, sent, acknowledged, marked."""
    points.around(Database, "_relay", "K9", lambda _, commit: any(not out.direct for out in commit.outbox))
    points.around(PostgresStore, "unpublished", "K9")
    points.around(Publisher, "_hear", "K11")
    points.around(PostgresStore, "mark_published", "K12", lambda _, msg_ids, *__: bool(msg_ids))
    usual = Publisher.send

    def send(*arguments: Any, **named: Any) -> None:
        points.passing("K10", "before")
        usual(*arguments, **named)
        asyncio.get_running_loop().call_soon(points.passing, "K10", "after")

    put(Publisher, "send", send)


def watch_closes(points: KillPoints) -> None:
    """K13, K14: a stop has fired, and its order stands in ORDERS."""
    points.around(Desk, "decide", "K13", lambda _, word: isinstance(word, StopFired))
    usual_submit, usual_stored = OrderSender.submit, OrderSender._stored

    def submit(sender: OrderSender, order: Any, subject: str) -> None:
        if is_close(order):
            points.passing("K14", "before")
        usual_submit(sender, order, subject)

    def stored(sender: OrderSender, sending: Any, *arguments: Any) -> None:
        if is_close(sending.order):
            points.passing("K14", "after")
        usual_stored(sender, sending, *arguments)

    put(OrderSender, "submit", submit)
    put(OrderSender, "_stored", stored)


def is_close(order: object) -> bool:
    """Whether it is the order of a close."""
    return isinstance(order, OrderSubmit) and order.purpose is Purpose.CLOSE


def end_with_parent() -> None:
    """End when whoever keeps this process has ended, even by kill -9: the pipe that he holds breaks then."""
    os.read(sys.stdin.fileno(), 1)
    die()


if __name__ == "__main__":
    threading.Thread(target=end_with_parent, daemon=True).start()
    watched = KillPoints(Path(sys.argv[1]))
    for watch in (watch_inputs, watch_commits, watch_outputs, watch_closes):
        watch(watched)
    sys.exit(run.main(sys.argv[2:]))

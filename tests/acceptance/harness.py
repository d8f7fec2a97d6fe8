"""The real process between real servers, driven by a plain NATS client: JSON over a socket, nothing of ours in between."""

import itertools
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, LiteralString, Self

import psycopg

from tests.bench.raw import RawClient

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 20
Body = dict[str, Any]

CONFIG: Final = """
[trading]
live_enabled = true

[http]
port = 0

[venues.sim]
style = "sell"
netting = false
cutoff_s = "0"
settle_bound_s = "0.2"

[venues.toy]
style = "sell"
netting = false
cutoff_s = "0"
settle_bound_s = "0.2"

[venues.net]
style = "buy_opposite"
netting = true
cutoff_s = "0"
settle_bound_s = "0.2"

[reconcile]
confirm_s = "0.3"
unexplained_s = "1"
timeout_s = "3"
backoff_max_s = "1"

[accounts.looping]
max_repeats = 2

[log]
level = "INFO"
"""
WITHOUT_LIVE: Final = CONFIG.replace("live_enabled = true", "live_enabled = false")
_ids = itertools.count(1)


def instant(after_s: float = 0) -> str:
    """Return now, or a little later, as the wire writes it."""
    return (datetime.now(UTC) + timedelta(seconds=after_s)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def a_name(prefix: str = "T") -> str:
    """Return a name that no other test uses."""
    return f"{prefix}{os.getpid()}x{next(_ids)}"


class Ear(threading.Thread):
    """Hears everything on some subjects, in order, from the moment it stands.

    What a killed process had published and not yet noted, the next one publishes again under its `Nats-Msg-Id`: a stream
    keeps the first, and so does an ear.
    """

    def __init__(self, url: str, *subjects: str) -> None:
        super().__init__(daemon=True)
        self._client = RawClient(url)
        for sid, subject in enumerate(subjects, start=1):
            self._client.subscribe(subject, sid)
        self._client.settimeout(None)
        self._heard: list[tuple[str, Body]] = []
        self._ids: set[bytes] = set()
        self._more = threading.Condition()
        self.start()

    def run(self) -> None:
        try:
            for subject, _, headers, body in self._client.messages_with_headers():
                if self._is_repeated(headers):
                    continue
                with self._more:
                    self._heard.append((subject, json.loads(body)))
                    self._more.notify_all()
        except OSError:
            return  # closed

    def _is_repeated(self, headers: bytes) -> bool:
        ids = {line for line in headers.split(b"\r\n") if line.startswith(b"Nats-Msg-Id:")}
        is_known = bool(ids & self._ids)
        self._ids |= ids
        return is_known

    def close(self) -> None:
        """Stop hearing."""
        self._client.close()
        self.join()

    def so_far(self, matches: Callable[[str, Body], bool]) -> list[Body]:
        """Return what was heard until now."""
        with self._more:
            return [body for subject, body in self._heard if matches(subject, body)]

    def wait_for(self, matches: Callable[[str, Body], bool], count: int = 1) -> Body:
        """Return the `count`-th match. Raises: AssertionError with what was heard instead."""
        deadline = time.monotonic() + PATIENCE_S
        with self._more:
            while True:
                found = [body for subject, body in self._heard if matches(subject, body)]
                if len(found) >= count:
                    return found[count - 1]
                left_s = deadline - time.monotonic()
                if left_s <= 0:
                    heard = "\n".join(f"{subject} {json.dumps(body)[:300]}" for subject, body in self._heard[-40:])
                    raise AssertionError(f"heard {len(found)} of {count}; the last words were:\n{heard}")
                self._more.wait(left_s)


class Venue(threading.Thread):
    """The adapter of the venues `sim` and `net`: answers `venue.request.*` with what `orders`, `fills` and `positions` say.

    positions: by account, ticker and side, kept by what `Watchkeeper` was made to adopt and to fill. silent: accounts of which
    nobody answers. wrong: by account, the bytes that come instead of an answer. page_rows: of each list.
    """

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self.orders: list[Body] = []
        self.fills: list[Body] = []
        self.positions: dict[tuple[str, str, str], Decimal] = {}
        self.asked: list[tuple[str, Body]] = []
        self.silent: set[str] = set()
        self.wrong: dict[str, bytes] = {}
        self.page_rows = 100
        self._client = RawClient(url)
        for sid, name in enumerate(("sim", "net"), start=1):
            self._client.subscribe(f"venue.request.*.{name}", sid)
        self._client.settimeout(None)
        self.start()

    def close(self) -> None:
        """Answer no more."""
        self._client.close()
        self.join()

    def run(self) -> None:
        with suppress(OSError):
            for subject, reply, body in self._client.messages():
                kind, question = subject.split(".")[2], json.loads(body)
                self.asked.append((kind, question))
                if question["account"] not in self.silent:
                    self._client.publish(reply, self._answer(kind, question))

    def _answer(self, kind: str, question: Body) -> bytes:
        account = question["account"]
        if account in self.wrong:
            return self.wrong[account]
        found = [one for one in self._rows(kind, account) if _is_asked_for(one, question)]
        start = int(question.get("after", 0))
        page: Body = {kind: found[start : start + self.page_rows]}
        if len(found) > start + self.page_rows:
            page["next"] = str(start + self.page_rows)
        return json.dumps(page, default=str).encode()

    def _rows(self, kind: str, account: str) -> list[Body]:
        if kind == "positions":
            return [
                {"ticker": ticker, "side": side, "quantity": quantity}
                for (owner, ticker, side), quantity in self.positions.items()
                if owner == account and quantity
            ]
        known = self.orders if kind == "orders" else self.fills
        return [
            {name: value for name, value in one.items() if name != "account"}
            for one in known
            if one.get("account", account) == account
        ]

    def hold(self, account: str, ticker: str, side: str, quantity: Decimal) -> None:
        """Change a position by so much."""
        key = (account, ticker, side)
        self.positions[key] = self.positions.get(key, Decimal(0)) + quantity

    def fill(self, order: Body, quantity: str) -> None:
        """Change a position as an order of ours does that is filled."""
        entry = order["purpose"] == "entry"
        side = order["side"] if entry or order["action"] == "sell" else {"yes": "no", "no": "yes"}[order["side"]]
        self.hold(order["account"], order["ticker"], side, Decimal(quantity) if entry else -Decimal(quantity))


def _is_asked_for(one: Body, question: Body) -> bool:
    wanted = question.get("client_order_id")
    return wanted in (None, one.get("client_order_id")) and one.get("ts", "z") >= question.get("since", "")


class Watchkeeper:
    """One `serve` and the plain client beside it. `start` again after `kill` is a restart on the same servers.

    entry: what Python runs, before the command.
    """

    def __init__(self, url: str, dsn: str, admin_dsn: str, folder: Path, config: str = CONFIG) -> None:
        self.url = url
        self.dsn = dsn
        self.entry: tuple[str, ...] = ("run.py",)
        self._admin_dsn = admin_dsn
        self._log = (folder / "serve.log").open("ab")
        self._config = folder / "watchkeeper.toml"
        self.recording = folder / "recording"
        self._config.write_text(f'{config}\n[recorder]\nfolder = "{self.recording}"\n')
        self._process: subprocess.Popen[bytes] | None = None
        self.venue = Venue(url)
        self.ear = Ear(
            url, "trade.event.>", "order.submit.>", "order.cancel.>", "stop.>", "notice.>", "settings.event.>"
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """End the process, if it runs, and close what was opened."""
        if self._process is not None and self._process.poll() is None:
            self.kill()
        self.ear.close()
        self.venue.close()
        self._log.close()

    @property
    def environment(self) -> dict[str, str]:
        """What the process is started with."""
        return {**os.environ, "WATCHKEEPER_NATS_URL": self.url, "WATCHKEEPER_POSTGRES_DSN": self.dsn}

    def start(self) -> None:
        """Start `serve` and return once it watches."""
        self.begin()
        self.await_ready()

    def begin(self) -> None:
        """Start `serve`; returns at once."""
        command = [sys.executable, *self.entry, "serve", "--config", str(self._config)]
        self._process = subprocess.Popen(command, cwd=ROOT, env=self.environment, stdout=self._log, stderr=self._log)

    def await_ready(self) -> None:
        """Return once the process watches; it must live."""
        assert self._process is not None
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            assert self._process.poll() is None, f"serve ended with {self._process.returncode}: {self.log()}"
            reply = self.ask("system.request.status", {}, timeout_s=0.3)
            if reply is not None and reply["ok"] and reply["result"]["ready"]:
                return
        raise AssertionError(f"serve did not become ready: {self.log()}")

    def kill(self) -> None:
        """kill -9."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def stop(self) -> int:
        """Stop it as supervisor would; returns its exit code."""
        assert self._process is not None
        self._process.terminate()
        return self._process.wait(30)

    def await_end(self) -> int:
        """Wait until it ends by itself; returns its exit code."""
        assert self._process is not None
        return self._process.wait(PATIENCE_S)

    def log(self) -> str:
        """Return the end of what the process logged."""
        return Path(self._log.name).read_text()[-4000:]

    def replayed(self, *words: str) -> Body:
        """Return what `replay` says of all that was recorded so far."""
        told = self.command("replay", str(self.recording), "--json", *words)
        assert told.stdout, told.stderr
        return dict(json.loads(told.stdout))

    def command(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Run a command of the command line against the same servers."""
        command = [sys.executable, "run.py", *words]
        return subprocess.run(
            command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False, timeout=60
        )

    # The plain client

    def publish(self, subject: str, body: Body | bytes) -> None:
        """Publish one message."""
        # A client of its own: one that only speaks answers no PING, and a server ends it after some minutes.
        with RawClient(self.url) as client:
            client.publish(subject, body if isinstance(body, bytes) else json.dumps(body).encode())
            client.flush()

    def ask(self, subject: str, body: Body | bytes, timeout_s: float = PATIENCE_S) -> Body | None:
        """Ask one question; None if nobody answers."""
        with RawClient(self.url) as client:
            inbox = a_name("_INBOX.acceptance.")
            client.subscribe(inbox)
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            client.send(b"PUB %s %s %d\r\n%s\r\n" % (subject.encode(), inbox.encode(), len(data), data))
            client.settimeout(timeout_s)
            try:
                answer = next(client.messages())[2]
            except TimeoutError:
                return None
            return dict(json.loads(answer)) if answer else None

    def demand(self, subject: str, body: Body | bytes) -> Body:
        """Ask one question that must be answered."""
        if subject == "trade.request.adopt" and isinstance(body, dict):
            self.venue.hold(body["account"], body["ticker"], body["side"], Decimal(body["quantity"]))
        reply = self.ask(subject, body)
        assert reply is not None, f"nobody answered {subject}: {self.log()}"
        return reply

    def quote(self, ticker: str, yes_bid: str | None, yes_ask: str | None, **more: Any) -> None:
        """Publish one quote of an event contract."""
        self.publish(
            f"market.quote.{ticker}",
            {"ticker": ticker, "ts": instant(), "source": "test", "yes_bid": yes_bid, "yes_ask": yes_ask, **more},
        )

    def report(self, order: Body, status: str, **more: Any) -> None:
        """Publish a report as an executor would."""
        body = {"client_order_id": order["client_order_id"], "ts": instant(), "status": status, **more}
        self.publish(f"order.report.{order['client_order_id']}", body)

    def fill(
        self, order: Body, price: str, quantity: str, *, cumulative: str | None = None, fees: str = "0", n: int = 1
    ) -> None:
        """Publish a fill as an executor would; the whole order unless `cumulative` says less."""
        total = cumulative or quantity
        self.venue.fill(order, quantity)
        status = "filled" if total == order["quantity"] else "partially_filled"
        fill = {
            "fill_id": f"{order['client_order_id']}-f{n}",
            "fill_price": price,
            "fill_quantity": quantity,
            "fees": fees,
        }
        self.report(order, status, **fill, cumulative_quantity=total)

    def event(self, trade_id: str, state: str, count: int = 1) -> Body:
        """Wait for a trade to be in `state`."""
        return self.ear.wait_for(lambda subject, _: subject == f"trade.event.{state}.{trade_id}", count)

    def order(self, client_order_id: str) -> Body:
        """Wait for an order to leave."""
        return self.ear.wait_for(
            lambda subject, body: subject.startswith("order.submit.") and body["client_order_id"] == client_order_id
        )

    def orders_of(self, trade_id: str) -> list[str]:
        """Return the ids of the orders of a trade that left until now."""
        return [
            b["client_order_id"]
            for b in self.ear.so_far(lambda s, b: s.startswith("order.submit.") and b["trade_id"] == trade_id)
        ]

    def notice(self, kind: str, trade_id: str | None = None) -> Body:
        """Wait for a notice."""
        return self.ear.wait_for(
            lambda subject, body: (
                subject.startswith("notice.") and body["kind"] == kind and trade_id in (None, body.get("trade_id"))
            )
        )

    def health_of(self, account: str, stands: Callable[[Body], bool]) -> Body:
        """Return how `system status` says that an account stands, once it does so."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            told = self.demand("system.request.status", {"account": account})["result"].get("accounts", ())
            found = next(iter(told), None)
            if found is not None and stands(found):
                return dict(found)
            assert time.monotonic() < deadline, f"{account}: {found}"
            time.sleep(0.02)

    # PostgreSQL

    def rows(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Read PostgreSQL."""
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            connection.execute("set search_path to watchkeeper")
            return connection.execute(sql, parameters).fetchall()

    def administer(self, *statements: LiteralString) -> None:
        """Do something to PostgreSQL as its superuser."""
        with psycopg.connect(self._admin_dsn, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)

    @contextmanager
    def no_commits(self) -> Iterator[None]:
        """Let nothing be written into PostgreSQL meanwhile: a lock stands before every order and trade."""
        with psycopg.connect(self._admin_dsn) as connection:
            connection.execute("lock table watchkeeper.trades, watchkeeper.orders in exclusive mode")
            yield
            connection.rollback()

    def await_rows(self, wanted: list[tuple[Any, ...]], sql: str, *parameters: object) -> None:
        """Wait until PostgreSQL holds exactly `wanted`: commits run beside what leaves directly."""
        deadline = time.monotonic() + PATIENCE_S
        while (found := self.rows(sql, *parameters)) != wanted:
            assert time.monotonic() < deadline, f"{found} instead of {wanted}"
            time.sleep(0.02)


def an_open(**changes: Any) -> Body:
    """Return a request to open a live trade of ten contracts on `sim`, with a price stop at 0.40 that fires at the first tick."""
    trade_id = a_name()
    return {
        "trade_id": trade_id,
        "account": f"acc-{trade_id}",
        "venue": "sim",
        "mode": "live",
        "ticker": f"M-{trade_id}",
        "side": "yes",
        "quantity": "10",
        "limit_price": "0.62",
        "requested_by": "acceptance",
        "stops": [{"rule": "price", "stop_price": "0.40", "confirm_ticks": "1"}],
        **changes,
    }


def an_adoption(**changes: Any) -> Body:
    """Return a request to adopt the same trade at 0.60."""
    return {**an_open(), "entry_price": "0.60", "entry_ts": instant(-60), **changes}

"""Loopback HTTP for whoever runs the process: `/live`, `/ready`, `/metrics`.

`/live`: the process answers. `/ready`: it leads and every open trade is watched; supervisord's RUNNING does not say that. The
figures are those of `system.request.status`, read from the same counters; nothing is asked of an actor.
"""

import errno
import json
import threading
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

from loguru import logger
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from bus.messages.system import Status
from bus.messages.units import NS_PER_S

_TEXT: Final = "text/plain; version=0.0.4; charset=utf-8"
_REQUEST_TIMEOUT_S: Final = 5
_BIND_AGAIN_S: Final = 2.0


class _StatusCollector(Collector):
    """The status as Prometheus reads it."""

    def __init__(self, status: Callable[[], Status]) -> None:
        self._status = status

    def collect(self) -> Iterable[Metric]:
        status = self._status()
        yield _gauge("ready", "1 while it leads and watches every open trade", {(): int(status.ready)})
        yield _gauge("epoch", "the epoch it leads in", {(): status.epoch})
        yield _gauge("trades", "trades that have not ended", {(k,): v for k, v in status.trades.items()}, "state")
        yield _gauge("coverage", "open trades by coverage", {(k,): v for k, v in status.coverage.items()}, "coverage")
        yield _gauge(
            "account_unresolved",
            "what does not agree between an account and its venue",
            {(a.venue, a.account): len(a.unresolved) for a in status.accounts},
            "venue",
            "account",
        )
        yield _gauge(
            "account_reconciled_seconds",
            "since when all agrees, seconds since the epoch; 0 while something does not",
            {(a.venue, a.account): (a.reconciled_ts or 0) // NS_PER_S for a in status.accounts},
            "venue",
            "account",
        )
        yield from _coverage(status)
        yield _gauge("inbox_words", "words waiting for an actor", {(a.name,): a.inbox for a in status.actors}, "actor")
        yield _gauge("actor_restarts", "restarts of an actor", {(a.name,): a.restarts for a in status.actors}, "actor")
        servers: dict[tuple[str, ...], int] = {
            (name,): int(standing == "up") for name, standing in status.databases.items()
        }
        yield _gauge("server_up", "1 while a server answers", servers, "server")
        fill: dict[tuple[str, ...], int] = {(name,): percent for name, percent in status.stream_fill_percent.items()}
        yield _gauge("stream_fill_percent", "how full a stream on disk is", fill, "stream")
        yield _gauge("quarantined", "inputs in quarantine since the start", {(): status.quarantined})
        missed = CounterMetricFamily("watchkeeper_missed_ticks", "ticks that went by while NATS was away, at least")
        missed.add_metric((), status.missed_ticks)
        yield missed
        folded: dict[tuple[str, ...], int] = {(actor.name,): actor.folded for actor in status.actors}
        yield _gauge("folded_ticks", "ticks of a flood that an actor never saw, since the start", folded, "actor")
        late: dict[tuple[str, ...], int] = {(actor.name,): actor.late for actor in status.actors}
        yield _gauge("late_ticks", "ticks that were gone again when they came, since the start", late, "actor")


def _coverage(status: Status) -> Iterable[Metric]:
    seconds = CounterMetricFamily(
        "watchkeeper_unprotected_trade_seconds",
        "unprotected trade-seconds since the start, by reason",
        labels=("reason",),
    )
    for why, spent in status.unprotected_seconds.items():
        seconds.add_metric((why,), float(spent))
    yield seconds
    now = "open trades that are unprotected now, by reason"
    yield _gauge("unprotected_trades", now, {(why,): count for why, count in status.unprotected.items()}, "reason")
    for name, meaning, value in (
        (
            "unprotected_last_hour_seconds",
            "unprotected trade-seconds of the last hour",
            status.unprotected_last_hour_seconds,
        ),
        ("unprotected_allowed_seconds", "how many are allowed; 0: no objective", status.unprotected_allowed_seconds),
    ):
        family = GaugeMetricFamily(f"watchkeeper_{name}", meaning)
        family.add_metric((), float(value))
        yield family
    mismatches = CounterMetricFamily("watchkeeper_coverage_mismatches", "trades whose coverage could not be right")
    mismatches.add_metric((), status.coverage_mismatches)
    yield mismatches


def _gauge(name: str, meaning: str, values: Mapping[tuple[str, ...], int], *labels: str) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"watchkeeper_{name}", meaning, labels=labels)
    for label, value in values.items():
        family.add_metric(label, value)
    return family


class Probes:
    """The HTTP server, on a thread of its own. `port` is the one in force, also where 0 asked for a free one.

    A port that is taken is tried again until it is free: two instances of one machine have the same settings, and the one that
    stands by, or was started by a new supervisord beside an old child, must not fail for it (fault 47).
    """

    def __init__(self, host: str, port: int, status: Callable[[], Status]) -> None:
        registry = CollectorRegistry()
        registry.register(_StatusCollector(status))
        pages: dict[str, Callable[[], tuple[HTTPStatus, str, bytes]]] = {
            "/live": lambda: (HTTPStatus.OK, "text/plain", b"live\n"),
            "/ready": lambda: _ready(status()),
            "/metrics": lambda: (HTTPStatus.OK, _TEXT, generate_latest(registry)),
        }

        class Handler(BaseHTTPRequestHandler):
            timeout = _REQUEST_TIMEOUT_S

            def do_GET(self) -> None:
                page = pages.get(self.path)
                found = page() if page else (HTTPStatus.NOT_FOUND, "text/plain", b"/live /ready /metrics\n")
                code, kind, body = found
                self.send_response(code)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's name
                logger.debug("probe: " + format.replace("%s", "{}").replace("%d", "{}"), *args)

        self._host = host
        self.port = port
        self._handler = Handler
        self._server: ThreadingHTTPServer | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="probes", daemon=True)

    def start(self) -> None:
        """Begin to answer; later, if the port is taken."""
        if not self._bind():
            logger.bind(action="probes.taken").warning("port {} is taken: nobody is answered there yet", self.port)
        self._thread.start()

    def stop(self) -> None:
        """Stop answering."""
        self._stopping.set()
        if self._server is not None:
            self._server.shutdown()
        self._thread.join()

    def _serve(self) -> None:
        while self._server is None:
            if self._stopping.wait(_BIND_AGAIN_S):
                return
            self._bind()
        with self._server:
            if not self._stopping.is_set():
                self._server.serve_forever()

    def _bind(self) -> bool:
        try:
            self._server = ThreadingHTTPServer((self._host, self.port), self._handler)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            return False
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        return True


def _ready(status: Status) -> tuple[HTTPStatus, str, bytes]:
    code = HTTPStatus.OK if status.ready else HTTPStatus.SERVICE_UNAVAILABLE
    return code, "application/json", json.dumps({"ready": status.ready, "why": status.why_not_ready}).encode() + b"\n"

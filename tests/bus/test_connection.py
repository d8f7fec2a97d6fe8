"""The connection's own health, against servers that misbehave."""

import asyncio
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bus.connection import Connection, ConnectionSettings
from bus.embedded import EmbeddedServer
from bus.errors import ServerUnavailable
from tests.fixtures.proxy import Proxy


def settings(url: str, **changes: Any) -> ConnectionSettings:
    given: dict[str, Any] = {"url": url, "connect_timeout_s": 1, "reconnect_wait_ms": 20, "pulse_s": 0.1} | changes
    return ConnectionSettings(**given)


class Watched:
    """A connection whose changes of state can be awaited."""

    def __init__(self, url: str, **changes: Any) -> None:
        self.up = asyncio.Event()
        self.down = asyncio.Event()
        self.fatal: asyncio.Queue[str] = asyncio.Queue()
        self.connection = Connection(
            settings(url, **changes),
            on_up=self.up.set,
            on_down=lambda _: self.down.set(),
            on_fatal=self.fatal.put_nowait,
        )


def run(scenario: Callable[[], Any]) -> None:
    asyncio.run(asyncio.wait_for(scenario(), 20))


def test_it_comes_back_after_a_killed_server(fresh_server: EmbeddedServer) -> None:
    """Fault 9"""

    async def scenario() -> None:
        watched = Watched(fresh_server.url)
        await watched.connection.open()
        watched.up.clear()

        fresh_server.kill()
        await watched.down.wait()
        fresh_server.start()

        await watched.up.wait()
        await watched.connection.flush()
        await watched.connection.close()

    run(scenario)


def test_it_finds_a_hung_server_and_comes_back_when_it_moves_again(fresh_server: EmbeddedServer) -> None:
    """Fault 10: a stopped server looks connected; only the pulse tells."""

    async def scenario() -> None:
        watched = Watched(fresh_server.url, ping_interval_s=3600)
        await watched.connection.open()
        watched.up.clear()

        fresh_server.send(signal.SIGSTOP)
        await watched.down.wait()
        fresh_server.send(signal.SIGCONT)

        await watched.up.wait()
        await watched.connection.flush()
        await watched.connection.close()

    run(scenario)


def test_it_is_fatal_when_its_own_echo_stays_out_three_times(nats_url: str) -> None:
    """Fault 10, Lesson 17: connected is not hearing."""

    async def scenario() -> None:
        watched = Watched(nats_url)
        await watched.connection.open()
        client = watched.connection._client
        client._direct.clear()
        client.listen = _hears_nothing  # type: ignore[method-assign]

        assert "deaf" in await watched.fatal.get()
        await watched.connection.close()

    run(scenario)


async def _hears_nothing(*_: object, **__: object) -> int:
    return 0


def test_a_listener_for_its_state_that_fails_cannot_end_reconnecting(fresh_server: EmbeddedServer) -> None:
    """Fault 11"""

    def explode(_why: str) -> None:
        raise RuntimeError("a listener's own fault")

    async def scenario() -> None:
        back = asyncio.Event()
        connection = Connection(settings(fresh_server.url), on_down=explode, on_up=back.set)
        await connection.open()
        back.clear()

        fresh_server.kill()
        fresh_server.start()

        await back.wait()
        await connection.close()

    run(scenario)


def test_a_protocol_error_that_closes_the_client_for_good_is_fatal(nats_url: str) -> None:
    """Fault 12"""

    async def scenario() -> None:
        watched = Watched(nats_url)
        await watched.connection.open()

        await watched.connection._client._process_err("'authorization violation'")

        assert "closed" in await watched.fatal.get()

    run(scenario)


def test_closing_it_ourselves_is_not_fatal(nats_url: str) -> None:
    async def scenario() -> None:
        watched = Watched(nats_url)
        await watched.connection.open()

        await watched.connection.close()

        assert watched.fatal.empty()

    run(scenario)


def test_an_input_whose_listener_fails_is_fatal_and_the_connection_reads_on(nats_url: str) -> None:
    async def scenario() -> None:
        watched = Watched(nats_url)
        await watched.connection.open()
        heard = asyncio.Event()

        def listener(_subject: str, _reply: str, body: bytes, _headers: bytes) -> None:
            if body == b"poison":
                raise ValueError(body)
            heard.set()

        await watched.connection.listen("x", listener)
        watched.connection.post("x", b"poison")
        watched.connection.post("x", b"good")

        assert "poison" in await watched.fatal.get()
        await heard.wait()
        await watched.connection.close()

    run(scenario)


def test_without_a_server_it_says_so(tmp_path: Path) -> None:
    """Fault 49"""
    with EmbeddedServer(tmp_path) as server:
        url = server.url

    async def scenario() -> None:
        connection = Connection(settings(url))

        with pytest.raises(ServerUnavailable):
            await connection.open(timeout_s=0.3)

    run(scenario)


def test_nothing_published_while_it_is_away_flies_late(fresh_server: EmbeddedServer) -> None:
    """Fault 9: a buffered order would be sent after its time."""

    async def scenario() -> None:
        watched = Watched(fresh_server.url)
        await watched.connection.open()
        heard: list[bytes] = []
        await watched.connection.listen("x", lambda _s, _r, body, _h: heard.append(body))
        watched.up.clear()
        refused = asyncio.Event()

        fresh_server.kill()
        await watched.down.wait()
        watched.connection.post("x", b"late", failed=refused.set)
        await refused.wait()
        fresh_server.start()
        await watched.up.wait()
        watched.connection.post("x", b"fresh")
        await watched.connection.flush()

        assert heard == [b"fresh"]
        await watched.connection.close()

    run(scenario)


def test_a_flood_in_front_of_its_echo_is_not_deafness(nats_url: str) -> None:
    """Fault 39: reconnecting would throw the flood away."""

    async def scenario() -> None:
        watched = Watched(nats_url)
        await watched.connection.open()
        client = watched.connection._client
        loop = asyncio.get_running_loop()
        client._direct.clear()
        flooded = asyncio.Event()
        began = loop.time()

        def hear(*_: object) -> None:
            watched.connection.post("x", b"")
            if loop.time() - began > 0.5:
                flooded.set()

        await watched.connection.listen("x", hear)
        watched.connection.post("x", b"")
        await flooded.wait()

        assert (watched.connection.deaf, watched.connection.reconnects) == (0, 0)
        await watched.connection.close()

    run(scenario)


def test_it_connects_to_a_server_that_comes_later_and_says_meanwhile_why_not(tmp_path: Path) -> None:
    """Fault 49"""
    server = EmbeddedServer(tmp_path)
    server.start()
    server.stop()

    async def scenario() -> None:
        watched = Watched(server.url, connect_timeout_s=0.2)
        watched.connection.begin()
        await watched.down.wait()

        server.start()

        await watched.up.wait()
        await watched.connection.flush()
        assert watched.fatal.empty()
        await watched.connection.close()
        server.stop()

    run(scenario)


def test_one_that_has_never_connected_can_be_closed(tmp_path: Path) -> None:
    """Fault 48"""
    with EmbeddedServer(tmp_path) as server:
        url = server.url

    async def scenario() -> None:
        watched = Watched(url, connect_timeout_s=0.1)
        watched.connection.begin()
        await watched.down.wait()

        await watched.connection.close(0.1)

        assert watched.fatal.empty()

    run(scenario)


def test_it_finds_a_half_open_line_and_comes_back_through_a_new_one(nats_proxy: Proxy) -> None:
    """Fault 10"""

    async def scenario() -> None:
        watched = Watched(nats_proxy.url(), ping_interval_s=3600)
        await watched.connection.open()
        watched.up.clear()

        nats_proxy.hold()
        await watched.down.wait()
        nats_proxy.release()

        await watched.up.wait()
        await watched.connection.flush()
        assert watched.fatal.empty()
        await watched.connection.close()

    run(scenario)


def test_one_that_hears_but_whose_own_words_go_nowhere_is_found_out(nats_url: str, nats_proxy: Proxy) -> None:
    """Fault 10: a line may be cut in one direction alone."""

    async def scenario() -> None:
        watched = Watched(nats_proxy.url(), ping_interval_s=3600, late_max_s=0.5)
        await watched.connection.open()
        talker = Connection(settings(nats_url))
        await talker.open()
        await watched.connection.listen("x", lambda *_: talker.post("x", b""))
        await watched.connection.flush()
        talker.post("x", b"")

        nats_proxy.up.hold()

        await watched.down.wait()
        nats_proxy.up.release()
        await talker.close()
        await watched.connection.close()

    run(scenario)


def test_an_outage_of_any_length_is_not_fatal(nats_proxy: Proxy) -> None:
    """Fault 10: a hung server takes connections and says nothing; each try ends by itself."""

    async def scenario() -> None:
        watched = Watched(nats_proxy.url(), connect_timeout_s=0.1, stuck_s=0.6)
        await watched.connection.open()
        watched.up.clear()
        nats_proxy.hold()
        await watched.down.wait()

        await asyncio.sleep(1.5)
        nats_proxy.release()

        await watched.up.wait()
        assert watched.fatal.empty()
        await watched.connection.close()

    run(scenario)


def test_a_line_that_is_found_deaf_long_after_it_was_made_is_made_anew(nats_proxy: Proxy) -> None:
    """Fault 10: the last try to connect was long ago because there was no need of one."""

    async def scenario() -> None:
        watched = Watched(nats_proxy.url(), ping_interval_s=3600, connect_timeout_s=0.1, stuck_s=0.6)
        await watched.connection.open()
        await asyncio.sleep(0.8)
        watched.up.clear()

        nats_proxy.hold()
        await watched.down.wait()
        nats_proxy.release()

        await watched.up.wait()
        assert watched.fatal.empty()
        await watched.connection.close()

    run(scenario)


def test_a_client_that_does_not_try_any_more_is_fatal(nats_proxy: Proxy) -> None:
    """Fault 10, Fault 11: nats-py's task can hang or die, and nobody is told (nats.py#671, #204)."""

    async def scenario() -> None:
        watched = Watched(nats_proxy.url(), stuck_s=0.3)
        await watched.connection.open()
        watched.connection._client._attempt_reconnect = asyncio.Event().wait  # type: ignore[assignment, method-assign]

        nats_proxy.refuse()

        assert "tried to reconnect" in await watched.fatal.get()
        await watched.connection.close()

    run(scenario)


def test_it_is_fatal_when_nobody_watches_over_it_any_more(nats_url: str) -> None:
    """Lesson 17"""

    async def scenario() -> None:
        watched = Watched(nats_url)
        await watched.connection.open()

        watched.connection.post = None  # type: ignore[assignment, method-assign]

        assert "watches" in await watched.fatal.get()
        await watched.connection.close()

    run(scenario)


def stand_still() -> None:
    """Give the whole loop no turn."""
    time.sleep(1.5)


def test_a_process_that_was_paused_is_not_deaf_when_it_goes_on(nats_url: str) -> None:
    """Fault 46: its echo waits in the socket, unread."""

    async def scenario() -> None:
        watched = Watched(nats_url)
        await watched.connection.open()
        await watched.connection.flush()

        stand_still()
        await asyncio.sleep(0.3)

        assert (watched.connection.deaf, watched.connection.reconnects) == (0, 0)
        await watched.connection.close()

    run(scenario)

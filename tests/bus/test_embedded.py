"""The embedded server against the real binary."""

import signal
import subprocess
import sys
from pathlib import Path

import psutil

from bus.embedded import EmbeddedServer

_PARENT = """
import sys, pathlib
from bus.embedded import EmbeddedServer
server = EmbeddedServer(pathlib.Path(sys.argv[1]))
server.start()
print(server.pid, flush=True)
sys.stdin.read()
"""


def test_it_listens_on_a_free_loopback_port(nats_server: EmbeddedServer) -> None:
    listening = {
        entry.laddr for entry in psutil.Process(nats_server.pid).net_connections("tcp") if entry.status == "LISTEN"
    }

    assert {address.ip for address in listening} == {"127.0.0.1"}
    assert nats_server.port in {address.port for address in listening}


def test_a_restart_keeps_its_port_and_takes_connections_again(tmp_path: Path) -> None:
    with EmbeddedServer(tmp_path) as server:
        url, first = server.url, server.pid

        server.kill()
        server.start()

        assert (server.url, server.pid != first) == (url, True)


def test_it_ends_with_its_parent_even_after_kill_9(tmp_path: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", _PARENT, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert parent.stdout is not None
    assert parent.stdin is not None
    server = psutil.Process(int(parent.stdout.readline()))

    parent.send_signal(signal.SIGKILL)
    parent.communicate()

    assert psutil.wait_procs([server], timeout=10)[1] == []


def test_stopping_it_leaves_no_process_behind(tmp_path: Path) -> None:
    server = EmbeddedServer(tmp_path)
    server.start()
    process = psutil.Process(server.pid)

    server.stop()

    assert not process.is_running()


def test_every_acknowledged_message_is_on_disk_before_its_acknowledgement(nats_server: EmbeddedServer) -> None:
    """Fault 9: without `sync_interval: always` acknowledged messages die with the power."""
    config = (nats_server.folder / "nats-server.conf").read_text()

    assert "sync_interval: always" in config
    assert str(nats_server.folder) in config

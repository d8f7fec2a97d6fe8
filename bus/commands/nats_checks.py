"""What `run.py check` asks of NATS: reachable, new enough, JetStream on, the streams as they should be, its clock near ours."""

import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from nats.aio.client import Client
from nats.errors import Error as NatsError

from bus.commands.client import NatsClient
from bus.messages.units import NS_PER_MS
from bus.streams import StreamSizes, definitions, drift
from bus.subjects import Prefix
from config.checks import Finding, fail, note, ok
from config.command_line import NoAnswer
from config.settings import Nats, Settings

VERSION_LEAST: Final = (2, 14)
SKEW_MS_MAX: Final = 1000
FILL_ALARM_PERCENT: Final = 70
_API_WITHIN_S: Final = 5.0
_NO_STREAM: Final = 10059


def nats_answers(settings: Settings) -> Iterator[Finding]:
    """Test NATS; nothing is changed there."""
    if not settings.nats.url:
        yield fail("nats", "no address: set WATCHKEEPER_NATS_URL, such as nats://127.0.0.1:4222")
        return
    try:
        with NatsClient(settings.nats) as client:
            yield from client.run(lambda library: _ask(library, settings.nats))
    except NoAnswer as error:
        yield fail("nats", str(error))


async def _ask(client: Client, settings: Nats) -> list[Finding]:
    version = client.connected_server_version
    findings = [
        _version((version.major, version.minor), f"{version.major}.{version.minor}.{version.patch}"),
        payload_finding(client.max_payload, settings.max_message_bytes),
    ]
    try:
        account = await _api(client, "INFO")
    except (NatsError, TimeoutError):
        account = {"error": {"description": "nobody answers"}}
    if "error" in account:
        why = account["error"].get("description")
        return [*findings, fail("jetstream", f"not available ({why}): turn JetStream on in the server's configuration")]
    findings.append(ok("jetstream", f"{account.get('streams', 0)} streams in this account"))
    for short, wanted in definitions(Prefix(settings.prefix), _sizes(settings)).items():
        asked_ns = time.time_ns()
        info = await _api(client, f"STREAM.INFO.{wanted['name']}")
        now_ns = (asked_ns + time.time_ns()) // 2
        findings.extend(stream_findings(short, wanted, info, now_ns))
    return findings


async def _api(client: Client, verb: str) -> dict[str, Any]:
    answer = await client.request(f"$JS.API.{verb}", b"", timeout=_API_WITHIN_S)
    document: dict[str, Any] = msgspec.json.decode(answer.data, type=dict[str, Any])
    return document


def _sizes(settings: Nats) -> StreamSizes:
    return StreamSizes(**{name: getattr(settings, name) for name in StreamSizes.__dataclass_fields__})


def _version(version: tuple[int, int], shown: str) -> Finding:
    if version >= VERSION_LEAST:
        return ok("nats", f"nats-server {shown} answers")
    return fail("nats", f"nats-server {shown} is too old: 2.14 or newer is needed (message TTL, security fixes)")


def payload_finding(server_bytes: int, ours_bytes: int) -> Finding:
    """Return whether the server takes messages as large as ours."""
    if server_bytes >= ours_bytes:
        return ok("nats", f"takes messages of up to {server_bytes} bytes")
    return fail(
        "nats",
        f"max_payload is {server_bytes} bytes, nats.max_message_bytes {ours_bytes}: raise the one or lower the other",
    )


def stream_findings(short: str, wanted: Mapping[str, Any], info: Mapping[str, Any], now_ns: int) -> Iterator[Finding]:
    """Yield what `info`, the server's answer about a stream, says. now_ns: our clock when the server answered."""
    if "error" in info:
        if info["error"].get("err_code") == _NO_STREAM:
            yield note(
                "streams", f"{wanted['name']} does not exist yet: the first `serve` makes it, unless it is on record"
            )
        else:
            yield fail(
                "streams",
                f"{wanted['name']} cannot be read ({info['error'].get('description')}): see this user's permissions",
            )
        return
    if drifted := drift(wanted, info["config"]):
        yield fail("streams", f"{wanted['name']}: {'; '.join(drifted)}: correct the stream, or the settings of [nats]")
    else:
        yield _fill(wanted["name"], info)
    if short == "ORDERS" and "ts" in info:
        yield clock_finding("nats", info["ts"], now_ns)


def _fill(name: str, info: Mapping[str, Any]) -> Finding:
    limit = info["config"].get("max_bytes", -1)
    percent = info["state"]["bytes"] * 100 // limit if limit > 0 else 0
    says = f"{name} is as it should be, {percent} % full"
    if percent < FILL_ALARM_PERCENT or info["config"].get("discard") != "new":
        return ok("streams", says)
    return fail("streams", f"{says}: raise max_bytes before it refuses messages")


def clock_finding(whose: str, theirs: str, ours_ns: int) -> Finding:
    """Return whether the server's clock (`theirs`, RFC 3339) is near ours."""
    their_ns = _instant_ns(theirs)
    skew_ms = (their_ns - ours_ns) // NS_PER_MS
    says = f"{whose}'s clock is {abs(skew_ms)} ms {'ahead of' if skew_ms > 0 else 'behind'} ours"
    if abs(skew_ms) <= SKEW_MS_MAX:
        return ok("clock", says)
    return fail("clock", f"{says}: let both machines keep time by NTP; ticks from the future are refused")


def _instant_ns(text: str) -> int:
    """Read the server's own instants, which have nanoseconds."""
    whole, _, fraction = text.removesuffix("Z").partition(".")
    seconds = int(datetime.fromisoformat(whole).replace(tzinfo=UTC).timestamp())
    return seconds * 10**9 + int(fraction.ljust(9, "0")[:9] or 0)

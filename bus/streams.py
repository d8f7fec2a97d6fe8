"""The four streams: made once, never again in silence, and checked for drift.

A disk stream that is on record (its name and creation time stand in PostgreSQL) and is missing, or was made anew, has lost
what others rely on, and its sequences begin again: that is an alarm for a person, not something to repair at start (faults 13
and 14). MARKET lives in memory and comes back by itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from loguru import logger

from bus.connection import ApiError, Connection
from bus.messages.failures import StreamAlarm
from bus.messages.streams import StreamStanding
from bus.subjects import Prefix, stream_subjects

NO_STREAM: Final = 10059
_DAY_NS: Final = 86_400 * 10**9
_MB: Final = 1024**2


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamSizes:
    """What each stream may hold, MB. max_message_bytes: of one message, headers included."""

    orders_max_mb: int = 256
    ledger_max_mb: int = 1024
    notices_max_mb: int = 128
    market_max_mb: int = 64
    max_message_bytes: int = 65_536


@dataclass(frozen=True, slots=True)
class StreamFacts:
    """A stream as it stands. created: RFC 3339, as the server says it. fill: how full, 0 to 1."""

    name: str
    created: str
    last_sequence: int
    fill: float


def definitions(prefix: Prefix, sizes: StreamSizes) -> dict[str, dict[str, Any]]:
    """Return the configuration of each stream by its short name, as JetStream's API takes it."""
    return {
        "ORDERS": _disk("ORDERS", prefix, sizes, days=7, megabytes=sizes.orders_max_mb) | {"allow_msg_ttl": True},
        "LEDGER": _disk("LEDGER", prefix, sizes, days=30, megabytes=sizes.ledger_max_mb),
        "NOTICES": _disk("NOTICES", prefix, sizes, days=30, megabytes=sizes.notices_max_mb),
        "MARKET": _common("MARKET", prefix, sizes)
        | {
            "storage": "memory",
            "discard": "old",
            "max_age": 10 * 60 * 10**9,
            "max_bytes": sizes.market_max_mb * _MB,
            # Late joiners want the newest of each subject; a busy one must not push the quiet ones out.
            "max_msgs_per_subject": 16,
            "duplicate_window": 0,
        },
    }


def _common(name: str, prefix: Prefix, sizes: StreamSizes) -> dict[str, Any]:
    return {
        "name": prefix.stream(name),
        "subjects": [prefix.add(subject) for subject in stream_subjects(name)],
        "retention": "limits",
        "num_replicas": 1,
        "max_msg_size": sizes.max_message_bytes,
        "allow_direct": True,
    }


def _disk(name: str, prefix: Prefix, sizes: StreamSizes, *, days: int, megabytes: int) -> dict[str, Any]:
    return _common(name, prefix, sizes) | {
        "storage": "file",
        "discard": "new",
        "max_age": days * _DAY_NS,
        "max_bytes": megabytes * _MB,
        "deny_delete": True,
        "deny_purge": True,
        "duplicate_window": _DAY_NS,
    }


async def ensure(
    connection: Connection, prefix: Prefix, sizes: StreamSizes, recorded: Mapping[str, str]
) -> dict[str, StreamFacts]:
    """Make what is missing and was never recorded; return each stream as it stands, by short name.

    recorded: full stream name -> creation time, of those that PostgreSQL knows; the caller records what is new.
    Raises: StreamAlarm when a recorded stream is missing, was made anew, or one has drifted from its definition.
    """
    facts = {}
    for short, wanted in definitions(prefix, sizes).items():
        found = await _info(connection, wanted["name"])
        known = recorded.get(wanted["name"]) if wanted["storage"] == "file" else None
        if found is None:
            if known is not None:
                raise StreamAlarm(f"stream {wanted['name']} is on record since {known}, and is missing")
            found = await connection.api(f"STREAM.CREATE.{wanted['name']}", wanted)
            logger.info("stream {} made", wanted["name"])
        elif known is not None and found["created"] != known:
            raise StreamAlarm(f"stream {wanted['name']} was made anew at {found['created']}; on record is {known}")
        drifted = drift(wanted, found["config"])
        if drifted:
            raise StreamAlarm(f"stream {wanted['name']} has other settings than it should: {'; '.join(drifted)}")
        facts[short] = _facts(found)
    return facts


async def restore_market(connection: Connection, prefix: Prefix, sizes: StreamSizes) -> None:
    """Make MARKET if it is not there: it lives in memory, and is gone when the server was. Raises: BusError."""
    wanted = definitions(prefix, sizes)["MARKET"]
    if await _info(connection, wanted["name"]) is None:
        await connection.api(f"STREAM.CREATE.{wanted['name']}", wanted)
        logger.info("stream {} made again", wanted["name"])


async def look(connection: Connection, prefix: Prefix, sizes: StreamSizes) -> tuple[StreamStanding, ...]:
    """Return how each stream on disk stands, also one that is not there. Raises: BusError."""
    standing = []
    for wanted in definitions(prefix, sizes).values():
        if wanted["storage"] == "file":
            found = await _info(connection, wanted["name"])
            standing.append(_standing(wanted, found))
    return tuple(standing)


def _standing(wanted: Mapping[str, Any], found: Mapping[str, Any] | None) -> StreamStanding:
    if found is None:
        return StreamStanding(name=wanted["name"], created=None)
    facts = _facts(found)
    return StreamStanding(
        name=facts.name,
        created=facts.created,
        last_sequence=facts.last_sequence,
        fill_percent=int(facts.fill * 100),
        drift=tuple(drift(wanted, found["config"])),
    )


async def inspect(connection: Connection, prefix: Prefix, sizes: StreamSizes) -> dict[str, StreamFacts]:
    """Return the streams that exist, by short name; changes nothing."""
    facts = {}
    for short, wanted in definitions(prefix, sizes).items():
        found = await _info(connection, wanted["name"])
        if found is not None:
            facts[short] = _facts(found)
    return facts


def drift(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    """Return what differs, in words; sizes may be larger than ours, for they belong to whoever runs the server."""
    differences = []
    for key, value in wanted.items():
        have = found.get(key, False if isinstance(value, bool) else None)
        is_same = set(have or ()) == set(value) if key == "subjects" else have == value
        if key in {"max_bytes", "duplicate_window"}:
            is_same = have is not None and (have >= value or have == -1)
        if not is_same:
            differences.append(f"{key} is {have!r}, not {value!r}")
    return differences


async def _info(connection: Connection, name: str) -> dict[str, Any] | None:
    try:
        return await connection.api(f"STREAM.INFO.{name}")
    except ApiError as error:
        if error.code == NO_STREAM:
            return None
        raise


def _facts(info: Mapping[str, Any]) -> StreamFacts:
    limit = info["config"].get("max_bytes", -1)
    return StreamFacts(
        name=info["config"]["name"],
        created=info["created"],
        last_sequence=info["state"]["last_seq"],
        fill=info["state"]["bytes"] / limit if limit > 0 else 0.0,
    )

"""Who leads: a record on `order.epoch` in ORDERS, changed by compare-and-set and kept for ever.

Its sequence is the fence. Every order is published with the expectation that this record is still the last on its subject; the
server itself refuses an older leader's (error 10071), also while PostgreSQL is away. `Nats-TTL: never` keeps the record: the
stream's age would delete it after seven days, and then every order would be refused.
"""

import asyncio
import base64
from dataclasses import dataclass
from typing import Any, Final

from bus.connection import ApiError, Connection
from bus.errors import BusError, EpochLost
from bus.messages.orders import EpochRecord
from bus.messages.plain import from_json, to_json
from bus.publisher import WRONG_LAST_SEQUENCE, Outcome, Publisher, Refused, Stored
from bus.subjects import EPOCH, Prefix

EXPECTED_SEQUENCE: Final = "Nats-Expected-Last-Subject-Sequence"
EXPECTED_SUBJECT: Final = "Nats-Expected-Last-Subject-Sequence-Subject"
_NO_MESSAGE: Final = 10037
_TIMEOUT_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Lead:
    """An epoch in force. sequence: of its record in ORDERS, what orders expect."""

    record: EpochRecord
    sequence: int

    def headers(self, prefix: Prefix) -> dict[str, str]:
        """Return the headers that make the server refuse a message once another epoch leads."""
        return {EXPECTED_SEQUENCE: str(self.sequence), EXPECTED_SUBJECT: prefix.add(EPOCH)}


async def read_epoch(connection: Connection, prefix: Prefix, *, timeout_s: float = _TIMEOUT_S) -> Lead | None:
    """Return the epoch in force, None if nobody ever led. Raises: BusError."""
    try:
        answer = await connection.api(
            f"STREAM.MSG.GET.{prefix.stream('ORDERS')}", {"last_by_subj": prefix.add(EPOCH)}, timeout_s=timeout_s
        )
    except ApiError as error:
        if error.code == _NO_MESSAGE:
            return None
        raise
    message: dict[str, Any] = answer["message"]
    return Lead(from_json(EpochRecord, base64.b64decode(message["data"])), int(message["seq"]))


async def take_lead(
    connection: Connection, publisher: Publisher, prefix: Prefix, *, instance: str, known_epoch: int, now_ns: int
) -> Lead:
    """Set the next epoch: the highest of the stream's and `known_epoch` (PostgreSQL's, a snapshot's), plus one.

    Raises: EpochLost when another instance was faster or the outcome is unknown; read again before the next try.
    """
    before = await read_epoch(connection, prefix)
    highest = max(known_epoch, before.record.epoch if before else 0)
    record = EpochRecord(epoch=highest + 1, instance=instance, ts=now_ns)
    headers = {EXPECTED_SEQUENCE: str(before.sequence if before else 0), "Nats-TTL": "never"}
    done: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
    publisher.send(prefix.add(EPOCH), to_json(record), headers, done.set_result, timeout_s=_TIMEOUT_S)
    match await done:
        case Stored(sequence=sequence):
            return Lead(record, sequence)
        case Refused(code=code) if code == WRONG_LAST_SEQUENCE:
            raise EpochLost("another instance took the lead")
        case outcome:
            raise BusError(f"the lead could not be taken: {outcome}")

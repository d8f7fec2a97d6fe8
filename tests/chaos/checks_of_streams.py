"""What the streams hold at the end of a round, against outbox and inbox: nothing is missing, nothing stands there twice."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from bus.codec import Codec
from bus.epoch import EXPECTED_SEQUENCE
from bus.messages.envelope import Received
from tests.bus.builders import a_peer
from tests.chaos.driver import PATIENCE_S
from tests.chaos.world import World

_OURS: Final = (
    "trade.event.",
    "stop.",
    "settings.event.",
    "system.event.",
    "notice.",
    "order.submit.",
    "order.cancel.",
)
_MSG_ID: Final = "Nats-Msg-Id"
_LEFT_BEFORE: Final = {
    "submit": "select 1 from orders where client_order_id = %s",
    "decision": "select 1 from decisions where decision_id = %s",
}
"""What leaves before its commit may have no outbox row, if its process was killed in between: the next one keeps it otherwise."""
_UNKEPT: Final = ("cancel", "notice", "coverage")
"""Said, and lost with the process: the next one finds out by itself what is so, and what is still to be cancelled."""


def of_streams(world: World) -> Iterator[str]:
    """Yield what is wrong."""
    with a_peer(world.nats.url) as peer:
        # Message by message, and all of them are needed, however busy the machine is.
        held = {name: peer._thread.run(peer._stored(name), PATIENCE_S) for name in ("ORDERS", "LEDGER", "NOTICES")}
    ours = Counter(
        kept.headers[_MSG_ID] for stream in held.values() for kept in stream if kept.subject.startswith(_OURS)
    )
    yield from (f"S10: {msg_id} stands {times} times in a stream" for msg_id, times in ours.items() if times > 1)
    yield from _of_outbox(world, ours)
    yield from _of_epochs(held["ORDERS"])
    yield from _of_reports(world, [kept for kept in held["ORDERS"] if kept.subject.startswith("order.report.")])


def _of_outbox(world: World, ours: Counter[str]) -> Iterator[str]:
    told = dict(world.rows("select msg_id, published_at is not null from outbox"))
    yield from (
        f"L6: {msg_id} is published, and in no stream" for msg_id, is_out in told.items() if is_out and not ours[msg_id]
    )
    for msg_id in ours.keys() - told.keys():
        kind, _, rest = msg_id.partition(":")
        if kind in _UNKEPT or (kind in _LEFT_BEFORE and world.rows(_LEFT_BEFORE[kind], rest)):
            continue
        yield f"S10: {msg_id} left, and nothing on record says so"


def _of_epochs(stored: list[Any]) -> Iterator[str]:
    """Every order was sent by whoever led at that moment; the words of an earlier epoch may be handed on by it."""
    leads, record = 0, 0
    for kept in stored:
        if kept.subject == "order.epoch":
            before, leads, record = leads, json.loads(kept.data)["epoch"], kept.seq
            if leads <= before:
                yield f"S6: epoch {leads} follows {before}"
        elif kept.subject.startswith("order.submit."):
            sent_by, epoch = kept.headers.get(EXPECTED_SEQUENCE), json.loads(kept.data)["epoch"]
            if sent_by != str(record) or epoch > leads:
                yield f"S6: {kept.headers[_MSG_ID]} of epoch {epoch} was sent under record {sent_by}, and {record} ({leads}) leads"


def _of_reports(world: World, stored: list[Any]) -> Iterator[str]:
    """Whatever a venue has said is in the inbox, or in quarantine."""
    codec = Codec()
    known = {key for (key,) in world.rows("select key from inbox")}
    aside = {sequence for (sequence,) in world.rows("select sequence from quarantine where stream = 'ORDERS'")}
    for kept in stored:
        word = codec.decode(kept.subject, kept.data, dict(kept.headers or {}), 0)
        if not (isinstance(word, Received) and word.key in known) and kept.seq not in aside:
            yield f"S3: {kept.subject} was heard and left no row: {kept.data[:200]!r}"

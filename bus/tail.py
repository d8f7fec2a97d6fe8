"""What left and what was answered since the record was last known to be whole: the end of ORDERS, read at a start.

Read after the epoch was taken: from then on no older process can add an order to it.
"""

from collections.abc import Iterable
from typing import Any, Final

from bus.client import read_headers
from bus.codec import Codec
from bus.connection import Connection
from bus.messages import addresses
from bus.messages.envelope import Delivery, Malformed, Received
from bus.messages.orders import OrderReport, OrderSubmit
from bus.messages.records import LedgerNews, OrdersTail
from bus.messages.settings import SettingsChanged
from bus.messages.stops import StopDecision
from bus.messages.trades import Trade
from bus.reading import read_stream
from bus.subjects import Prefix

_WANTED: Final = ("order.submit.>", "order.report.>")
_TRADES: Final = "trade.event.>"
_SETTINGS: Final = "settings.event.changed"
_FILTERS_MAX: Final = 100


async def read_tail(connection: Connection, prefix: Prefix, codec: Codec, after: int, now_ns: int) -> OrdersTail:
    """Return what ORDERS holds after the sequence `after`. Raises: BusError."""
    stream = prefix.stream("ORDERS")
    submits: dict[int, OrderSubmit] = {}
    reports: list[Received[Any] | Malformed] = []
    last = after
    for kept in await read_stream(connection, stream, list(map(prefix.add, _WANTED)), after=after):
        last = kept.sequence
        # No token: there is no delivery to acknowledge; the place is what its inbox row needs.
        delivery = Delivery(stream=stream, sequence=kept.sequence, token="")
        word = codec.decode(kept.subject, kept.body, read_headers(kept.headers), now_ns, delivery=delivery)
        match word:
            case Received(message=OrderSubmit() as order):
                submits[kept.sequence] = order
            case Received(message=OrderReport()) | Malformed():
                reports.append(word)
    return OrdersTail(
        submits=tuple(submits.values()),
        sequences=tuple(submits),
        reports=tuple(reports),
        decisions=await _read_decisions(connection, prefix, codec, submits.values(), now_ns),
        stream=stream,
        last=last,
    )


async def read_ledger(connection: Connection, prefix: Prefix, codec: Codec, after: int, now_ns: int) -> LedgerNews:
    """Return the trades and the changes of settings that LEDGER tells of after the sequence `after`. Raises: BusError.

    From its beginning (0) that is the last event of each trade: of the others there may be a month.
    """
    stream, trades = prefix.stream("LEDGER"), [prefix.add(_TRADES)]
    kept = await read_stream(connection, stream, trades, newest_only=after == 0, after=after)
    kept += await read_stream(connection, stream, [prefix.add(_SETTINGS)], after=after)
    words = [codec.decode(each.subject, each.body, {}, now_ns) for each in kept]
    messages = [word.message for word in words if isinstance(word, Received)]
    return LedgerNews(
        trades=tuple(message for message in messages if isinstance(message, Trade)),
        settings=tuple(message for message in messages if isinstance(message, SettingsChanged)),
    )


async def _read_decisions(
    connection: Connection, prefix: Prefix, codec: Codec, submits: Iterable[OrderSubmit], now_ns: int
) -> tuple[StopDecision, ...]:
    wanted = {order.decision_id: order.trade_id for order in submits if order.decision_id is not None}
    subjects = sorted({prefix.add(addresses.stop_decision(trade_id)) for trade_id in wanted.values()})
    found: dict[str, StopDecision] = {}
    for start in range(0, len(subjects), _FILTERS_MAX):
        for kept in await read_stream(connection, prefix.stream("LEDGER"), subjects[start : start + _FILTERS_MAX]):
            read = codec.decode(kept.subject, kept.body, {}, now_ns)
            if isinstance(read, Received) and isinstance(read.message, StopDecision):
                found.setdefault(read.message.decision_id, read.message)
    return tuple(found[decision_id] for decision_id in wanted if decision_id in found)

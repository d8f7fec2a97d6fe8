"""The short way through what NATS sent: however a read is cut, the same messages in the same order as nats-py's own parser."""

import asyncio
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from nats.protocol.parser import Parser

from bus.quick_parser import QuickParser

DIRECT = {b"1", b"12"}
Heard = tuple[bytes, bytes, bytes, bytes, bytes]


class Client:
    """What nats-py's parser hands on to."""

    def __init__(self) -> None:
        self.heard: list[Heard | str] = []

    async def _process_msg(self, sid: int, subject: bytes, reply: bytes, body: bytes, headers: bytes | None) -> None:
        self.heard.append((b"%d" % sid, subject, reply, body, headers or b""))

    async def _process_ping(self) -> None:
        self.heard.append("PING")


def a_message(sid: bytes, subject: bytes, reply: bytes, headers: bytes, body: bytes) -> bytes:
    to = b" ".join(filter(None, (subject, sid, reply)))
    if headers:
        return b"HMSG %s %d %d\r\n%s%s\r\n" % (to, len(headers), len(headers) + len(body), headers, body)
    return b"MSG %s %d\r\n%s\r\n" % (to, len(body), body)


MESSAGES = st.builds(
    a_message,
    st.sampled_from([b"1", b"2", b"12"]),
    st.sampled_from([b"market.quote.KX-1", b"a"]),
    st.sampled_from([b"", b"_INBOX.1.2"]),
    st.sampled_from([b"", b"NATS/1.0\r\nWk-Line: 7\r\n\r\n"]),
    st.binary(max_size=20) | st.just(b"MSG a 1 3\r\nabc\r\n"),
)
STREAMS = st.lists(MESSAGES | st.just(b"PING\r\n") | st.just(b"+OK\r\n")).map(b"".join)


def heard_by(make: Any, reads: list[bytes]) -> list[Heard | str]:
    client = Client()
    parser = make(client)

    async def read() -> None:
        for part in reads:
            await parser.parse(part)

    asyncio.run(read())
    return client.heard


def a_quick_parser(client: Client) -> QuickParser:
    def handler_of(sid: bytes) -> Any:
        return lambda subject, reply, body, headers: client.heard.append((sid, subject, reply, body, headers))

    return QuickParser(client, {sid: handler_of(sid) for sid in DIRECT}, lambda handler, *said: handler(*said))


@given(STREAMS, st.lists(st.integers(0, 400), max_size=6))
def test_however_a_read_is_cut_the_same_is_heard_in_the_same_order(stream: bytes, cuts: list[int]) -> None:
    places = sorted({min(cut, len(stream)) for cut in cuts})
    reads = [stream[a:b] for a, b in zip([0, *places], [*places, len(stream)], strict=True)]

    assert heard_by(a_quick_parser, reads) == heard_by(Parser, reads)

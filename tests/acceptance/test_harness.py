"""What the plain client makes of what it hears."""

from tests.acceptance.harness import Ear
from tests.bench.raw import RawClient


def _published(msg_id: str) -> bytes:
    headers, body = f"NATS/1.0\r\nNats-Msg-Id: {msg_id}\r\n\r\n".encode(), b"{}"
    return b"HPUB order.submit.sim.T %d %d\r\n%s%s\r\n" % (len(headers), len(headers) + len(body), headers, body)


def test_what_is_published_again_under_its_msg_id_is_heard_once(nats_url: str) -> None:
    ear = Ear(nats_url, "order.submit.>")
    with RawClient(nats_url) as client:
        client.send(_published("a") + _published("a") + _published("b"))
        client.flush()
        ear.wait_for(lambda *_: True, count=2)
    heard = ear.so_far(lambda *_: True)
    ear.close()
    assert len(heard) == 2

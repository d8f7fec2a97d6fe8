"""The other process of the reference line: sends back whatever it hears. `python -m tests.bench.echo URL`."""

import sys

from tests.bench.raw import RawClient


def main(url: str) -> None:
    """Echo until the parent ends this process."""
    with RawClient(url) as client:
        client.subscribe("bench.ping")
        client.publish("bench.ready", b"")
        for _, _, payload in client.messages():
            client.publish("bench.pong", payload)


if __name__ == "__main__":
    main(sys.argv[1])

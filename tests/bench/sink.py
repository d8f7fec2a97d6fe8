"""A subscriber that only reads: the reference line of the throughput. `python -m tests.bench.sink URL`."""

import sys

from tests.bench.raw import RawClient


def main(url: str) -> None:
    """Read market data until `market.end` comes, then say so."""
    with RawClient(url) as client:
        client.subscribe("market.>")
        client.publish("bench.ready", b"")
        for subject, _, _ in client.messages():
            if subject == "market.end":
                client.publish("bench.done", b"")


if __name__ == "__main__":
    main(sys.argv[1])

"""A server that a test may kill."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bus.embedded import EmbeddedServer


@pytest.fixture
def fresh_server(tmp_path: Path) -> Iterator[EmbeddedServer]:
    with EmbeddedServer(tmp_path / "nats") as server:
        yield server

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

import run


@dataclass(frozen=True)
class Ended:
    """How a typed command ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """The one JSON document on stdout."""
        document: dict[str, Any] = json.loads(self.out)
        return document


Type = Callable[..., Ended]


@pytest.fixture
def type_command(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Type:
    """Type a command: `type_command("trade", "list", WATCHKEEPER_NATS_URL=url)`."""

    def typed(*words: str, **environ: str) -> Ended:
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        code = run.main(words)
        out, err = capfd.readouterr()
        return Ended(code, out, err)

    return typed

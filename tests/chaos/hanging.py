"""`serve` in which one part hangs as soon as a file exists: `python -m tests.chaos.hanging PART FILE serve ...`."""

import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import run
from actors.rules.stops.engine import StopEngine
from actors.supervisor import Supervisor
from actors.timer import Timer
from bus.codec import Codec

PARTS: Final[dict[str, tuple[type, str]]] = {
    "auto_stop": (StopEngine, "handle"),
    "timer": (Timer, "on_receive"),
    "supervisor": (Supervisor, "on_receive"),
    "nats": (Codec, "tick"),
}


def hang(part: str, signal: Path) -> None:
    """Let `part` stop in the middle of whatever it does next once `signal` exists."""
    owner, name = PARTS[part]
    usual: Callable[..., Any] = getattr(owner, name)

    def may_hang(*arguments: Any) -> Any:
        if signal.exists():
            threading.Event().wait()
        return usual(*arguments)

    setattr(owner, name, may_hang)


if __name__ == "__main__":
    hang(sys.argv[1], Path(sys.argv[2]))
    sys.exit(run.main(sys.argv[3:]))

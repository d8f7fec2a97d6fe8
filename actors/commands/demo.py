"""`demo`: a recorded market day through everything, on this machine. Its servers are handed in by run.py."""

import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Final

from cyclopts import Parameter

from actors.commands.serve import SWITCH_INTERVAL_S
from actors.commands.wires import Wires
from actors.replay import screen
from actors.replay.performance import Performance
from actors.replay.sidecar import read_sidecar, recording_name
from actors.replay.stage import demo_settings
from bus.messages.demo import DemoSummary
from bus.messages.plain import to_json
from config.command_line import TEXT, Common, Exit, ReportFlags, WrongUse, print_document
from config.logging import set_up
from config.pictures import show
from config.settings import Settings

DOCUMENTS: Final[dict[str, type]] = {"demo": DemoSummary}
SHIPPED: Final = Path(__file__).parents[2] / "tests/replay/polymarket_2026-07-14.jsonl.gz"
Servers = Callable[[ExitStack, Path, Common], Settings]


def command(wires: Wires, servers: Servers) -> Callable[..., Exit]:
    """Return the command. servers: starts NATS and PostgreSQL for as long as the stack stands; returns settings that lead to them."""

    def demo(
        *,
        recording: Path = SHIPPED,
        speed: str = "max",
        duration: Annotated[float | None, Parameter(help="Recorded seconds to play; all of them unless given.")] = None,
        flags: ReportFlags = TEXT,
    ) -> Exit:
        """Play a recorded market day through everything, on this machine; nothing to install or configure.

        Parameters
        ----------
        recording
            A file of recorded events (JSON lines, gzipped or not).
        speed
            Recorded seconds in a real second, or max. The trades are the same at every speed.
        """
        if not recording.is_file():
            raise WrongUse(f"--recording {recording}: there is no such file")
        sys.setswitchinterval(SWITCH_INTERVAL_S)
        sidecar = read_sidecar(recording)
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="watchkeeper-demo-")))
            wanted = demo_settings(servers(stack, folder, flags), sidecar)
            stack.callback(set_up(wanted))
            if not flags.json:
                show(screen.opening(recording_name(recording), sidecar, sidecar.stops))
            started = time.monotonic()
            performance = Performance(wires, stack.enter_context(wires.client(wanted.nats)), wanted, recording, sidecar)
            summary = performance.play(speed, duration, is_shown=not flags.json)
        if flags.json:
            print_document(to_json(summary))
        else:
            show(screen.closing(summary, time.monotonic() - started))
        return Exit.NO if summary.lost_messages or summary.duplicate_closes else Exit.DONE

    return demo

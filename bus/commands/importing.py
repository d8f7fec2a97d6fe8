"""`events import`: lines of JSON as a recording. Engines live through them: run.py hands them in, for bus imports no actor."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Final, Protocol

from cyclopts import Parameter

from bus.messages.envelope import Received
from bus.messages.market import Ticks
from bus.messages.plain import to_json
from bus.messages.replay import Imported
from bus.recorder.filing import Filing
from bus.recorder.lines import BadLines, LinesReader
from bus.recorder.segments import segments
from config.command_line import TEXT, Exit, Refused, ReportFlags, WrongUse, print_document
from config.pictures import card, show
from config.settings import Settings

DOCUMENTS: Final[dict[str, type]] = {"events import": Imported}


class Lived(Protocol):
    """What came of a life over those lines. words: that were heard. trades: that were heard of."""

    begin_ns: int
    words: int
    trades: set[str]

    @property
    def now_ns(self) -> int:
        """How far it has come."""
        ...


Words = Iterator[tuple[Ticks | Received[Any], int]]


class Living(Protocol):
    """Lives through words, each with its instant, and has what engines apply noted; None if there was none."""

    def __call__(self, words: Words, settings: Settings, recorder: Filing) -> Lived | None:
        """Return what came of it."""
        ...


def command(live_through: Living) -> Callable[..., Exit]:
    """Return the command."""

    def import_lines(
        lines: Path,
        folder: Path,
        *,
        feed: Annotated[str, Parameter(help="The feed's name, for ticks of a recorded stream that carry none.")] = "",
        flags: ReportFlags = TEXT,
    ) -> Exit:
        """Make a recording of lines of JSON (gzipped or not): what `events export` writes, or a stream of recorded market data.

        The engines live through it once, in recorded time, under the process settings given; trades are those that its lines ask for.

        Parameters
        ----------
        folder
            Where the recording is made; it must hold none yet.
        """
        if not lines.is_file():
            raise WrongUse(f"{lines}: there is no such file")
        if segments(folder):
            raise Refused(f"{folder} holds a recording already")
        made = _imported(LinesReader(lines, feed), lines, folder, partial(live_through, settings=flags.settings()))
        if flags.json:
            print_document(to_json(made))
        else:
            show(card("Imported", {name: getattr(made, name) for name in ("place", "lines", "words", "trades")}))
            show(card("Left out", made.left_out))
        return Exit.DONE

    return import_lines


def _imported(reader: LinesReader, lines: Path, folder: Path, live_through: Callable[..., Lived | None]) -> Imported:
    """Return what was made of it. Raises: Refused; nothing stands then."""
    filing = Filing(folder)
    try:
        life = live_through(reader.words(), recorder=filing)
        filing.close()
    except (BadLines, OSError) as error:
        filing.discard()
        raise Refused(f"{error}; nothing of {lines} was taken") from error
    if life is None:
        filing.discard()
        raise Refused(f"{lines} holds nothing that is heard")
    return Imported(
        place=str(folder.absolute()),
        begin=life.begin_ns,
        end=life.now_ns,
        lines=reader.lines,
        words=life.words,
        left_out=dict(reader.left_out),
        trades=len(life.trades),
    )

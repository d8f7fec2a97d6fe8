"""`events tail|export`: the live stream, as it is published; a recording as lines of JSON. `run.py` adds `import`, which needs engines."""

import gzip
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Final

import msgspec
from cyclopts import App, Parameter
from rich.text import Text

from bus.commands.answers import connected
from bus.commands.client import Heard
from bus.commands.recordings import instant_of, place_of
from bus.messages.plain import to_json
from bus.recorder.lines import write_lines
from bus.recorder.reading import NoRecording, read
from bus.recorder.segments import Block, Gap
from config.command_line import (
    PLAIN,
    TEXT,
    Common,
    Exit,
    Flags,
    Refused,
    ReportFlags,
    WrongUse,
    complain,
    print_document,
)
from config.pictures import plain, show

app = App(name="events", help="The live stream of events; recordings as lines of JSON, and back.")

USUAL: Final = (
    "trade.event.>", "trade.command.>", "order.>", "account.>", "stop.>", "settings.event.>", "system.event.>",
    "market.lifecycle.>", "notice.>",
)  # fmt: skip
_LEADS: Final = (
    "trade_id", "state", "coverage", "why", "rule", "fired", "client_order_id", "status", "event", "title", "ticker", "side", "quantity",
    "open_quantity", "limit_price", "fill_price", "fill_quantity", "pnl", "body",
)  # fmt: skip
_JSON: Final = msgspec.json.Decoder(dict[str, Any], float_hook=str)


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One line of `events tail --json`. payload: the message; what is no JSON object, as text."""

    subject: str
    payload: Any


DOCUMENTS: Final[dict[str, type]] = {"events tail": Event}


@app.command
def tail(
    *subjects: str,
    count: Annotated[int | None, Parameter(help="End after this many; without it Ctrl-C ends it.")] = None,
    flags: ReportFlags = TEXT,
) -> Exit:
    """Follow what is published, from now on: everything but market data, or the subjects given (`market.quote.>`).

    With --json each event is one JSON document on a line of its own.
    """
    if count is not None and count < 1:
        raise WrongUse(f"--count {count}: must be 1 or more")
    with connected(flags) as client:
        for heard in islice(client.listen(list(subjects or USUAL)), count):
            _print(heard, json=flags.json)
    return Exit.DONE


@app.command
def export(
    recording: Annotated[
        Path | None, Parameter(help="A folder of segments or one of them; unless given, recorder.folder.")
    ] = None,
    *,
    out: Annotated[Path | None, Parameter(help="Write here instead of to stdout; gzipped if the name ends so.")] = None,
    since: Annotated[str | None, Parameter(name="--from", help="From this instant on.")] = None,
    until: Annotated[str | None, Parameter(name="--to", help="Until this instant.")] = None,
    said: Annotated[bool, Parameter(help="Also what Watchkeeper said, marked as such.")] = False,
    flags: Flags = PLAIN,
) -> Exit:
    """Write what a recording holds as lines of JSON: each word that was heard, with its subject and the instant."""
    since_ns, until_ns = (0 if since is None else instant_of("--from", since)), _until_ns(until)
    gaps: list[str] = []
    with _written_to(out) as file:
        for part in parts_of(recording, flags):
            if isinstance(part, Gap):
                gaps.append(str(part))
            else:
                file.writelines(write_lines(part, gaps.append, said=said, since_ns=since_ns, until_ns=until_ns))
    for gap in gaps:
        complain(f"gap: {gap}")
    return Exit.DONE


def _until_ns(text: str | None) -> int:
    return 2**63 - 1 if text is None else instant_of("--to", text)


def parts_of(recording: Path | None, flags: Common) -> Iterator[Block | Gap]:
    """Yield the parts of the recording. Raises: WrongUse."""
    try:
        yield from read(place_of(recording, flags))
    except NoRecording as error:
        raise WrongUse(str(error)) from error


@contextmanager
def _written_to(out: Path | None) -> Iterator[BinaryIO]:
    if out is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    try:
        with gzip.open(out, "xb") if out.suffix == ".gz" else out.open("xb") as file:
            yield file  # type: ignore[misc]  # a GzipFile is written to as a file is
    except OSError as error:
        raise Refused(f"{out} cannot be written: {error.strerror or error}") from error


def _print(heard: Heard, *, json: bool) -> None:
    payload = _payload(heard.body)
    if json:
        print_document(to_json(Event(subject=heard.subject, payload=payload)))
        return
    facts = payload if isinstance(payload, Mapping) else {"body": payload}
    line = Text(f"{facts.get('ts', ''):<27} ")
    line.append(heard.subject, style="bold")
    for name in _LEADS:
        if facts.get(name) is not None:
            line.append(f" {name}={plain(facts[name])}")
    show(line)


def _payload(body: bytes) -> object:
    """Return what `body` says; what is no JSON object is shown as text."""
    try:
        return _JSON.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return body.decode(errors="replace")

"""`events tail`: the live stream, as it is published."""

from collections.abc import Mapping
from itertools import islice
from typing import Annotated, Any, Final

import msgspec
from cyclopts import App, Parameter
from rich.text import Text

from bus.commands.answers import connected
from bus.commands.client import Heard
from bus.messages.plain import to_json
from config.command_line import TEXT, Exit, ReportFlags, WrongUse, print_document
from config.pictures import plain, show

app = App(name="events", help="The live stream of events.")

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

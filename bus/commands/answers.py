"""How a command asks, and how its answer is shown: the reply as one JSON document, or a picture for people."""

import getpass
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Final, TypeVar

import msgspec
from cyclopts import Parameter
from rich.console import RenderableType

from bus.commands.client import NatsClient
from bus.messages.envelope import Message
from bus.messages.plain import from_json, to_json
from bus.messages.system import Reply
from config.command_line import Common, Exit, Reporting, WrongUse, complain, print_document
from config.pictures import show
from config.settings import required

Result = Any
"""A reply's `result` as plain data: numbers are exact texts, instants RFC 3339."""
Picture = Callable[[Result], RenderableType]
M = TypeVar("M", bound=Message)

Reason = Annotated[str, Parameter(help="Why, for the record.")]
By = Annotated[str | None, Parameter(name="--by", help="Who asks; the user of this machine unless given.")]

PLAIN_REASON: Final = "asked for on the command line"
_RETRY: Final = "; the same words may succeed later"


def connected(common: Common) -> NatsClient:
    """Return a client for a `with` block. Raises: ConfigurationError."""
    settings = common.settings()
    required(settings, "nats.url")
    return NatsClient(settings.nats)


def asked(common: Common, subject: str, message: Message) -> Reply:
    """Return the answer to one request. Raises: ConfigurationError, NoAnswer."""
    with connected(common) as client:
        return client.ask(subject, message)


def built(kind: type[M], fields: Mapping[str, object]) -> M:
    """Return the message that was typed, checked as the wire checks it; fields that are None are left out.

    Raises: WrongUse naming the field.
    """
    try:
        return from_json(kind, to_json({name: value for name, value in fields.items() if value is not None}))
    except (msgspec.ValidationError, ValueError) as error:
        raise WrongUse(str(error).replace("`$.", "`")) from error


def assignments(texts: Sequence[str], *, removable: bool = False) -> dict[str, object]:
    """Return what `KEY=VALUE` texts say; `true` and `false` are switches. removable: `KEY=` removes the key (null)."""
    said: dict[str, object] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not key or not equals or (not value and not removable):
            raise WrongUse(f"{text!r} is not KEY=VALUE")
        if key in said:
            raise WrongUse(f"{key} is given twice")
        said[key] = {"true": True, "false": False, "": None}.get(value, value)
    return said


def requester(by: str | None) -> str:
    """Return who asks."""
    return by or getpass.getuser()


def report(reply: Reply, flags: Reporting, picture: Picture) -> Exit:
    """Show `reply`; exit 0 if it is a yes, 1 if it is a no."""
    if flags.json:
        print_document(to_json(reply))
    elif reply.ok:
        show(picture(reply.result))
    if reply.error is not None:
        complain(f"{reply.error.message} ({reply.error.code}{_RETRY if reply.error.retry else ''})")
    return Exit.DONE if reply.ok else Exit.NO

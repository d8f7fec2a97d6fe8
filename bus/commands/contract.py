"""`contract`: the AsyncAPI document of everything that is said over NATS and printed with `--json`."""

from collections.abc import Callable, Mapping
from typing import Any

from bus.asyncapi import document
from bus.messages.plain import to_json
from config.command_line import TEXT, Exit, ReportFlags, print_document
from config.version import VERSION


def command(shapes: Callable[[], Mapping[str, type | Mapping[str, Any]]]) -> Callable[..., Exit]:
    """Return the command; shapes: returns by command what its `--json` prints."""

    def contract(*, flags: ReportFlags = TEXT) -> Exit:
        """Print the AsyncAPI 3 document: every subject, message, reply and `--json` document. It is JSON either way."""
        print_document(to_json(document(VERSION, prefix=flags.settings().nats.prefix, command_line=shapes())))
        return Exit.DONE

    return contract

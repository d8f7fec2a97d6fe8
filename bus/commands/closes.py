"""`trade close --all`, `--account`, `--symbol`: one close for each open trade, a bounded number of them at once.

There is no message that closes many (the contract has one for one trade): the open trades are listed to the last page, and each
is asked for by itself, under one command id. Typed again with that `--command-id` it is the same request again, and begins
nothing new; what nobody answered is simply asked again.
"""

import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final

import msgspec
from cyclopts import Parameter
from rich.console import Group

from bus.commands.answers import built, connected
from bus.commands.client import NatsClient
from bus.messages.plain import to_json
from bus.messages.system import Reply
from bus.messages.trades import TradeClose, TradeList, TradeState
from config.command_line import Exit, NoAnswer, Reporting, WrongUse, complain, confirmed, print_document
from config.pictures import card, show, table

_PAGE: Final = 1000
_CLOSABLE: Final = tuple(state for state in TradeState if not state.is_terminal and state is not TradeState.EXPIRED)
_COLUMNS: Final = ("trade", "state", "began", "order", "answer")


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class ManyCloses:
    """Which open trades are to be closed, and whether a person must be asked first."""

    all: Annotated[bool, Parameter(help="Close every open trade.", negative=())] = False
    account: Annotated[str | None, Parameter(help="Close every open trade of this account.")] = None
    symbol: Annotated[str | None, Parameter(help="Close every open trade on this underlying.")] = None
    yes: Annotated[bool, Parameter(help="Ask no questions, on a terminal either.", negative=())] = False
    command_id: Annotated[
        str | None, Parameter(help="The id of an earlier request, to ask exactly that again; a new one unless given.")
    ] = None

    @property
    def are_wanted(self) -> bool:
        """Whether any are. Raises: WrongUse for what cannot be meant."""
        some = self.account is not None or self.symbol is not None
        if self.all and some:
            raise WrongUse("--all closes everything: leave --account and --symbol out")
        return self.all or some


NONE: Final = ManyCloses()


class OneClose(msgspec.Struct, frozen=True, kw_only=True):
    """One close of many. reply None: no answer, the outcome is unknown."""

    trade_id: str
    reply: Reply | None


class Closes(msgspec.Struct, frozen=True, kw_only=True):
    """What `trade close --all --json` prints, and `--account` and `--symbol`.

    began: closes that this request began. already_closing: trades that were being closed before it. refused: with the reason in
    their reply, also trades that have ended meanwhile. unanswered: ask again with the same `command_id`.
    """

    command_id: str
    began: int
    already_closing: int
    refused: int
    unanswered: int
    closes: tuple[OneClose, ...]


def new_command_id() -> str:
    """Return an id that no request has: typing the same close twice is two requests, of which the second attaches to the first."""
    return uuid.uuid4().hex


def a_close(trade_id: str, command_id: str, said: Mapping[str, str | None]) -> TradeClose:
    """Return the request for one close. Raises: WrongUse."""
    return built(TradeClose, {"trade_id": trade_id, "command_id": command_id, **said})


def close_many(many: ManyCloses, said: Mapping[str, str | None], flags: Reporting) -> Exit:
    """Close every trade that is open now and was chosen; 0: each has its close. Raises: NoAnswer, ConfigurationError."""
    command_id = many.command_id or new_command_id()
    with connected(flags) as client:
        found = _found(client, {"states": _CLOSABLE, "account": many.account, "symbol": many.symbol, "limit": _PAGE})
        if found and not many.yes and not confirmed(f"Close {len(found)} open trades"):
            complain("nothing was closed")
            return Exit.NO
        requests = [a_close(trade_id, command_id, said) for trade_id in found]
        replies = client.ask_each("trade.request.close", requests)
    for trade_id, reply in zip(found, replies, strict=True):
        if isinstance(reply, NoAnswer):
            complain(f"{trade_id}: {reply}")
    known = [None if isinstance(reply, NoAnswer) else reply for reply in replies]
    return _report(_counted(command_id, found, known), flags)


def _found(client: NatsClient, wanted: dict[str, Any]) -> list[str]:
    found: list[str] = []
    after: str | None = None
    while True:
        reply = client.ask("trade.request.list", built(TradeList, {**wanted, "after": after}))
        if not reply.ok:
            raise NoAnswer(
                f"the open trades cannot be listed ({reply.error and reply.error.message}): close them by id"
            )
        found += [trade["trade_id"] for trade in reply.result["trades"]]
        if (after := reply.result.get("next")) is None:
            return found


def _counted(command_id: str, found: Sequence[str], replies: Sequence[Reply | None]) -> Closes:
    counts = Counter(_fate(reply) for reply in replies)
    return Closes(
        command_id=command_id,
        began=counts["began"],
        already_closing=counts["already_closing"],
        refused=counts["refused"],
        unanswered=counts["unanswered"],
        closes=tuple(OneClose(trade_id=name, reply=reply) for name, reply in zip(found, replies, strict=True)),
    )


def _fate(reply: Reply | None) -> str:
    if reply is None:
        return "unanswered"
    if not reply.ok:
        return "refused"
    return "began" if reply.result.get("began") else "already_closing"


def _report(closes: Closes, flags: Reporting) -> Exit:
    if flags.json:
        print_document(to_json(closes))
    else:
        facts = {name: getattr(closes, name) for name in Closes.__struct_fields__ if name != "closes"}
        show(Group(table("Closes", _COLUMNS, [_row(one) for one in closes.closes]), card("Summary", facts)))
    if closes.unanswered:
        return Exit.NO_ANSWER
    return Exit.NO if closes.refused else Exit.DONE


def _row(one: OneClose) -> tuple[object, ...]:
    reply = one.reply
    if reply is None:
        return one.trade_id, None, None, None, "no answer: unknown"
    if reply.error is not None:
        return one.trade_id, None, None, None, f"{reply.error.message} ({reply.error.code})"
    result = reply.result
    return one.trade_id, result.get("state"), result.get("began"), result.get("client_order_id"), result.get("reason")

"""`trade export`: fills, fees and PnL of a span of time, as a table for people or for a spreadsheet, held against what venues say."""

import csv
import io
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final

import msgspec
from cyclopts import Parameter
from nats.errors import Error as NatsError
from rich.console import Group, RenderableType

from bus.commands.answers import connected
from bus.commands.client import NatsClient
from bus.commands.recordings import instant_of
from bus.commands.statement import differences_of, rows_of, totals_of
from bus.messages.addresses import escape
from bus.messages.orders import VenueFill, VenueFills, VenueOrdersRequest
from bus.messages.plain import from_json, instant_text, number_text, to_json
from bus.messages.statement import Statement, StatementRow
from bus.messages.trades import Mode, Trade, TradeList, Trades
from bus.messages.units import NS_PER_S, UtcNs
from bus.subjects import Prefix
from config.command_line import TEXT, Exit, NoAnswer, Refused, ReportFlags, WrongUse, complain, print_document
from config.pictures import show, table

DOCUMENTS: Final[dict[str, type]] = {"trade export": Statement}
_PAGE: Final = 100
_LATE_NS: Final = 3600 * NS_PER_S
"""A venue's clock may be ahead of ours by less: a trade changes when its fill is heard of, and a fill has the venue's own instant."""
_PAGES_MAX: Final = 1000
_COLUMNS: Final = (
    "kind", "ts", "account", "venue", "mode", "trade_id", "ticker", "side", "purpose", "fill_id", "client_order_id", "quantity",
    "price", "fees", "pnl", "outcome",
)  # fmt: skip
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def export(
    *,
    since: Annotated[str, Parameter(name="--from", help="From this instant on, such as 2026-07-01T00:00:00Z.")],
    until: Annotated[str, Parameter(name="--to", help="Until just before this instant.")],
    account: Annotated[str | None, Parameter(help="This account alone.")] = None,
    as_csv: Annotated[bool, Parameter(name="--csv", help="Rows for a spreadsheet, instead of sums.")] = False,
    out: Annotated[Path | None, Parameter(help="Write the rows here instead of to stdout.")] = None,
    flags: ReportFlags = TEXT,
) -> Exit:
    """Show what trades did in a span of time: fills, settlements, adjustments, fees, PnL. Exit 1: a venue says otherwise, and that is shown.

    The venue of each live account is asked for its fills; nobody states what a paper account did.
    """
    begin_ns, end_ns = instant_of("--from", since), instant_of("--to", until)
    if begin_ns >= end_ns:
        raise WrongUse(f"--from {since}: must be before --to {until}")
    with connected(flags) as client:
        rows = rows_of(_trades(client, account, begin_ns - _LATE_NS), begin_ns, end_ns)
        statement = _compare(client, Prefix(flags.settings().nats.prefix), rows, (begin_ns, end_ns))
    if as_csv:
        _write(_csv(statement.rows), out)
    elif flags.json:
        print_document(to_json(statement))
    else:
        show(_picture(statement))
    for each in statement.differences:
        ours, theirs = (("nothing" if one is None else number_text(one)) for one in (each.ours, each.theirs))
        complain(f"{each.account} at {each.venue}, fill {each.fill_id}: {each.what} is {ours} here, {theirs} there")
    return Exit.DONE if statement.agrees else Exit.NO


def _trades(client: NatsClient, account: str | None, since_ns: int) -> Iterator[Trade]:
    after = None
    while True:
        wanted = TradeList(account=account, since=since_ns, limit=_PAGE, after=after)
        reply = client.ask("trade.request.list", wanted)
        if not reply.ok:
            raise Refused(f"the trades were refused: {reply.error.message if reply.error else 'without a reason'}")
        page = from_json(Trades, to_json(reply.result))
        yield from page.trades
        if page.next is None:
            return
        after = page.next


def _compare(client: NatsClient, prefix: Prefix, rows: list[StatementRow], span: tuple[UtcNs, UtcNs]) -> Statement:
    totals = totals_of(rows)
    live = [(one.venue, one.account) for one in totals if one.mode is Mode.LIVE]
    differences = [
        difference
        for venue, account in live
        for difference in differences_of(
            venue,
            account,
            (row for row in rows if (row.venue, row.account) == (venue, account)),
            (fill for fill in _fills(client, prefix, venue, account, span[0]) if span[0] <= fill.ts < span[1]),
        )
    ]
    return Statement(
        begin=span[0],
        end=span[1],
        agrees=not differences,
        rows=tuple(rows),
        totals=tuple(totals),
        compared=tuple(f"{account}@{venue}" for venue, account in live),
        differences=tuple(differences),
    )


def _fills(client: NatsClient, prefix: Prefix, venue: str, account: str, since_ns: int) -> Iterator[VenueFill]:
    after = None
    subject = prefix.add(f"venue.request.fills.{escape(venue)}")
    for _ in range(_PAGES_MAX):
        request = VenueOrdersRequest(account=account, since=since_ns, after=after)
        page = _page(client, subject, to_json(request))
        if page.error is not None:
            raise NoAnswer(f"{venue} does not tell the fills of {account}: {page.error}")
        yield from page.fills
        if page.next is None:
            return
        after = page.next
    raise NoAnswer(f"{venue} has told {_PAGES_MAX} pages of fills and names a next one")


def _page(client: NatsClient, subject: str, body: bytes) -> VenueFills:
    try:
        answer = client.run(lambda connection: connection.request(subject, body, timeout=5))
        return from_json(VenueFills, answer.data)
    except (NatsError, TimeoutError) as error:
        raise NoAnswer(f"nobody answers {subject}: whether the venue says the same is unknown") from error
    except msgspec.DecodeError as error:
        raise NoAnswer(f"what {subject} answers cannot be read: {error}") from error


def _csv(rows: tuple[StatementRow, ...]) -> str:
    written = io.StringIO()
    lines = csv.writer(written, lineterminator="\n")
    lines.writerow(_COLUMNS)
    lines.writerows([_cell(row, column) for column in _COLUMNS] for row in rows)
    return written.getvalue()


def _cell(row: StatementRow, column: str) -> str:
    value = getattr(row, column)
    if value is None:
        return ""
    if column == "ts":
        return instant_text(value)
    if column in ("quantity", "price", "fees", "pnl"):
        return number_text(value)
    text = str(value)
    # Names come from outside, and a spreadsheet takes such a text for a formula.
    return f"'{text}" if text.startswith(_FORMULA) else text


def _write(text: str, out: Path | None) -> None:
    if out is None:
        sys.stdout.write(text)
        return
    try:
        with out.open("x", newline="") as file:
            file.write(text)
    except OSError as error:
        raise Refused(f"{out} cannot be written: {error.strerror}") from error


def _picture(found: Statement) -> RenderableType:
    sums = [
        (
            one.account,
            one.venue,
            one.mode.value,
            one.fills,
            one.settlements,
            one.adjustments,
            one.ended,
            one.fees,
            one.pnl,
        )
        for one in found.totals
    ]
    said = "the same" if found.agrees else f"{len(found.differences)} differences"
    compared = ", ".join(found.compared) or "no live account"
    return Group(
        table(
            "Statement",
            ("account", "venue", "mode", "fills", "settlements", "adjustments", "ended", "fees", "pnl"),
            sums,
        ),
        f"Held against the venues' own fills ({compared}): {said}",
    )

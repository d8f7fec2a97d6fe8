"""`check --venue NAME`: a real adapter against the clauses of `bus.adapters`, with small orders on a ground of its own.

The orders go through the same ORDERS as those of `serve`, under the epoch in force, with trade ids that begin with `wk-check-`:
`serve` takes no notice of them. So the account must be one in which Watchkeeper holds no trade.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from typing import Annotated, Final

from cyclopts import Parameter
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js.errors import NotFoundError

from bus.adapters.clauses import another_mode_is_refused
from bus.adapters.over_nats import AdapterOverNats, a_question_that_cannot_be_read_is_answered_with_an_error
from bus.adapters.story import Broken, Ground, Story
from bus.adapters.suite import CLAUSES, kept
from bus.commands.client import NatsClient
from bus.messages.addresses import CHECK
from bus.messages.orders import EpochRecord
from bus.messages.plain import from_json
from bus.messages.system import SystemCommand
from bus.messages.trades import Mode, Side
from bus.messages.units import ZERO
from bus.subjects import EPOCH, Prefix
from config.checks import Finding, fail, note, ok
from config.command_line import NoAnswer, WrongUse
from config.settings import Settings

WHAT: Final = "venue"
_ORDERS_EACH: Final = 4


@dataclass(frozen=True, kw_only=True)
class VenueFlags:
    """Which adapter is checked, and where its small orders may stand.

    Parameters
    ----------
    venue
        Check the adapter of this venue instead: small orders are placed in --account on --ticker, and sold again.
    account
        An account in which Watchkeeper has no trade.
    ticker
        An open market in which the account holds nothing.
    side
        Which side is bought and sold again.
    quantity
        Of one order; no order is of more than twice that.
    buy_at
        A price at which a purchase is filled at once; nobody must buy at it, or a resting sale there would be filled.
    sell_at
        A price at which a sale is filled at once; nobody must sell at it.
    live
        Send orders of mode live: this is real money, unless the adapter itself talks to a sandbox.
    answer_s
        How long the adapter may take to answer an order.
    yes
        Ask no questions, on a terminal either.
    """

    venue: str | None = None
    account: str | None = None
    ticker: str | None = None
    side: Side = Side.YES
    quantity: str = "1"
    buy_at: str | None = None
    sell_at: str | None = None
    live: bool = False
    answer_s: float = 10.0
    yes: bool = False

    def ground(self, style: str) -> Ground:
        """Return where orders may stand. Raises: WrongUse naming the flag that is missing or wrong."""
        if self.account is None or self.ticker is None:
            raise WrongUse("--venue places small orders: say where, with --account and --ticker")
        quantity, buy_at, sell_at = (
            _number(name, text)
            for name, text in (("--quantity", self.quantity), ("--buy-at", self.buy_at), ("--sell-at", self.sell_at))
        )
        highest = sell_at if self.side is Side.SHORT else buy_at
        lowest = buy_at if self.side is Side.SHORT else sell_at
        if highest <= lowest:
            raise WrongUse(f"at --buy-at {buy_at} and --sell-at {sell_at} nobody could find the market between them")
        return Ground(
            account=self.account,
            ticker=self.ticker,
            mode=Mode.LIVE if self.live else Mode.PAPER,
            quantity=quantity,
            buy_at=buy_at,
            sell_at=sell_at,
            side=self.side,
            style=style,
        )


VenueCheck = Annotated[VenueFlags, Parameter(name="*")]
NO_VENUE: Final = VenueFlags()


def _number(flag: str, text: str | None) -> Decimal:
    try:
        number = Decimal(text or "none")
    except InvalidOperation:
        raise WrongUse(f"--venue needs {flag}, a number: {text or 'it is missing'}") from None
    if not number.is_finite() or number <= ZERO:
        raise WrongUse(f"{flag} must be above 0, not {text}")
    return number


def warning(flags: VenueFlags, ground: Ground) -> str:
    """Return what is about to be done, in words for whoever must answer for it."""
    money = "REAL MONEY (mode live)" if flags.live else "mode paper"
    return (
        f"Places about {len(CLAUSES) * _ORDERS_EACH // 2} small orders at {flags.venue}, {money}: account {ground.account}, ticker"
        f" {ground.ticker}, {ground.quantity:f} to {ground.quantity * 2:f} {ground.side} each, bought at up to {ground.buy_at:f} and sold"
        f" at {ground.sell_at:f} or better. What is bought is sold again."
    )


def venue_findings(settings: Settings, flags: VenueFlags, ground: Ground) -> Iterator[Finding]:
    """Check the adapter of `flags.venue`, one finding for each clause. Nothing is sent where a mishap is likely."""
    assert flags.venue is not None
    try:
        with NatsClient(settings.nats) as client:
            prefix = Prefix(settings.nats.prefix)
            why_not = _why_not(client, prefix, flags, ground)
            if why_not is not None:
                yield fail(WHAT, why_not)
                return
            adapter = AdapterOverNats(client, prefix, flags.venue, answer_s=flags.answer_s)
            yield from _clauses(adapter, replace(ground, epoch=client.run(lambda one: _epoch(one, prefix))))
    except NoAnswer as error:
        yield fail(WHAT, str(error))


def _why_not(client: NatsClient, prefix: Prefix, flags: VenueFlags, ground: Ground) -> str | None:
    """Return why nothing can be checked, and what to do; None if it can."""
    if not client.run(lambda one: _has_orders(one, prefix)):
        return "the stream ORDERS does not exist: start `run.py serve` once, it makes the streams"
    for reply in client.gather("system.request.status", SystemCommand(account=ground.account, requested_by="check")):
        known = reply.result.get("accounts", ()) if isinstance(reply.result, dict) else ()
        if any((one.get("venue"), one.get("account")) == (flags.venue, ground.account) for one in known):
            return (
                f"Watchkeeper trades in {ground.account} at {flags.venue}: give an --account of which it knows nothing"
            )
    assert flags.venue is not None
    looking = Story(AdapterOverNats(client, prefix, flags.venue, answer_s=flags.answer_s), ground, "wk-check")
    try:
        held = looking.held()
    except Broken as broken:
        return str(broken)
    if held != ZERO:
        return (
            f"{ground.account} holds {held:f} {ground.side} {ground.ticker}: give a --ticker of which it holds nothing"
        )
    return None


async def _has_orders(client: Client, prefix: Prefix) -> bool:
    try:
        await client.jetstream().stream_info(prefix.stream("ORDERS"))
    except (NatsError, TimeoutError):
        return False
    return True


async def _epoch(client: Client, prefix: Prefix) -> int:
    """Return the epoch in force: a higher one would make the adapter refuse whoever leads; 1 before the first."""
    try:
        message = await client.jetstream().get_last_msg(prefix.stream("ORDERS"), prefix.add(EPOCH))
    except NotFoundError:
        return 1
    return from_json(EpochRecord, message.data or b"").epoch


def _clauses(adapter: AdapterOverNats, ground: Ground) -> Iterator[Finding]:
    run = f"{CHECK}{int(time.time()):x}"
    yield _finding(a_question_that_cannot_be_read_is_answered_with_an_error.__name__, _broken_wire(adapter))
    for number, clause in enumerate(CLAUSES, start=1):
        if clause is another_mode_is_refused and ground.mode is Mode.PAPER:
            yield note(WHAT, "another mode is refused: not tried, it takes an order of mode live; --live does")
            continue
        story = Story(adapter, ground, f"{run}-{number}")
        broken = kept(clause, story)
        yield _finding(clause.__name__, broken)
        if number == 1 and broken is not None and not adapter.has_reported:
            yield fail(
                WHAT, "no order was reported on: does the adapter consume ORDERS? The other clauses were not tried"
            )
            return


def _broken_wire(adapter: AdapterOverNats) -> str | None:
    try:
        a_question_that_cannot_be_read_is_answered_with_an_error(adapter)
    except Broken as broken:
        return str(broken)
    return None


def _finding(clause: str, broken: str | None) -> Finding:
    words = clause.replace("_", " ")
    return ok(WHAT, words) if broken is None else fail(WHAT, f"{words}: {broken}")

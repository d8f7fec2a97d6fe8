"""`trade list|show|open|close|adopt`."""

from dataclasses import asdict, dataclass, field
from typing import Annotated, Any, Final, Literal

from cyclopts import App, Parameter
from rich.console import Group, RenderableType

from bus.commands.answers import (
    PLAIN_REASON,
    By,
    Reason,
    Result,
    asked,
    assignments,
    built,
    report,
    requester,
)
from bus.commands.closes import NONE, Closes, ManyCloses, a_close, close_many, new_command_id
from bus.messages.system import Reply
from bus.messages.trades import TradeAdopt, TradeGet, TradeList, TradeOpen, TradeState
from config.command_line import TEXT, Exit, ReportFlags, WrongUse
from config.pictures import card, pairs, table

app = App(name="trade", help="Look at trades; open, adopt and close them.")

_PAGE: Final = 1000
_ENDED: Final = tuple(state for state in TradeState if state.is_terminal)
_COLUMNS: Final = ("trade", "state", "coverage", "account", "ticker", "side", "open", "entry", "exit", "pnl", "rule")
_State = Literal[
    "requested", "pending", "open", "partial_open", "rejected", "closing", "partial_closing", "closed", "expired",
    "settled", "unknown",
]  # fmt: skip


DOCUMENTS: Final[dict[str, type]] = {
    **dict.fromkeys(("trade list", "trade show", "trade open", "trade adopt", "trade close"), Reply),
    "trade close --all": Closes,
}


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a trade to be opened or adopted is."""

    account: Annotated[str, Parameter(help="The account; it is paper or live, never both.")]
    mode: Annotated[Literal["paper", "live"], Parameter(help="Whether real money is at stake.")]
    ticker: Annotated[str, Parameter(help="The instrument.")]
    side: Annotated[
        Literal["yes", "no", "long", "short"], Parameter(help="yes or no of an event contract, else long or short.")
    ]
    quantity: Annotated[str, Parameter(help="Contracts or units.")]
    venue: Annotated[str | None, Parameter(help="Where; `live` needs it.")] = None
    symbol: Annotated[str | None, Parameter(help="The underlying.")] = None
    limit_price: Annotated[str | None, Parameter(help="Dollars, of the side.")] = None
    strike_type: Annotated[
        Literal["above", "below", "between"] | None, Parameter(help="On which side of the strike it wins.")
    ] = None
    strike: Annotated[str | None, Parameter(help="Units of the underlying.")] = None
    cap_strike: Annotated[str | None, Parameter(help="The upper strike of `between`.")] = None
    close_ts: Annotated[str | None, Parameter(help="When the market closes, RFC 3339 in UTC.")] = None
    tick_size: Annotated[str | None, Parameter(help="Smallest step of the price, dollars.")] = None
    lot_size: Annotated[str | None, Parameter(help="Smallest quantity.")] = None
    strategy: Annotated[str | None, Parameter(help="Whose settings layer holds for it.")] = None
    expires_ts: Annotated[str | None, Parameter(help="After this it is not opened any more.")] = None
    stop: Annotated[
        tuple[str, ...],
        Parameter(
            help="A stop, RULE,SETTING=VALUE,...; may be repeated: --stop probability,floor_percent=30", negative=()
        ),
    ] = field(default=())
    no_stop_reason: Annotated[str | None, Parameter(help="Why it may stand without a stop: a waiver in your name.")] = (
        None
    )
    allow_immediate: Annotated[bool, Parameter(help="Open it even if a stop would fire at once.", negative=())] = False

    def fields(self) -> dict[str, object]:
        """Return the message's fields."""
        fields = asdict(self)
        stops = fields.pop("stop")
        return {**fields, "stops": [_stop(text) for text in stops] or None}


def _stop(text: str) -> dict[str, object]:
    rule, *settings = text.split(",")
    return {"rule": rule, **assignments(settings)}


@app.command(name="list")
def list_trades(
    *,
    state: Annotated[tuple[_State, ...], Parameter(help="Only these; may be repeated.", negative=())] = (),
    account: str | None = None,
    symbol: str | None = None,
    since: Annotated[str | None, Parameter(help="Changed since this instant, RFC 3339 in UTC.")] = None,
    limit: Annotated[int, Parameter(help="At most this many, 1 to 1000.")] = 100,
    after: Annotated[str | None, Parameter(help="The trade id after which the page begins.")] = None,
    flags: ReportFlags = TEXT,
) -> Exit:
    """List trades, by id."""
    if not 1 <= limit <= _PAGE:
        raise WrongUse(f"--limit {limit}: must be 1 to {_PAGE}")
    wanted = {
        "states": state or None,
        "account": account,
        "symbol": symbol,
        "since": since,
        "limit": limit,
        "after": after,
    }
    return report(asked(flags, "trade.request.list", built(TradeList, wanted)), flags, _list_picture)


@app.command(name="show")
def show_trade(trade_id: str, *, flags: ReportFlags = TEXT) -> Exit:
    """Show one trade whole: its stops, coverage, orders and fills."""
    return report(asked(flags, "trade.request.get", built(TradeGet, {"trade_id": trade_id})), flags, _trade_picture)


@app.command(name="open")
def open_trade(trade_id: str, *, wanted: Wanted, by: By = None, flags: ReportFlags = TEXT) -> Exit:
    """Open a trade. Asking again with the same id and the same words is safe."""
    message = built(TradeOpen, {"trade_id": trade_id, "requested_by": requester(by), **wanted.fields()})
    return report(asked(flags, "trade.request.open", message), flags, _trade_picture)


@app.command(name="adopt")
def adopt_trade(
    trade_id: str,
    *,
    wanted: Wanted,
    entry_price: Annotated[str, Parameter(help="Average price paid, dollars.")],
    entry_ts: Annotated[str, Parameter(help="When, RFC 3339 in UTC.")],
    fees: Annotated[str | None, Parameter(help="Paid so far, dollars.")] = None,
    by: By = None,
    flags: ReportFlags = TEXT,
) -> Exit:
    """Take over a position that exists already: it is open and watched at once."""
    entry = {"entry_price": entry_price, "entry_ts": entry_ts, "fees": fees}
    message = built(TradeAdopt, {"trade_id": trade_id, "requested_by": requester(by), **wanted.fields(), **entry})
    return report(asked(flags, "trade.request.adopt", message), flags, _trade_picture)


@app.command(name="close")
def close_trade(
    trade_id: str | None = None,
    *,
    quantity: Annotated[str | None, Parameter(help="Close only this much of it.")] = None,
    many: ManyCloses = NONE,
    reason: Reason = PLAIN_REASON,
    by: By = None,
    flags: ReportFlags = TEXT,
) -> Exit:
    """Close a trade, a part of it, or many trades. The answer says which close is in effect.

    It keeps nobody from opening new ones: `system halt` does.
    """
    if (trade_id is None) is not many.are_wanted or (many.are_wanted and quantity is not None):
        raise WrongUse("say one TRADE_ID (with --quantity for a part), or --all, or --account and --symbol")
    said = {"reason": reason, "requested_by": requester(by)}
    if trade_id is None:
        return close_many(many, said, flags)
    message = a_close(trade_id, many.command_id or new_command_id(), {**said, "quantity": quantity})
    return report(asked(flags, "trade.request.close", message), flags, lambda result: card("Close", result))


def _list_picture(result: Result) -> RenderableType:
    trades = table("Trades", _COLUMNS, [_row(trade) for trade in result["trades"]])
    return Group(trades, f"More: --after {result['next']}") if result.get("next") else trades


def _row(trade: dict[str, Any]) -> tuple[object, ...]:
    names = ("trade_id", "state", "coverage", "account", "ticker", "side", "open_quantity", "entry_price", "exit_price", "pnl", "rule")  # fmt: skip
    # What an ended trade was covered by last protects nothing any more.
    shown = {**trade, "coverage": None} if trade.get("state") in _ENDED else trade
    return tuple(shown.get(name) for name in names)


def _trade_picture(result: Result) -> RenderableType:
    lists = ("attempts", "fills", "stops", "settings", "overrides")
    parts: list[RenderableType] = [card("Trade", {name: value for name, value in result.items() if name not in lists})]
    if stops := result.get("stops"):
        parts.append(table("Stops", ("rule", "settings"), [(s["rule"], pairs(s.get("settings", {}))) for s in stops]))
    for name, columns in (
        ("attempts", ("client_order_id", "state", "quantity", "filled", "limit_price", "evidence")),
        ("fills", ("fill_id", "client_order_id", "price", "quantity", "fees", "ts")),
    ):
        if rows := result.get(name):
            parts.append(table(name.capitalize(), columns, [[row.get(column) for column in columns] for row in rows]))
    return Group(*parts)

"""Every refusal that a request can meet, each met by asking a desk."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from msgspec.structs import replace

from actors.rules.account.limits import EntryLimits, Limits
from actors.rules.desk.desk import Desk
from bus.messages.envelope import Malformed, Message
from bus.messages.records import RecordAway
from bus.messages.stops import StopArm, StopCheckGiven, StopDisarm, StopSet, StopWaive
from bus.messages.system import Error, SystemCommand
from bus.messages.timers import TimerFired
from bus.messages.trades import TradeGet, TradeOpen
from tests.rules.desk.builders import (
    T0,
    TICKER,
    S,
    a_change,
    a_close,
    a_command,
    a_desk,
    a_lifecycle,
    a_live_open,
    a_report,
    a_standing,
    an_adopt,
    an_open,
    an_unheard_desk,
    opened,
    received,
    reply_of,
)

D = Decimal
LIMITED: Final[dict[str, EntryLimits]] = {
    "max_quantity": EntryLimits(max_quantity=D(5)),
    "max_notional": EntryLimits(max_notional=D(5)),
    "max_exposure": EntryLimits(max_exposure=D(10)),
    "max_entries_per_second": EntryLimits(max_entries_per_second=1),
    "max_entries_per_minute": EntryLimits(max_entries_per_minute=1),
    "max_repeats": EntryLimits(max_repeats=1),
    "max_same": EntryLimits(max_same=1),
    "max_open_trades": EntryLimits(max_open_trades=1),
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """One refusal. asked: by which request; when: in words."""

    asked: str
    when: str
    error: Error


def _met(asked: str, when: str, said: list[object]) -> Refusal:
    reply = reply_of(said)
    assert reply.error is not None, f"nothing was refused: {when}"
    return Refusal(asked, when, reply.error)


def _after(desk: Desk, *words: object) -> Desk:
    for word in words:
        desk.handle(word)
    return desk


def _of_opens() -> Iterator[Refusal]:
    def ask(
        when: str, desk: Desk, asked: TradeOpen | None = None, **changes: Any
    ) -> Refusal:  # a builder takes any field
        return _met("trade.request.open", when, desk.handle(received(asked or an_open("t2", **changes))))

    def live(when: str, desk: Desk, **changes: Any) -> Refusal:  # as above
        return ask(when, desk, a_live_open("t2", **changes))

    def market(event: str) -> Desk:
        return _after(a_desk(), a_command(a_lifecycle(event), subject=f"market.lifecycle.{TICKER}"))

    coin: dict[str, Any] = {"ticker": "BTC-USD", "side": "long", "limit_price": D(100)}
    yield ask("the mode is neither paper nor live", a_desk(), mode="demo")
    yield ask("the id was used before", a_desk(ended_ids=frozenset({"t2"})))
    yield ask("the quantity is no quantity", a_desk(), quantity=D(0))
    yield ask("the price cannot be one of an event contract", a_desk(), limit_price=D("1.01"))
    yield ask("the price cannot be one", a_desk(), **coin | {"limit_price": D(0)})
    yield live("the account holds trades of the other mode", a_desk(accounts={"real": "paper"}))
    yield live("a live trade names no venue", a_desk(), venue=None)
    yield live("a live trade names a venue that is not in the settings", a_desk(), venue="mars")
    yield ask("it came too late", a_desk(), expires_ts=T0)
    yield ask("the market has closed", market("close"))
    yield ask("the market is halted", market("halted"))
    yield ask("the settings on record cannot be read", a_desk(layers={("defaults", ""): {"price.stop": "?"}}))
    yield ask("somebody has halted trading", a_desk(halted=True))
    yield ask("the account is reduce-only", a_desk(reduce_only=frozenset({"acc"})))
    yield live("live trading is off", a_desk(live_enabled=False))
    unknown = a_command(a_report(status="unknown"), subject="order.report.t1-entry-1")
    yield ask("nobody knows what became of an order of that account", _after(a_desk(), received(an_open()), unknown))
    differs = a_standing(unresolved=("yes RAIN-TODAY: the venue holds 12, our trades add up to 10",))
    yield ask("the account does not agree with its venue", _after(a_desk(), differs))
    netting = opened(a_desk(), a_live_open(venue="kalshi"))
    yield live("the account holds the other side, at a venue that nets both", netting, venue="kalshi", side="no")
    for name, limits in LIMITED.items():
        desk = a_desk(limits=Limits(each=limits))
        yield ask(f"beyond `limits.{name}`", desk if name in _OF_ONE else _after(desk, received(an_open())))
    for name in ("all_per_second", "all_per_minute"):
        desk = a_desk(limits=Limits(all_per_second=1) if name == "all_per_second" else Limits(all_per_minute=1))
        yield ask(f"beyond `limits.{name}`", _after(desk, received(an_open(account="other"))))
    yield live("a live trade has no stop, and no reason to have none", a_desk(), stops=())
    yield ask("a stop names a rule that does not exist", a_desk(), stops=({"rule": "prise"},))
    yield ask("a stop cannot watch event contracts", a_desk(), stops=({"rule": "drawdown"},))
    yield ask("a stop cannot watch linear instruments", a_desk(), **coin, stops=({"rule": "buffer", "min_buffer": 1},))
    yield ask("a stop has no threshold", a_desk(), stops=({"rule": "price"},))


def _of_opens_that_waited() -> Iterator[Refusal]:
    """Those that are asked for something first: whether a stop would fire, what the market costs, what the venue holds."""
    stopped = an_open("t2", stops=({"rule": "price", "stop_price": "0.70"},), allow_immediate=False)
    gave_up = TimerFired(owner="trade_desk", key="t2:stop_check", due_ns=T0 + 5 * S, now_ns=T0 + 5 * S)

    def told(when: str, desk: Desk, asked: TradeOpen, word: object) -> Refusal:
        return _met("trade.request.open", when, _after(desk, received(asked)).handle(word))

    fires = StopCheckGiven(trade_id="t2", rules=("price", "loss"), now_ns=T0)
    yield told("a stop would fire at once", a_desk(), stopped, fires)
    yield told("nobody could say within 5 s whether a stop would fire", a_desk(), stopped, gave_up)
    yield told("the venue has not said within 5 s what the account holds", an_unheard_desk(), an_open("t2"), gave_up)
    priced = StopCheckGiven(trade_id="t2", rules=(), now_ns=T0, price=D("0.50"))
    coin = an_open("t2", ticker="BTC-USD", side="long", limit_price=D(104))
    for asked, price, limits in (
        (an_open("t2"), D("0.50"), EntryLimits(price_band=D("0.05"))),
        (coin, D(100), EntryLimits(price_band_percent=D(2))),
    ):
        name = "price_band" if asked.side.is_event else "price_band_percent"
        desk = a_desk(limits=Limits(each=limits))
        yield told(f"beyond `limits.{name}`", desk, asked, replace(priced, price=price))
    desk = a_desk(limits=Limits(each=EntryLimits(max_notional=D(5))))
    at_any_price = an_open("t2", ticker="BTC-USD", side="long", limit_price=None)
    yield told("it names no price, and nobody quotes", desk, at_any_price, replace(priced, price=None))


def _of_others() -> Iterator[Refusal]:
    def ask(subject: str, when: str, desk: Desk, asked: Message, **changes: Any) -> Refusal:  # as above
        return _met(subject, when, desk.handle(received(asked, subject=subject, **changes)))

    yield ask("trade.request.adopt", "the entry price cannot be one", a_desk(), an_adopt("t2", entry_price=D(0)))
    close = "trade.request.close"
    yield ask(close, "no trade has that id", a_desk(), a_close())
    yield ask(close, "the trade ended long ago", a_desk(ended_ids=frozenset({"t1"})), a_close())
    rejected = a_command(a_report(status="rejected"), subject="order.report.t1-entry-1")
    yield ask(close, "the trade has ended", _after(a_desk(), received(an_open()), rejected), a_close())
    yield ask(close, "the quantity is no quantity", opened(a_desk()), a_close(quantity=D(0)))
    at_close = a_command(a_lifecycle("close"), subject=f"market.lifecycle.{TICKER}", received_ns=T0 + 60 * S)
    yield ask(close, "the market has closed", _after(opened(a_desk()), at_close), a_close())
    yield ask("trade.request.get", "no trade has that id", a_desk(), TradeGet(trade_id="t1"))

    who: dict[str, Any] = {"trade_id": "t1", "reason": "calmer", "requested_by": "ann"}
    arm, change = "stop.request.arm", "stop.request.set"
    yield ask(arm, "no trade has that id", a_desk(), StopArm(rule="price", settings={"stop_price": "0.5"}, **who))
    ended = _after(a_desk(), received(an_open()), rejected)
    yield ask(arm, "the trade has ended", ended, StopArm(rule="price", settings={"stop_price": "0.5"}, **who))
    yield ask(arm, "the rule does not exist", opened(a_desk()), StopArm(rule="prise", settings={}, **who))
    yield ask(arm, "the rule has no threshold", opened(a_desk()), StopArm(rule="loss", settings={}, **who))
    yield ask("stop.request.disarm", "the rule does not exist", opened(a_desk()), StopDisarm(rule="prise", **who))
    yield ask("stop.request.waive", "it would end before it begins", opened(a_desk()), StopWaive(until=T0, **who))
    for when, settings in _WRONG_SETTINGS.items():
        yield ask(change, when, opened(a_desk()), StopSet(settings=settings, **who))
    yield ask(change, "the rule does not exist", opened(a_desk()), StopSet(rule="prise", settings={}, **who))

    setting = "settings.request.set"
    yield ask(setting, "somebody else has changed them", a_desk(), a_change(7))
    yield ask(setting, "somebody else has changed them (a trade's)", a_desk(), a_change(7, layer="trade", name="t1"))
    yield ask(setting, "nobody says whose they are", a_desk(), a_change(layer="account"))
    yield ask(setting, "nothing is to change", a_desk(), a_change(changes={}))
    yield ask(
        "system.request.pause", "there is no such request", a_desk(), SystemCommand(reason="x", requested_by="ann")
    )
    away = RecordAway(error="connection refused", now_ns=T0)
    yield ask("trade.request.open", "PostgreSQL is away", _after(a_desk(), away), an_open("t2"))
    again = [received(an_open(quantity=D(size)), key="command:open:t1") for size in (10, 11)]
    yield _met(
        "trade.request.open", "the same id came before with another body", _after(a_desk(), again[0]).handle(again[1])
    )
    garbage = Malformed(
        subject="trade.request.open", body=b"{", reason="quantity: not a decimal", received_ns=T0, reply_to="x"
    )
    yield _met("trade.request.open", "it cannot be read", a_desk().handle(garbage))


_OF_ONE: Final = ("max_quantity", "max_notional")
_WRONG_SETTINGS: Final[dict[str, dict[str, Any]]] = {
    "there is no such setting, but one like it": {"probability.flor_percent": 20},
    "there is no such setting": {"zzz": 20},
    "the value is beyond its limits": {"probability.floor_percent": 101},
    "the value is no number": {"probability.floor_percent": "1_0"},
    "the value is no whole number": {"probability.confirm_ticks": "1.5"},
    "the value is none of the words": {"close_empty_book": "wait"},
    "the value is no switch": {"price.enabled": "on"},
    "there is no such profile": {"profile": "bold"},
    "it is an account's": {"drawdown.ratchet_percent": 60},
}


def refusals() -> list[Refusal]:
    """Return every refusal, by code, those of one code in the order in which they stand above."""
    return sorted((*_of_opens(), *_of_opens_that_waited(), *_of_others()), key=lambda one: one.error.code)

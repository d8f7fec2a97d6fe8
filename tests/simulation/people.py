"""Who asks for something in a random world: strategies that open and adopt, persons who close, halt, set and look."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from bus.messages.plain import instant_text
from bus.messages.trades import Side
from bus.messages.units import NS_PER_S
from tests.simulation.markets import ACCOUNTS

if TYPE_CHECKING:
    from tests.simulation.story import Story

_PATIENCE_S: Final = 2.0
_ADOPT_TRIES: Final = 200
"""Nobody gives up a position because the record is away, however long: a close of it may have left unrecorded."""


class People:
    """Strategies and persons of one world."""

    def __init__(self, story: "Story") -> None:
        self._story = story
        self._world = story.world
        self._random = story.random

    def open_some(self) -> None:
        """Ask for a trade, in one of the ways there are."""
        random = self._random
        open_markets = [market for market in self._story.markets if not market.is_closed]
        if not open_markets:
            return
        market = random.choice(open_markets)
        venue = random.choice(("sim", "sim", "sim", "net", "paper"))
        number = len(self._story.asked) + 1
        side = random.choice(("yes", "yes", "no"))
        price = market.mid / 100 if side == "yes" else 1 - market.mid / 100
        fields: dict[str, Any] = {
            "trade_id": f"t{number}",
            "account": ACCOUNTS[venue],
            "mode": "paper" if venue == "paper" else "live",
            "venue": venue,
            "ticker": market.ticker,
            "side": side,
            "quantity": str(random.choice((1, 5, 10, Decimal("2.5")))),
            "limit_price": str(round(Decimal(min(0.97, price + 0.05)), 2)),
            "stops": self._stops(price),
            "allow_immediate": random.random() < 0.2,
        }
        if market.close_ns is not None and random.random() < 0.8:
            fields["close_ts"] = instant_text(market.close_ns)
        is_late = market.close_ns is None and random.random() < 0.05
        if is_late:
            # No order may leave this close to the end: it is rejected before there is any.
            fields["close_ts"] = instant_text(self._world.now_ns // 1000 * 1000 + NS_PER_S // 2)
        self._story.asked[fields["trade_id"]] = fields
        if venue == "sim" and not is_late and random.random() < 0.15:
            self._adopt(fields, price)
            return
        if random.random() < 0.3:
            fields["expires_ts"] = instant_text(self._world.now_ns // 1000 * 1000 + 20 * NS_PER_S)
            self._story.store("trade.command.open", f"open:{fields['trade_id']}", **fields)
        else:
            self._request("trade.request.open", fields, tries=6)

    def open_ten(self) -> None:
        """Ask for as much as is filled in parts, and is closed when its entry cannot be sent any more."""
        market = self._random.choice(self._story.markets)
        fields: dict[str, Any] = {
            "trade_id": f"t{len(self._story.asked) + 1}", "account": ACCOUNTS["sim"], "mode": "live", "venue": "sim", "ticker": market.ticker,
            "side": "yes", "quantity": "10", "limit_price": "0.97", "stops": [{"rule": "time", "max_age_s": 6}], "allow_immediate": True,
        }  # fmt: skip
        if not market.is_closed:
            self._story.asked[fields["trade_id"]] = fields
            self._request("trade.request.open", fields, tries=6)

    def _adopt(self, fields: dict[str, Any], price: float) -> None:
        """Have a position taken over that stands at the venue already."""
        holding = (fields["account"], fields["ticker"], Side(fields["side"]))
        self._world.executors["sim"].venue.bring(holding, Decimal(fields["quantity"]), fields["trade_id"])
        more = {
            "entry_price": str(round(Decimal(price), 2)),
            "entry_ts": instant_text(self._world.now_ns // 1000 * 1000),
        }
        gone = ("limit_price", "expires_ts")
        kept = {key: value for key, value in fields.items() if key not in gone}
        self._request("trade.request.adopt", kept | more, tries=_ADOPT_TRIES)

    def _stops(self, price: float) -> list[dict[str, Any]]:
        """Draw the stops of a trade that costs about `price`."""
        random = self._random
        widest, ages = (0.03, (2, 4)) if self._story.plan.is_nervous else (0.15, (8, 20, 40))
        found: list[dict[str, Any]] = [
            {
                "rule": "price",
                "stop_price": str(max(Decimal("0.02"), round(Decimal(price - random.uniform(0.02, widest)), 2))),
                "confirm_ticks": random.choice((1, 2, 2, 3)),
            }
        ]
        if random.random() < 0.3:
            found[0]["dwell_s"] = 1
        others: list[dict[str, Any]] = [
            {"rule": "trailing", "trail": "0.08"},
            {"rule": "profit", "take_profit_price": str(min(Decimal("0.95"), round(Decimal(price + 0.12), 2)))},
            {"rule": "time", "max_age_s": random.choice(ages)},
            {"rule": "loss", "max_loss": str(random.choice((1, 2)))},
            {"rule": "probability", "floor_percent": str(max(3, int(price * 100) - 15))},
        ]
        if self._story.plan.is_nervous:
            found.append(others.pop(2))
        return found + random.sample(others, random.choice((0, 0, 1, 2)))

    def _request(self, subject: str, fields: dict[str, Any], *, tries: int = 1) -> None:
        """Ask, and ask again while nobody answers."""
        heard: list[dict[str, Any]] = []

        def hear(reply: dict[str, Any]) -> None:
            heard.append(reply)
            self._world.tell(f"reply to {subject} {fields.get('trade_id', '')}: {reply['ok']} {reply.get('error', '')}")
            self._world.answered(subject, fields, reply)
            if subject == "trade.request.adopt" and not reply["ok"] and reply["error"]["retry"]:
                heard.clear()  # Nobody gives up a position because the record was away.

        self._world.ask(subject, hear, **fields)
        if tries > 1:
            self._story.after(_PATIENCE_S, lambda: None if heard else self._request(subject, fields, tries=tries - 1))
            self._story.is_done_ns = max(self._story.is_done_ns, self._world.now_ns + int((_PATIENCE_S + 1) * NS_PER_S))

    def want_something(self) -> None:
        """Somebody wants something."""
        random = self._random
        if self._story.is_calm or not self._story.asked:
            return
        trade_id = random.choice(list(self._story.asked))
        who: dict[str, Any] = {"reason": "because", "requested_by": "a person"}
        match random.choice(("close", "part", "halt", "set", "waive", "settings", "status", "list")):
            case "close":
                self._request("trade.request.close", {"trade_id": trade_id, **who}, tries=3)
            case "part":
                self._story.store(
                    "trade.command.close",
                    f"close:{trade_id}:{self._world.now_ns}",
                    trade_id=trade_id,
                    quantity="1",
                    **who,
                )
            case "halt":
                self._request("system.request.halt", dict(who), tries=3)
                self._story.after(random.uniform(2, 6), lambda: self._request("system.request.resume", who, tries=9))
            case "set":
                settings = {"stop_price": str(random.choice((Decimal("0.2"), Decimal("0.35"), Decimal("0.45"))))}
                self._request("stop.request.set", {"trade_id": trade_id, "rule": "price", "settings": settings, **who})
            case "waive":
                until = instant_text(self._world.now_ns // 1000 * 1000 + 5 * NS_PER_S)
                self._request("stop.request.waive", {"trade_id": trade_id, "until": until, **who})
            case "settings":
                version = len(self._world.postgres.tables.settings_history) - random.choice((0, 0, 1))
                changes = {"close_slippage": str(random.choice((Decimal("0.03"), Decimal("0.08"))))}
                self._request(
                    "settings.request.set",
                    {"layer": "defaults", "changes": changes, "expected_version": version, **who},
                )
            case "status":
                self._request("system.request.status", who)
            case _:
                self._request("trade.request.list", {"limit": 10})

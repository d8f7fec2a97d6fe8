"""Whoever asks for trades and quotes the market in a round: a plain client with patience, which repeats what got no answer."""

import json
import threading
import time
from contextlib import suppress
from decimal import Decimal
from typing import Final, Self

from tests.acceptance.harness import Body, a_name, instant
from tests.bench.raw import RawClient
from tests.chaos.executor import VENUE, ExecutorKeeper

PATIENCE_S: Final = 90
"""For one answer, whatever goes wrong meanwhile."""
_ANSWER_S: Final = 2.0
_QUOTE_EVERY_S: Final = 0.05
_PAUSE_S: Final = 0.1
CALM: Final = Decimal("0.60")


class Unanswered(Exception):  # noqa: N818  # a violation in the making
    """Nobody answered for longer than any fault lasts."""


class Market(threading.Thread):
    """Quotes every ticker all the time. bids: of each."""

    def __init__(self, url: str) -> None:
        super().__init__(name="market", daemon=True)
        self.bids: dict[str, Decimal] = {}
        self._url = url
        self._is_over = threading.Event()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self.join()

    def run(self) -> None:
        while not self._is_over.is_set():
            with suppress(OSError), RawClient(self._url) as client:
                client.settimeout(_ANSWER_S)
                while not self._is_over.wait(_QUOTE_EVERY_S):
                    for ticker, bid in list(self.bids.items()):
                        client.publish(f"market.quote.{ticker}", _quote(ticker, bid))
                    client.flush()
            self._is_over.wait(_QUOTE_EVERY_S)


def _quote(ticker: str, bid: Decimal) -> bytes:
    prices = {"yes_bid": str(bid), "yes_ask": str(bid + Decimal("0.02"))}
    return json.dumps({"ticker": ticker, "ts": instant(), "source": "chaos", **prices}).encode()


class Driver:
    """Asks for trades under ids that stay the same however often it has to ask. promised: those that were answered with a yes."""

    def __init__(self, url: str, executor: ExecutorKeeper, market: Market) -> None:
        self._url = url
        self._executor = executor
        self._market = market
        self.promised: list[str] = []
        self.adopted: list[str] = []
        self.refused: dict[str, Body] = {}

    def trade(self, *, is_adopted: bool) -> str:
        """Have a trade of ten contracts opened or adopted, whose stop fires at the first bid of 0.40. Raises: Unanswered."""
        trade_id = a_name()
        body: Body = {
            "trade_id": trade_id,
            "account": f"acc-{trade_id}",
            "venue": VENUE,
            "mode": "live",
            "ticker": f"M-{trade_id}",
            "side": "yes",
            "quantity": "10",
            "limit_price": "0.62",
            "requested_by": "chaos",
            "stops": [{"rule": "price", "stop_price": "0.40", "confirm_ticks": "1"}],
        }
        self._market.bids[body["ticker"]] = CALM
        verb = "open"
        if is_adopted:
            verb = "adopt"
            del body["limit_price"]
            body |= {"entry_price": "0.60", "entry_ts": instant(-60)}
            self._executor.hold(body["account"], body["ticker"], "yes", Decimal(10))
            self.adopted.append(trade_id)
        answer = self.demand(f"trade.request.{verb}", body)
        if answer["ok"]:
            self.promised.append(trade_id)
        else:
            self.refused[trade_id] = answer["error"]
        return trade_id

    def demand(self, subject: str, body: Body) -> Body:
        """Ask until there is an answer that stays. Raises: Unanswered."""
        deadline = time.monotonic() + PATIENCE_S
        last: Body | None = None
        while time.monotonic() < deadline:
            with suppress(OSError):
                last = ask(self._url, subject, body) or last
                if last is not None and (last["ok"] or not last["error"].get("retry", False)):
                    return last
            threading.Event().wait(_PAUSE_S)
        raise Unanswered(f"{subject} {body} is not answered; the last word was {last}")


def ask(url: str, subject: str, body: Body | bytes, timeout_s: float = _ANSWER_S) -> Body | None:
    """Ask once; None: nobody answered. Raises: OSError if NATS is not there."""
    with RawClient(url) as client:
        client.settimeout(timeout_s)
        inbox = a_name("_INBOX.chaos.")
        client.subscribe(inbox)
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        client.send(b"PUB %s %s %d\r\n%s\r\n" % (subject.encode(), inbox.encode(), len(data), data))
        try:
            answer = next(client.messages())[2]
        except TimeoutError:
            return None
        return dict(json.loads(answer)) if answer else None

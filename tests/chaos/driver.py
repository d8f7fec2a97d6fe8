"""Whoever asks for trades and quotes the market in a round: a plain client with patience, which repeats what got no answer."""

import json
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from typing import Final, Self

from tests.acceptance.harness import Body, a_name, instant
from tests.bench.raw import RawClient
from tests.chaos.executor import VENUE, ExecutorKeeper

PATIENCE_S: Final = 180
"""For one answer, whatever goes wrong meanwhile."""
_ANSWER_S: Final = 2.0
_QUOTE_EVERY_S: Final = 0.05
_PAUSE_S: Final = 0.1
_COMMAND_S: Final = 60
"""How long a command to open a trade holds."""
CALM: Final = Decimal("0.60")
QUANTITY: Final = Decimal(10)
"""Of each trade."""


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

    def open(self, ticker: str) -> None:
        """Quote a new ticker from now on."""
        with suppress(OSError), RawClient(self._url) as client:
            client.settimeout(_ANSWER_S)
            client.publish(f"market.quote.{ticker}", _quote(ticker, CALM))
            client.flush()
        self.bids[ticker] = CALM

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
    """Asks for trades under ids that stay the same however often it has to ask.

    account, ticker: of all trades; None: each has its own. asked: trade id -> what was asked for, and verbs how; promised: those that were answered with a yes, or whose command is stored.
    """

    def __init__(self, url: str, executor: ExecutorKeeper, market: Market) -> None:
        self._url = url
        self._executor = executor
        self._market = market
        self.account: str | None = None
        self.ticker: str | None = None
        self.asked: dict[str, Body] = {}
        self.verbs: dict[str, str] = {}
        self.promised: list[str] = []
        self.commanded: list[str] = []

    def trade(self, verb: str, *, by_command: bool) -> None:
        """Have a trade of ten contracts opened or adopted, whose stop fires at the first bid of 0.40. Raises: Unanswered.

        verb: `open` or `adopt`. by_command: through the stream, which promises that it will be heard.
        """
        trade_id = a_name()
        body: Body = {
            "trade_id": trade_id,
            "account": self.account or f"acc-{trade_id}",
            "venue": VENUE,
            "mode": "live",
            "ticker": self.ticker or f"M-{trade_id}",
            "side": "yes",
            "quantity": str(QUANTITY),
            "requested_by": "chaos",
            "stops": [{"rule": "price", "stop_price": "0.40", "confirm_ticks": "1"}],
        }
        if verb == "adopt":
            body |= {"entry_price": "0.60", "entry_ts": instant(-60)}
            self._executor.hold(body["account"], body["ticker"], "yes", QUANTITY)
        else:
            body |= {"limit_price": "0.62"}
        if body["ticker"] not in self._market.bids:
            self._market.open(body["ticker"])
        self.asked[trade_id], self.verbs[trade_id] = body, verb
        if by_command:
            expiring = body | ({"expires_ts": instant(_COMMAND_S)} if verb == "open" else {})
            self._command(f"trade.command.{verb}", expiring, f"{verb}-{trade_id}")
            self.commanded.append(trade_id)
        elif self._demand(f"trade.request.{verb}", body)["ok"]:
            self.promised.append(trade_id)

    def close(self, trade_id: str) -> None:
        """Have a trade closed by hand. Raises: Unanswered."""
        words = {"trade_id": trade_id, "reason": "chaos", "requested_by": "chaos", "command_id": f"by-hand-{trade_id}"}
        self._demand("trade.request.close", words)

    def _demand(self, subject: str, body: Body) -> Body:
        """Ask until there is an answer that stays. Raises: Unanswered."""
        return self._again_and_again(
            subject, body, lambda answer: answer["ok"] or not answer["error"].get("retry", False), None
        )

    def _command(self, subject: str, body: Body, message_id: str) -> None:
        """Publish until the stream has it. Raises: Unanswered."""
        self._again_and_again(subject, body, lambda answer: "seq" in answer, message_id)

    def _again_and_again(
        self, subject: str, body: Body, is_last: Callable[[Body], bool], message_id: str | None
    ) -> Body:
        deadline = time.monotonic() + PATIENCE_S
        last: Body | None = None
        while time.monotonic() < deadline:
            with suppress(OSError):
                last = ask(self._url, subject, body, message_id=message_id) or last
                if last is not None and is_last(last):
                    return last
            threading.Event().wait(_PAUSE_S)
        raise Unanswered(f"{subject} {body} is not answered; the last word was {last}")


def ask(
    url: str, subject: str, body: Body | bytes, timeout_s: float = _ANSWER_S, *, message_id: str | None = None
) -> Body | None:
    """Ask once; None: nobody answered. Raises: OSError if NATS is not there."""
    with RawClient(url) as client:
        client.settimeout(timeout_s)
        inbox = a_name("_INBOX.chaos.")
        client.subscribe(inbox)
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        head = f"NATS/1.0\r\nNats-Msg-Id: {message_id}\r\n\r\n".encode() if message_id else b""
        sizes = f"{len(head)} {len(head) + len(data)}" if head else str(len(data))
        verb = "HPUB" if head else "PUB"
        client.send(f"{verb} {subject} {inbox} {sizes}\r\n".encode() + head + data + b"\r\n")
        try:
            answer = next(client.messages())[2]
        except TimeoutError:
            return None
        return dict(json.loads(answer)) if answer else None

"""How the simulated venue takes orders in, works them one at a time, and reports (DESIGN section 5, "An executor must").

Works on the draft that it is given and keeps nothing itself. Timers of the owner `paper_venue`:
`decide:<id>` an order's latency is over, `cancel:<id>` a cancel's, `rest:<id>` a resting order's time is over,
`late:<id>#<place>` a report that was held back on request.
"""

from typing import Final

from msgspec.structs import replace

from actors.rules.paper.faults import Fault, Faults
from actors.rules.paper.fills import Matching
from actors.rules.paper.orders import PaperOrder, Phase, arrived, ended, promised, reduces
from actors.rules.paper.state import VenueState
from bus.messages.market import Lifecycle, LifecycleEvent
from bus.messages.orders import Action, OrderCancel, OrderSubmit, ReportStatus
from bus.messages.timers import CancelTimer, SetTimer, TimerFired
from bus.messages.trades import Mode, Purpose, Trade

OWNER: Final = "paper_venue"
_ENDINGS: Final = (LifecycleEvent.CLOSE, LifecycleEvent.DETERMINED, LifecycleEvent.SETTLED)

Said = list[object]


class PaperExecutor:
    """Between ORDERS and the matching: looks up, refuses, queues, reports."""

    def __init__(self, matching: Matching, *, latency_ns: int, style: str, faults: Faults) -> None:
        self._matching = matching
        self._latency_ns = latency_ns
        self._style = style
        self._faults = faults

    def take_in(self, draft: VenueState, submit: OrderSubmit, now_ns: int) -> Said:
        """Hear an order: a known one is answered as before, a new one refused or sent on its way."""
        known = draft.orders.get(submit.client_order_id)
        if known is not None:
            return self._answer_again(known)
        refusal = self._refusal(draft, submit, now_ns)
        draft.epoch = max(draft.epoch, submit.epoch)
        order = self.number(draft, submit, now_ns)
        if refusal is None:
            draft.keep(order)
            return [self._decide_timer(submit)]
        return self._end(draft, order, *refusal, now_ns=now_ns)

    def hear_cancel(self, draft: VenueState, cancel: OrderCancel, now_ns: int) -> Said:
        """Hear a cancel. One that comes before its order promises never to send it; one of an older epoch is not heard."""
        if cancel.epoch < draft.epoch:
            return []
        draft.epoch = cancel.epoch
        order = draft.orders.get(cancel.client_order_id)
        if order is None:
            draft.count += 1
            promise = promised(cancel, draft.count, now_ns)
            draft.keep(promise)
            return list(promise.reports)
        if order.phase is Phase.ENDED:
            return self._answer_again(order)
        order = replace(order, cancel=cancel)
        draft.keep(order)
        due_ns = cancel.ts + self._latency_ns
        if now_ns >= due_ns:
            return self._end(draft, order, ReportStatus.CANCELLED, cancel.reason, now_ns=now_ns)
        return [SetTimer(owner=OWNER, key=f"cancel:{cancel.client_order_id}", due_ns=due_ns)]

    def hear_timer(self, draft: VenueState, fired: TimerFired) -> Said:
        """Hear that a time has come; a timer that finds its work done says nothing."""
        kind, _, name = fired.key.partition(":")
        client_order_id, _, place = name.partition("#")
        order = draft.orders.get(client_order_id)
        if order is None:
            return []
        if kind == "late":
            return [order.reports[int(place)]]
        if kind == "decide" and order.phase is Phase.WAITING:
            return self._decide_due(draft, order, fired.now_ns)
        if kind == "cancel" and order.phase is not Phase.ENDED and order.cancel is not None:
            return self._end(draft, order, ReportStatus.CANCELLED, order.cancel.reason, now_ns=fired.now_ns)
        if kind == "rest" and order.phase is Phase.RESTING:
            return self.say_steps(draft, order, self._matching.match(draft, order, fired.now_ns))
        return []

    def hear_lifecycle(self, draft: VenueState, heard: Lifecycle, now_ns: int) -> Said:
        """Hear of a market: a closed one fills nothing and its resting orders expire, a halted one fills nothing for now."""
        market = draft.market(heard.ticker)
        if heard.close_ts is not None:
            market = replace(market, close_ts=heard.close_ts)
        if heard.event in (LifecycleEvent.HALTED, LifecycleEvent.RESUMED, LifecycleEvent.OPEN):
            market = replace(market, halted=heard.event == LifecycleEvent.HALTED)
        if heard.event in _ENDINGS:
            market = replace(market, ended=True)
        draft.markets[heard.ticker] = market
        if heard.result is not None and heard.event in (LifecycleEvent.DETERMINED, LifecycleEvent.SETTLED):
            draft.settle(heard.ticker)
        if market.is_closed(now_ns):
            return self.match_resting(draft, heard.ticker, now_ns)
        return [self.rest_timer(draft, draft.orders[resting]) for resting in draft.resting.get(heard.ticker, ())]

    def hear_trade(self, draft: VenueState, trade: Trade) -> Said:
        """Hear of a paper trade: an adopted one brings its position along, which no order here has filled."""
        draft.hear_trade(trade)
        return []

    def match_resting(self, draft: VenueState, ticker: str, now_ns: int) -> Said:
        """Hold every order that rests on `ticker` against its quote."""
        said: Said = []
        resting = [draft.orders[client_order_id] for client_order_id in draft.resting.get(ticker, ())]
        for order in sorted(resting, key=_closes_first):
            said += self.say_steps(draft, order, self._matching.match(draft, order, now_ns))
        return said

    def number(self, draft: VenueState, submit: OrderSubmit, now_ns: int) -> PaperOrder:
        """Return `submit` as the next order that this venue has seen; not kept yet."""
        draft.count += 1
        return arrived(submit, draft.count, now_ns, self._faults.of(submit.client_order_id, draft.count))

    def say_steps(self, draft: VenueState, before: PaperOrder, after: PaperOrder) -> Said:
        """Return what is said of an order that went from `before` to `after`."""
        said: Said = []
        for place in range(len(before.reports), len(after.reports)):
            said += self._say(after, place)
        if after.phase is Phase.RESTING and before.phase is Phase.WAITING:
            said.append(self.rest_timer(draft, after))
        if after.phase is Phase.ENDED and before.phase is Phase.RESTING:
            said.append(CancelTimer(owner=OWNER, key=f"rest:{after.client_order_id}"))
        return said

    def rest_timer(self, draft: VenueState, order: PaperOrder) -> SetTimer:
        """A resting order may fill at its `expires_ts` for the last time, and no more at its market's close."""
        sent = order.sent
        close_ts = draft.market(sent.ticker).close_ts
        due_ns = sent.expires_ts + 1 if close_ts is None else min(sent.expires_ts + 1, close_ts)
        return SetTimer(owner=OWNER, key=f"rest:{order.client_order_id}", due_ns=due_ns)

    def _refusal(self, draft: VenueState, submit: OrderSubmit, now_ns: int) -> tuple[ReportStatus, str] | None:
        if submit.mode is not Mode.PAPER:
            return ReportStatus.REJECTED, f"mode {submit.mode} is not this venue's"
        if submit.epoch < draft.epoch:
            return ReportStatus.REJECTED, f"epoch {submit.epoch} is older than {draft.epoch}"
        if (submit.purpose is Purpose.CLOSE) != reduces(submit):
            return ReportStatus.REJECTED, f"{submit.action} {submit.side} is not what a {submit.purpose} does"
        if submit.side.is_event and reduces(submit) and (submit.action is Action.SELL) != (self._style == "sell"):
            return ReportStatus.REJECTED, f"this venue closes by {self._style}"
        if now_ns > submit.expires_ts:
            return ReportStatus.EXPIRED, "it came after its expires_ts"
        return None

    def _decide_due(self, draft: VenueState, first: PaperOrder, now_ns: int) -> Said:
        lane = draft.waiting[first.account, first.sent.ticker]
        said: Said = []
        for order in sorted((draft.orders[client_order_id] for client_order_id in lane), key=_closes_first):
            if order.sent.ts + self._latency_ns <= now_ns:
                said += self.say_steps(draft, order, self._matching.decide(draft, order, now_ns))
        return said

    def _end(self, draft: VenueState, order: PaperOrder, status: ReportStatus, reason: str, *, now_ns: int) -> Said:
        done = ended(order, status, reason, now_ns)
        draft.keep(done)
        return self.say_steps(draft, order, done)

    def _say(self, order: PaperOrder, place: int) -> Said:
        report = order.reports[place]
        match order.fault:
            case Fault.SILENCE:
                return []
            case Fault.DUPLICATE:
                return [report, report]
            case Fault.LATE if report.status is not ReportStatus.ACCEPTED:
                key = f"late:{order.client_order_id}#{place}"
                return [SetTimer(owner=OWNER, key=key, due_ns=report.ts + self._faults.late_ns)]
            case _:
                return [report]

    def _answer_again(self, order: PaperOrder) -> Said:
        if order.phase is Phase.WAITING:
            return [self._decide_timer(order.sent)]
        return [] if order.fault is Fault.SILENCE else list(order.reports)

    def _decide_timer(self, submit: OrderSubmit) -> SetTimer:
        return SetTimer(owner=OWNER, key=f"decide:{submit.client_order_id}", due_ns=submit.ts + self._latency_ns)


def _closes_first(order: PaperOrder) -> tuple[bool, int, int]:
    return (not reduces(order.sent), order.sent.ts, order.number)

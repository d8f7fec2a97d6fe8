"""One look at an account: a whole answer of the venue against what we hold, and what is to be said because of it.

A difference proves nothing by itself: positions lag behind fills (Lesson 25), an order on its way may explain it, and a list may be
empty because something failed (Fault 54). So a place is judged only while no order of ours there is in flight and nothing there has
changed since the venue was asked, and a difference counts once a later look finds the very same: then people are told, and no
entry leaves. A trade is closed by it only if the venue's own fills add up to what is missing, or if it has stood for `unexplained_ns`;
and however long it stands, not where the venue lists nothing at all while our trades hold several things, unless what the
venue has said of that very place, unasked, comes to the same (`stated`).
"""

from actors.rules.reconcile import attribution, comparison, netting, notices
from actors.rules.reconcile.account import Account
from actors.rules.reconcile.comparison import Difference
from actors.rules.reconcile.holdings import Holdings
from actors.rules.reconcile.stated import Stated
from actors.rules.reconcile.terms import Place, ReconcileTerms
from bus.messages.notices import Notice
from bus.messages.orders import Position, VenueFill, VenuePosition
from bus.messages.reconcile import AccountAnswer, PositionFound, PositionsSeen
from bus.messages.trades import Trade
from bus.messages.units import ZERO


class Look:
    """words: for TradeDesk, in order. notices: for people. again: whether something must be looked at again soon."""

    def __init__(
        self, account: Account, holdings: Holdings, stated: Stated, answer: AccountAnswer, terms: ReconcileTerms
    ) -> None:
        self._account = account
        self._holdings = holdings
        self._stated = stated
        self._answer = answer
        self._terms = terms
        self._trades = holdings.of(account.key)
        self._nets = terms.nets(account.key.venue)
        self._told_of: set[str] = set()
        self._on_ticker: dict[str, list[Trade]] = {}
        for trade in self._trades.values():
            self._on_ticker.setdefault(trade.ticker, []).append(trade)
        self._is_blank = False
        self._short: list[tuple[Place, Difference]] = []
        self._nobodys: list[tuple[Place, Difference]] = []
        self.words: list[object] = []
        self.notices: list[Notice] = []
        self.again = False

    def take(self) -> "Look":
        """Compare, and note in the account what agrees and what does not."""
        self._compare_orders()
        self._compare_positions()
        return self

    # Orders and fills

    def _compare_orders(self) -> None:
        answer, account = self._answer, self._account
        told = comparison.evidence(self._trades, answer, account.told_fills)
        account.told_fills = frozenset(fill.fill_id for fill in answer.fills)
        self.words += told
        self._told_of = {word.trade_id for word in told}
        working, ended = comparison.ghosts(self._trades, answer)
        for order in sorted(working - account.ghosts):
            account.note_problem(None, order)
            self.notices.append(notices.ghost(account.key, order, answer.now_ns))
        account.ghosts = (account.ghosts | working) - ended
        account.note_foreign(comparison.fills_of_others(answer))

    # Positions

    def _compare_positions(self) -> None:
        theirs = comparison.held_at_venue(self._answer.positions, nets=self._nets)
        ours = comparison.held_by_us(self._trades.values(), nets=self._nets)
        found = comparison.differences(ours, theirs)
        self._is_blank = not self._answer.positions and (len(ours) > 1 or (self._account.is_blank and bool(ours)))
        self._account.is_blank = self._is_blank
        if self._nets:
            self._say_bounds(theirs)
            self._judge_crossed({place.ticker for place in found})
        for place in self._account.suspects.keys() - found.keys():
            del self._account.suspects[place]
        for place, difference in found.items():
            self._judge(place, difference)
        self._account.forget_foreign(found, self._answer.asked_ns - self._terms.overlap_ns)
        key, now_ns = self._account.key, self._answer.now_ns
        if self._short:
            self.notices.append(notices.mismatch(key, self._short, now_ns, is_blank=self._is_blank))
        if self._nobodys:
            self.notices.append(notices.unmanaged(key, self._nobodys, now_ns))
        self.again = self.again or bool(self._told_of or self._account.suspects)

    def _judge(self, place: Place, difference: Difference) -> None:
        there = self._on_ticker.get(place.ticker, ())
        if comparison.is_moving(there, self._answer, self._holdings.moved_ns) or any(
            trade.trade_id in self._told_of for trade in there
        ):
            self.again = True
            return
        if difference.missing < ZERO and self._holdings.is_settled(self._account.key, place.ticker):
            return
        age_ns = self._account.suspect(place, difference, self._answer.asked_ns)
        if age_ns < self._terms.confirm_ns:
            return
        self._account.suspects[place].is_confirmed = True
        fills = attribution.explaining(self._unbooked(place), abs(difference.missing))
        is_news = self._account.note_problem(place, str(difference))
        if difference.missing < ZERO:
            self._take_excess(place, difference, fills, is_news=is_news)
            return
        holders = [trade for trade in there if trade.side is place.side]
        if fills or (age_ns >= self._terms.unexplained_ns and self._is_sure(place, difference)):
            self._say_closed(place, difference, holders, fills)
        elif is_news:
            self._short.append((place, difference))

    def _unbooked(self, place: Place) -> list[VenueFill]:
        """Return the fills of others that may have changed `place`, but for those that a trade of ours stands on already."""
        account, holdings = self._account, self._holdings
        return [
            fill
            for fill in account.foreign.values()
            if comparison.may_concern(place, fill, nets=self._nets) and not holdings.is_taken(account.key, fill.fill_id)
        ]

    def _is_sure(self, place: Place, difference: Difference) -> bool:
        """Whether a list in which a place stays short may be believed."""
        return not self._is_blank or self._stated.confirms(self._account.key.account, place, difference.theirs)

    def _say_closed(
        self, place: Place, difference: Difference, trades: list[Trade], fills: tuple[VenueFill, ...]
    ) -> None:
        now_ns = self._answer.now_ns
        closed = attribution.closed_outside(trades, difference.missing, fills, now_ns)
        self.words += closed
        if len(trades) > 1 and self._account.note_problem(place, "attributed"):
            named = [word.trade_id for word in closed]
            self.notices.append(notices.attributed(self._account.key, place, difference.missing, named, now_ns))

    def _take_excess(
        self, place: Place, difference: Difference, fills: tuple[VenueFill, ...], *, is_news: bool
    ) -> None:
        if not is_news:
            return
        if not (self._terms.adopt_unknown and fills):
            self._nobodys.append((place, difference))
            return
        key = self._account.key
        excess = VenuePosition(ticker=place.ticker, side=place.side, quantity=-difference.missing)
        self.words.append(
            PositionFound(
                venue=key.venue, account=key.account, position=excess, fills=fills, now_ns=self._answer.now_ns
            )
        )

    def _judge_crossed(self, differing: set[str]) -> None:
        """Where we hold both sides, the venue holds what is left of one: once a later look finds the very same, that much has ended."""
        known, self._account.crossed = self._account.crossed, {}
        for ticker, there in self._on_ticker.items():
            quantity = netting.crossed(there)
            if not quantity:
                continue
            self.again = True
            is_told = any(trade.trade_id in self._told_of for trade in there)
            if ticker in differing or is_told or comparison.is_moving(there, self._answer, self._holdings.moved_ns):
                continue
            before, since_ns = known.get(ticker, (quantity, self._answer.asked_ns))
            since_ns = since_ns if before == quantity else self._answer.asked_ns
            self._account.crossed[ticker] = (quantity, since_ns)
            if self._answer.asked_ns - since_ns >= self._terms.confirm_ns:
                self.words += netting.cancelled(there, self._answer.now_ns)

    def _say_bounds(self, theirs: comparison.Sums) -> None:
        """Say what the venue lists of each side that we hold: no close there may exceed it (SPEC 1.3, Netting venues).

        What it does not list it says nothing of: a list that failed must not hold back a stop.
        """
        answer = self._answer
        listed = {position.ticker for position in answer.positions}
        places = sorted({Place(trade.ticker, trade.side) for trade in self._trades.values() if trade.ticker in listed})
        positions = tuple(
            Position(
                account=answer.account,
                ticker=place.ticker,
                ts=answer.asked_ns,
                side=place.side,
                quantity=theirs.get(place, ZERO),
            )
            for place in places
        )
        if positions:
            self.words.append(PositionsSeen(positions=positions, now_ns=answer.now_ns))

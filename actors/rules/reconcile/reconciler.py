"""The engine of Reconciler: keeps every account in agreement with its venue, and is the only one who asks venues.

An account is looked at when it is first heard of, whenever its venue can be asked again, on a schedule, and soon after anything that
does not agree. TradeDesk's questions about single orders go through the same line. What is found becomes words to TradeDesk,
which decides about its trades by itself: nothing here changes one.

Timers of the owner `reconciler`: `look:<venue>:<account>`, `line:<venue>:<account>` (the end of a pause after a failure).
"""

from collections.abc import Iterable

from actors.rules.notice_words import outgoing
from actors.rules.reconcile import notices
from actors.rules.reconcile.account import SILENT_AFTER, Account
from actors.rules.reconcile.comparison import held_by_us, newest_vain_close
from actors.rules.reconcile.holdings import Holdings
from actors.rules.reconcile.line import WHOLE, Line
from actors.rules.reconcile.look import Look
from actors.rules.reconcile.stated import Stated
from actors.rules.reconcile.terms import OWNER, AccountKey, Place, ReconcileTerms
from bus.messages.envelope import Received
from bus.messages.notices import Notice
from bus.messages.orders import Position, VenueAnswer, VenueQuestion
from bus.messages.reconcile import AccountAnswer, AccountQuestion, AccountStanding, ReconcileWanted, VenuesUp
from bus.messages.records import Commit, CommitRefused
from bus.messages.timers import SetTimer, TimerFired
from bus.messages.trades import Trade
from bus.messages.units import ZERO

Said = list[object]


class ReconcileEngine:
    """Owns how each account stands.

    trades: those that have not ended, and those that ended lately. known: further accounts. stated: what venues last said unasked.
    """

    def __init__(
        self,
        terms: ReconcileTerms,
        trades: Iterable[Trade],
        now_ns: int,
        known: Iterable[AccountKey] = (),
        stated: Iterable[Position] = (),
    ) -> None:
        self.terms = terms
        self._holdings = Holdings()
        self._stated = Stated(stated)
        self._lines: dict[AccountKey, Line] = {}
        self._accounts: dict[AccountKey, Account] = {}
        self._is_up = False
        self._now_ns = now_ns
        for key in (*known, *map(self._note_trade, trades)):
            self._accounts.setdefault(key, Account(key, now_ns))

    @property
    def accounts(self) -> tuple[AccountKey, ...]:
        """Every account that was ever heard of."""
        return tuple(self._accounts)

    @property
    def stated(self) -> tuple[Position, ...]:
        """What venues have said unasked, as far as it is remembered."""
        return self._stated.all()

    def standings(self, now_ns: int) -> list[AccountStanding]:
        """Return how each account stands at the start: none has been answered for."""
        return [standing for account in self._accounts.values() if (standing := account.standing(now_ns)) is not None]

    def handle(self, word: object) -> Said:
        """Return everything that follows from `word`, in the order in which it is to be said."""
        self._now_ns = now_ns = max(self._now_ns, _instant_of(word))
        match word:
            case Trade():
                return self._hear_trade(word, now_ns)
            case VenueQuestion(venue=venue, account=account):
                return self._line(AccountKey(venue, account)).ask(word, now_ns)
            case VenueAnswer(venue=venue, account=account, client_order_id=order, error=error):
                return self._line(AccountKey(venue, account)).hear_answer(
                    order, failed=error is not None, now_ns=now_ns
                )
            case AccountAnswer():
                return self._hear_account(word)
            case Received(message=Position() as position):
                return self._hear_position(position, now_ns)
            case ReconcileWanted(venue=venue, account=account):
                return self._meet(AccountKey(venue, account), now_ns)
            case VenuesUp():
                return self._come_up(now_ns)
            case TimerFired():
                return self._hear_timer(word, now_ns)
            case CommitRefused():
                return []  # Nothing here stands on the record.
            case _:
                raise TypeError(f"the reconciler does not hear {type(word).__name__}")

    # Accounts

    def _hear_trade(self, trade: Trade, now_ns: int) -> Said:
        before = self._holdings.of(AccountKey(trade.venue, trade.account)).get(trade.trade_id)
        key = self._note_trade(trade)
        account = self._accounts.get(key)
        if account is None:
            return self._meet(key, now_ns)
        # A person may have taken over what was nobody's, or the desk has booked what was missing; and a close that took nothing
        # may have found nothing to take.
        looks = bool(account.suspects) or (before is not None and newest_vain_close(trade) > newest_vain_close(before))
        return self._ask(account, now_ns) if looks else []

    def _note_trade(self, trade: Trade) -> AccountKey:
        self._stated.hear_trade(trade)
        return self._holdings.hear(trade)

    def _hear_position(self, position: Position, now_ns: int) -> Said:
        """Somebody tells a position unasked: where it is not what our trades add up to, look now instead of at the next turn."""
        place = Place(position.ticker, position.side)
        said: Said = []
        concerned = [(key, account) for key, account in self._accounts.items() if key.account == position.account]
        self._stated.hear(position, [trade for key, _ in concerned for trade in self._holdings.of(key).values()])
        for key, account in concerned:
            ours = held_by_us(self._holdings.of(key).values(), nets=self.terms.nets(key.venue))
            if ours.get(place, ZERO) != position.quantity:
                said += self._ask(account, now_ns)
        return said

    def _meet(self, key: AccountKey, now_ns: int) -> Said:
        """Hear of an account for the first time."""
        if key in self._accounts:
            return []
        account = self._accounts[key] = Account(key, now_ns)
        return [*self._tell(account, now_ns), *self._ask(account, now_ns)]

    def _come_up(self, now_ns: int) -> Said:
        """Venues can be asked, for the first time or again: seek agreement anew."""
        self._is_up = True
        said: Said = []
        for account in self._accounts.values():
            account.begin(now_ns)
            said += self._tell(account, now_ns)
        for line in self._lines.values():
            said += line.come_up(now_ns)
        for account in self._accounts.values():
            said += self._ask(account, now_ns)
        return said

    def _ask(self, account: Account, now_ns: int) -> Said:
        key = account.key
        question = AccountQuestion(
            venue=key.venue, account=key.account, since_ns=self._since_ns(account, now_ns), now_ns=now_ns
        )
        return self._line(key).ask(question, now_ns)

    def _since_ns(self, account: Account, now_ns: int) -> int:
        """Return how far back to read: behind the look before, or to the beginning of whatever is still open."""
        if account.seen_ns is not None:
            return max(0, account.seen_ns - self.terms.overlap_ns)
        begun_ns = self._holdings.since_ns(account.key)
        oldest_ns = now_ns - self.terms.look_back_ns
        return max(0, oldest_ns if begun_ns is None else min(oldest_ns, begun_ns))

    def _hear_account(self, answer: AccountAnswer) -> Said:
        key = AccountKey(answer.venue, answer.account)
        account = self._accounts.get(key)
        if account is None:
            return []
        failed = answer.error is not None
        said = self._line(key).hear_answer(WHOLE, failed=failed, now_ns=answer.now_ns)
        if failed:
            return [*self._hear_silence(account, answer), *said]
        if answer.asked_ns < account.began_ns:
            return [*said, *self._ask(account, answer.now_ns)]  # It was read before the venue came up again.
        account.answered, account.silent, account.seen_ns = True, 0, answer.asked_ns
        look = Look(account, self._holdings, self._stated, answer, self.terms).take()
        told = self._tell(account, answer.now_ns, look.notices)
        return [*look.words, *told, self._look_timer(account, answer.now_ns, soon=look.again), *said]

    def _hear_silence(self, account: Account, answer: AccountAnswer) -> Said:
        account.silent += 1
        account.error = answer.error or ""
        notes = [notices.silent(account, answer.now_ns)] if account.silent == SILENT_AFTER else []
        if notes:
            account.note_problem(None)
        return [*self._tell(account, answer.now_ns, notes), *self._ask(account, answer.now_ns)]

    def _tell(self, account: Account, now_ns: int, notes: Iterable[Notice] = ()) -> Said:
        """Say how an account stands if that is news, and what people should know."""
        standing = account.standing(now_ns)
        kept = list(notes)
        if account.reconciled_ns is not None and account.problems:
            account.problems.clear()
            kept.append(notices.reconciled(account.key, now_ns))
        return [*_noted(kept, now_ns), *([] if standing is None else [standing])]

    def _look_timer(self, account: Account, now_ns: int, *, soon: bool) -> SetTimer:
        terms = self.terms
        due_ns = now_ns + (min(terms.confirm_ns, terms.interval_ns) if soon else terms.interval_ns)
        return SetTimer(owner=OWNER, key=f"look:{account.key.venue}:{account.key.account}", due_ns=due_ns)

    # Lines and timers

    def _line(self, key: AccountKey) -> Line:
        line = self._lines.get(key)
        if line is None:
            line = self._lines[key] = Line(key, self.terms.backoff_max_ns, is_up=self._is_up)
        return line

    def _hear_timer(self, fired: TimerFired, now_ns: int) -> Said:
        what, venue, name = fired.key.split(":", 2)
        key = AccountKey(venue, name)
        if what == "line":
            return self._line(key).end_pause(now_ns)
        account = self._accounts.get(key)
        return [] if account is None else self._ask(account, now_ns)


def _instant_of(word: object) -> int:
    """Return when a word was said: a trade said again at the start is old."""
    match word:
        case Trade(ts=ts):
            return ts
        case Received(received_ns=received_ns):
            return received_ns
        case CommitRefused(commit=commit):
            return commit.now_ns
        case _:
            return getattr(word, "now_ns", 0)


def _noted(notes: list[Notice], now_ns: int) -> Said:
    """Return what is said of notices: each to its people, a critical one to NATS at once, and one commit for all."""
    if not notes:
        return []
    sent = tuple(outgoing(note) for note in notes)
    cause = f"reconcile:{notes[0].notice_id}"
    commit = Commit(sender=OWNER, cause=cause, now_ns=now_ns, notices=tuple(notes), outbox=sent)
    return [*(one for one in sent if one.direct), *notes, commit]

"""The part of AutoStop's engine that looks at accounts as wholes: equity as sums, drawdown when a tick moves them.

AutoStop owns it and nobody else: it hears the ticks in the one order that counts, and what fires is a stop like any other.
TradeDesk tells it which accounts have the rule (`AccountRules`), what their cash is (`Balance`, once deduplicated), what a person
resumes or rebases (`SystemEvent`), and every trade. A tick costs one look for each way in which its ticker is held, however many
trades there are; while no account has the rule, it costs nothing.

Timers of the owner `auto_stop`, all beginning with `account:`: `holding:<n>` (its price changes by itself), `confirm:<account>`,
`transfer:<account>`, `refire:<account>`, `progress`.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from actors.rules.account import account_log, notices
from actors.rules.account.account_log import AccountLog
from actors.rules.account.drawdown import Account, Equity
from actors.rules.account.fired import drawdown_fired
from actors.rules.account.holdings import Holding, Holdings
from actors.rules.account.movements import movements
from actors.rules.account.places import Places
from actors.rules.market.book import MarketBook, QuoteInForce, ValueInForce
from actors.rules.market.feeds import Feed
from actors.rules.stops.armed import OWNER
from actors.rules.trade.draft import in_flight
from bus.messages.accounts import AccountProgress, AccountRules, StatedBalance
from bus.messages.orders import Balance
from bus.messages.system import SystemEvent
from bus.messages.timers import SetTimer
from bus.messages.trades import Trade
from bus.messages.units import NS_PER_S

_ANSWER_WITHIN_NS: Final = 5 * NS_PER_S
"""A drawdown that TradeDesk has not answered after this (it may have been rebuilt) is said again."""

Said = list[object]


class AccountWatch:
    """Every account that a balance, a rule or a trade has named."""

    def __init__(self, book: MarketBook, progress_interval_ns: int, styles: Mapping[str, str]) -> None:
        self._holdings = Holdings()
        self._places = Places(book, styles, self._holdings)
        self._log = AccountLog(progress_interval_ns)
        self._accounts: dict[str, Account] = {}

    @property
    def holds_anything(self) -> bool:
        """Whether a tick can matter."""
        return bool(self._holdings)

    # What must survive

    def words(self) -> list[AccountProgress | AccountRules]:
        """Return the words from which a new engine goes on."""
        rules = [account.rule for account in self._accounts.values() if account.rule is not None]
        known = [account for account in self._accounts.values() if account.cash.balance is not None]
        return [*(account.progress() for account in known), *rules]

    def remember(self, trades: Iterable[Trade]) -> None:
        """Learn what trades on the record have moved, before they are said anew: what is in the last balance is left out."""
        for trade in trades:
            account = self._of(trade.account)
            if account.cash.balance is not None:
                account.cash.recover(movements(None, trade))
            if not trade.state.is_terminal:
                account.trades[trade.trade_id] = trade

    # Words

    def hear(self, word: Balance | AccountRules | SystemEvent | AccountProgress, now_ns: int) -> Said:
        """Take what TradeDesk tells of accounts, or what was known of one before a restart."""
        match word:
            case Balance():
                return self._hear_balance(word, now_ns)
            case AccountRules():
                return self._hear_rules(word)
            case SystemEvent():
                return self._hear_system(word)
            case AccountProgress():
                self._of(word.account).restore(word)
                return []

    def hear_trade(self, trade: Trade, now_ns: int) -> Said:
        """Take a trade as it now stands: what it has moved, and what of it is held."""
        account = self._of(trade.account)
        before = account.trades.get(trade.trade_id)
        if before is not None and trade.version < before.version:
            return []
        flows = movements(before, trade)
        for flow in flows:
            account.cash.move(flow, account.tolerance, account.grace_ns)
        if trade.state.is_terminal:
            account.trades.pop(trade.trade_id, None)
        else:
            account.trades[trade.trade_id] = trade
        said = self._log.keep(account, now_ns) if flows else []
        if not account.is_on:
            return said + self._warn(account, now_ns)
        return said + self._place(account, trade, now_ns) + self._evaluate(account, now_ns)

    def _hear_balance(self, word: Balance, now_ns: int) -> Said:
        """Take the cash that an account is said to have."""
        account = self._of(word.account)
        was_on = account.is_on
        stated = StatedBalance(balance=word.balance, ts=word.ts, heard_ns=now_ns)
        if not account.cash.state(stated, account.tolerance, account.grace_ns):
            return []
        said = self._log.keep(account, now_ns) + self._await_transfer(account)
        if account.is_on and not was_on:
            said += self._begin(account, now_ns)
        return said + self._evaluate(account, now_ns, ("cash", word.ts))

    def _hear_rules(self, rules: AccountRules) -> Said:
        """Take the rule of an account as it is now; turned off, it forgets its high."""
        account, now_ns = self._of(rules.account), rules.now_ns
        was_on = account.is_on
        account.rule = rules
        said = self._log.stir(account, now_ns)
        if rules.ratchet_percent is None and account.high is not None:
            account.rebase(account.reset_ns)
            said += self._log.keep(account, now_ns)
        if account.is_on and not was_on:
            said += self._begin(account, now_ns)
        elif was_on and not account.is_on:
            self._places.clear(account)
        return said + self._evaluate(account, now_ns) + self._warn(account, now_ns)

    def _hear_system(self, event: SystemEvent) -> Said:
        """A person resumes or rebases an account, or all; or TradeDesk has acted on a drawdown."""
        named = [account for account in self._accounts.values() if event.account in (None, account.name)]
        said: Said = []
        for account in named:
            if event.kind == "rebase":
                account.rebase(event.ts)
            elif event.kind == "resume":
                account.begin_anew(event.ts)
            elif event.kind == "reduce_only" and account.fired:
                account.unanswered = None
                continue
            else:
                continue
            said += self._log.keep(account, event.ts) + self._evaluate(account, event.ts)
        return said

    # Ticks and timers

    def hear_tick(self, entry: QuoteInForce | ValueInForce | Feed, now_ns: int) -> Said:
        """A tick has changed `entry`, or a feed says that it lives."""
        return self._look(self._holdings.concerned(entry), now_ns)

    def hear_feeds(self, now_ns: int) -> Said:
        """A source was marked, or may be used again, or announces another silence: rare, so everything is looked at."""
        return self._look(self._holdings.all(), now_ns, anew=True)

    def hear_timer(self, key: str, now_ns: int) -> Said:
        """Act on a timer that this engine asked for."""
        if key == account_log.KEY:
            return self._log.flush(now_ns)
        _, what, name = key.split(":", 2)
        if what == "holding":
            holding = self._holdings.by_key(key)
            if holding is None:
                return []
            holding.lens.due_ns = None
            return self._look([holding], now_ns)
        account = self._of(name)
        if what == "confirm":
            account.wake_ns = None
            return self._evaluate(account, now_ns)
        if what == "transfer":
            return self._believe(account, now_ns)
        return self._say_fired(account, now_ns)

    def _look(self, holdings: Iterable[Holding], now_ns: int, *, anew: bool = False) -> Said:
        """Look at all of them before any account is judged: who holds both sides of a ticker is not worth less in between.

        anew: their prices may change by themselves sooner than was said.
        """
        said: Said = []
        heard: dict[Account, tuple[str, int]] = {}
        for holding in tuple(holdings):
            holding.look(now_ns)
            self._holdings.note_silence(holding)
            said += self._await_change(holding, now_ns, anew=anew)
            # Also a price that stands confirms: it is a later input that says the same.
            heard.update(dict.fromkeys(self._places.holders(holding), (holding.name, holding.reading.ts)))
        for account, word in heard.items():
            said += self._evaluate(account, now_ns, word)
        return said

    def _await_change(self, holding: Holding, now_ns: int, *, anew: bool = False) -> Said:
        lens = holding.lens
        due_ns = lens.next_change_ns(now_ns) if anew or lens.may_change_sooner() else None
        if due_ns is None or (lens.due_ns is not None and lens.due_ns <= due_ns):
            return []
        lens.due_ns = due_ns
        return [SetTimer(owner=OWNER, key=holding.key, due_ns=due_ns)]

    # What is held

    def _begin(self, account: Account, now_ns: int) -> Said:
        """The rule is on, and the cash known: from now on its equity is kept."""
        return [word for trade in account.trades.values() for word in self._place(account, trade, now_ns)]

    def _place(self, account: Account, trade: Trade, now_ns: int) -> Said:
        fresh = self._places.put(account, trade)
        if fresh is None:
            return []
        fresh.look(now_ns)
        self._holdings.note_silence(fresh)
        return self._await_change(fresh, now_ns)

    # The rule

    def _evaluate(self, account: Account, now_ns: int, heard: tuple[str, int] | None = None) -> Said:
        """Judge the account by its equity as it is now. heard: the input that came, and its own instant."""
        if not account.is_on:
            return []
        equity = account.equity()
        said = self._log.stir(account, now_ns)
        if equity.unknown is not None:
            return said
        counted, transferred = account.confirms, account.pending
        if account.follow(equity):
            said += self._log.keep(account, now_ns)
            said += notices.say(notices.transferred(account, transferred, now_ns)) if transferred else []
        claim = account.judge(equity, heard, now_ns)
        if account.confirms != counted:
            said += self._log.keep(account, now_ns)
        if claim.fires:
            return said + self._fire(account, equity, now_ns)
        if claim.wake_ns is not None and claim.wake_ns != account.wake_ns:
            account.wake_ns = claim.wake_ns
            said.append(SetTimer(owner=OWNER, key=f"account:confirm:{account.name}", due_ns=claim.wake_ns))
        return said

    def _fire(self, account: Account, equity: Equity, now_ns: int) -> Said:
        account.fired = True
        account.fires += 1
        account.unanswered = drawdown_fired(account, equity, now_ns)
        return [*self._say_fired(account, now_ns), *self._log.stir(account, now_ns)]

    def _say_fired(self, account: Account, now_ns: int) -> Said:
        """Tell TradeDesk, and again until it says that it acted: it closes nothing twice."""
        if account.unanswered is None:
            return []
        key = f"account:refire:{account.name}"
        return [account.unanswered, SetTimer(owner=OWNER, key=key, due_ns=now_ns + _ANSWER_WITHIN_NS)]

    # Transfers

    def _await_transfer(self, account: Account) -> Said:
        due_ns = account.transfer_due_ns()
        if due_ns is None:
            return []
        return [SetTimer(owner=OWNER, key=f"account:transfer:{account.name}", due_ns=due_ns)]

    def _believe(self, account: Account, now_ns: int) -> Said:
        """Nothing has explained a balance: believe it, unless an order of ours is still on its way that could."""
        due_ns = account.transfer_due_ns()
        if due_ns is None:
            return []
        if due_ns > now_ns:
            return self._await_transfer(account)
        if any(in_flight(trade) for trade in account.trades.values()):
            key = f"account:transfer:{account.name}"
            return [SetTimer(owner=OWNER, key=key, due_ns=now_ns + max(account.grace_ns, NS_PER_S))]
        account.take_transfer()
        return self._log.keep(account, now_ns) + self._evaluate(account, now_ns)

    # What is kept and told

    def _of(self, name: str) -> Account:
        account = self._accounts.get(name)
        if account is None:
            account = self._accounts[name] = Account(name)
        return account

    def _warn(self, account: Account, now_ns: int) -> Said:
        """Say once that a rule is on which cannot work."""
        rule = account.rule
        if account.is_warned or rule is None or rule.ratchet_percent is None or account.is_on or not account.trades:
            return []
        account.is_warned = True
        return notices.say(notices.not_armed(account, now_ns))

"""What is known of accounts, kept so that it survives a restart, and told so that people see it: on change, once in an interval."""

from typing import Final

from actors.rules.account.drawdown import Account
from actors.rules.stops.armed import OWNER
from bus.messages.accounts import EquityStanding
from bus.messages.records import Commit
from bus.messages.timers import SetTimer

KEY: Final = "account:progress"


class AccountLog:
    """Collects the accounts of which something has moved, and says it when its timer fires."""

    def __init__(self, interval_ns: int) -> None:
        self._interval_ns = interval_ns
        self._changed: dict[Account, None] = {}
        self._stirred: dict[Account, None] = {}
        self._told: dict[str, EquityStanding] = {}
        self._asked = False

    def keep(self, account: Account, now_ns: int) -> list[object]:
        """Let what must survive be kept with the next commit; of an account whose cash nobody states there is nothing."""
        if account.cash.balance is None:
            return []
        self._changed[account] = None
        return self.stir(account, now_ns)

    def stir(self, account: Account, now_ns: int) -> list[object]:
        """Something has moved, whatever it is; return the timer asked for, if none runs."""
        self._stirred[account] = None
        if self._asked:
            return []
        self._asked = True
        return [SetTimer(owner=OWNER, key=KEY, due_ns=now_ns + self._interval_ns)]

    def flush(self, now_ns: int) -> list[object]:
        """Return how the accounts stand now, where that is news, and the commit of what must survive."""
        self._asked = False
        said: list[object] = []
        for account in self._stirred:
            standing = account.standing(now_ns)
            told = self._told.get(account.name)
            if told is None or _differs(told, standing):
                self._told[account.name] = standing
                said.append(standing)
        changed, self._changed, self._stirred = self._changed, {}, {}
        if changed:
            kept = tuple(account.keep(now_ns) for account in changed)
            said.append(Commit(sender=OWNER, cause=f"accounts-{now_ns}", now_ns=now_ns, account_progress=kept))
        return said


def _differs(told: EquityStanding, standing: EquityStanding) -> bool:
    names = [name for name in EquityStanding.__struct_fields__ if name != "ts"]
    return any(getattr(told, name) != getattr(standing, name) for name in names)

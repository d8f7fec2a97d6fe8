"""The line to a venue about one account: what is asked next, how much at once, and how long a venue that fails is left alone.

A question that cannot be asked now waits; the same one again takes its place. After a failure nothing is asked for a while, which
doubles with each; then one question alone shows whether the venue answers again. Each account has a line of its own: a venue may
answer for one and refuse another (a wrong key, a limit of requests).
"""

from collections import OrderedDict
from typing import Final

from msgspec.structs import replace

from actors.rules.reconcile.terms import OWNER, AccountKey
from bus.messages.orders import VenueQuestion
from bus.messages.reconcile import AccountQuestion
from bus.messages.timers import SetTimer
from bus.messages.units import NS_PER_S

ASKED_MAX: Final = 8
"""Questions about one account that are not answered yet."""
FIRST_PAUSE_NS: Final = NS_PER_S

Question = VenueQuestion | AccountQuestion


WHOLE: Final = ""
"""What a question about the whole account is about; one about an order is about its id."""


class Line:
    """Asks about one account. is_up: False until the venue can be asked at all. failures: in a row."""

    def __init__(self, key: AccountKey, pause_max_ns: int, *, is_up: bool = False) -> None:
        self.failures = 0
        self.is_up = is_up
        self._key = key
        self._pause_max_ns = pause_max_ns
        self._pause_until_ns: int | None = None
        self._waiting: OrderedDict[str, Question] = OrderedDict()
        self._asked: set[str] = set()

    def ask(self, question: Question, now_ns: int) -> list[object]:
        """Ask now, or as soon as it can be; what is asked already is not asked twice."""
        name = question.client_order_id if isinstance(question, VenueQuestion) else WHOLE
        if name not in self._asked:
            self._waiting[name] = question
        return self._go_on(now_ns)

    def hear_answer(self, name: str, *, failed: bool, now_ns: int) -> list[object]:
        """Take note of an answer; ask what waits, or pause. One to a question of before the line came up is no news."""
        if name not in self._asked:
            return []
        self._asked.discard(name)
        if not failed:
            self.failures = 0
            self._pause_until_ns = None
            return self._go_on(now_ns)
        if self._pause_until_ns is not None:
            return []  # What was asked together fails together.
        self.failures += 1
        pause_ns = min(FIRST_PAUSE_NS * 2 ** min(self.failures - 1, 20), self._pause_max_ns)
        self._pause_until_ns = now_ns + pause_ns
        return [SetTimer(owner=OWNER, key=f"line:{self._key.venue}:{self._key.account}", due_ns=self._pause_until_ns)]

    def end_pause(self, now_ns: int) -> list[object]:
        """The pause is over."""
        if self._pause_until_ns is None or now_ns < self._pause_until_ns:
            return []
        self._pause_until_ns = None
        return self._go_on(now_ns)

    def come_up(self, now_ns: int) -> list[object]:
        """The venue can be asked, for the first time or again."""
        self.is_up = True
        self.failures = 0
        self._asked.clear()
        self._pause_until_ns = None
        return self._go_on(now_ns)

    def _go_on(self, now_ns: int) -> list[object]:
        said: list[object] = []
        most = 1 if self.failures else ASKED_MAX
        while self.is_up and self._pause_until_ns is None and self._waiting and len(self._asked) < most:
            name, question = self._waiting.popitem(last=False)
            self._asked.add(name)
            said.append(replace(question, now_ns=now_ns))
        return said

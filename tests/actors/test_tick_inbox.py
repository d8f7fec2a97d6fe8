"""Under a flood ticks are folded in the last place of the queue; everything else waits as it came."""

from decimal import Decimal

from msgspec.structs import replace

from actors.activity import Activity
from actors.inbox import Inbox
from actors.rules.folding.terms import FoldTerms, touched
from actors.tick_inbox import TickInbox
from bus.messages.market import Part, Ticks
from bus.messages.trades import Trade
from tests.rules.stops.builders import a_quote, a_trade, at

MOST = 10


def a_tick(number: int) -> Ticks:
    bid = Decimal(40 + number % 7) / 100
    second = 1 + number / 1000
    return Ticks(batch=(a_quote(second, str(bid), str(bid + Decimal("0.01"))),), received_ns=at(second))


def an_inbox(activity: Activity | None = None, most: int = MOST) -> TickInbox:
    return TickInbox("auto_stop", activity or Activity(), most=most, terms=FoldTerms, touched=touched)


def flooded(activity: Activity | None = None, ticks: int = 1000) -> TickInbox:
    inbox = an_inbox(activity)
    for number in range(ticks):
        inbox.put(a_tick(number))
    return inbox


def everything(inbox: TickInbox) -> list[object]:
    found = []
    while (word := inbox.take(0)) is not None:
        found.append(word)
    return found


def test_ticks_that_an_actor_keeps_up_with_stay_as_they_came() -> None:
    inbox, words = an_inbox(), [a_tick(number) for number in range(100)]

    taken = []
    for word in words:
        inbox.put(word)
        taken.append(inbox.take(0))

    assert (taken, inbox.folded) == (words, 0)


def test_a_flood_waits_in_bounded_room_and_each_tick_is_counted() -> None:
    """Fault 40, S11"""
    inbox = flooded()
    waited = inbox.ticks

    taken = [tick for word in everything(inbox) if isinstance(word, Ticks) for tick in word.batch]

    assert len(taken) == waited < 100
    assert len(taken) + inbox.folded == 1000
    assert inbox.ticks == 0


def test_the_newest_tick_of_a_flood_comes_last() -> None:
    [*_, last] = [tick for word in everything(flooded()) if isinstance(word, Ticks) for tick in word.batch]

    assert (last,) == a_tick(999).batch


def test_no_tick_of_its_market_overtakes_a_trade() -> None:
    """Fault 40: a trade that is armed in the middle of a flood is judged by what comes after it, all of it."""
    inbox, trade = flooded(), a_trade()
    inbox.put(trade)
    for number in range(1000, 2000):
        inbox.put(a_tick(number))

    taken = everything(inbox)
    place = taken.index(trade)
    before, after = ([word for word in part if isinstance(word, Ticks)] for part in (taken[:place], taken[place:]))

    assert before[-1].received_ns == a_tick(999).received_ns
    assert after[0].received_ns == a_tick(1000).received_ns


def test_a_trade_of_another_market_parts_no_ticks() -> None:
    """S11: otherwise nothing could be folded while many trades change."""
    inbox = flooded()
    for number in range(1000, 3000):
        inbox.put(a_tick(number))
        if number % 5 == 0:
            inbox.put(replace(a_trade(), trade_id=f"t{number}", ticker=f"OTHER-{number}"))

    assert inbox.ticks < 200
    assert sum(isinstance(word, Trade) for word in everything(inbox)) == 400


def test_a_timer_waits_behind_the_ticks_that_are_gathered() -> None:
    inbox = flooded()
    inbox.put("a timer")
    for number in range(1000, 2000):
        inbox.put(a_tick(number))

    assert everything(inbox)[-1] == "a timer"


def test_where_order_is_everything_no_tick_overtakes_anything() -> None:
    inbox = TickInbox("paper_venue", Activity(), most=MOST, terms=FoldTerms, touched=lambda _: None)
    for number in range(500):
        inbox.put("an order" if number == 250 else a_tick(number))

    taken = everything(inbox)
    place = taken.index("an order")

    assert max(word.received_ns for word in taken[:place] if isinstance(word, Ticks)) == a_tick(249).received_ns
    assert min(word.received_ns for word in taken[place + 1 :] if isinstance(word, Ticks)) == a_tick(251).received_ns


def test_nothing_but_ticks_is_folded() -> None:
    """Fault 40"""
    inbox, words = flooded(), [f"report {number}" for number in range(100)]
    for number, word in enumerate(words):
        inbox.put(word)
        inbox.put(a_tick(1000 + number))

    assert [word for word in everything(inbox) if not isinstance(word, Ticks)] == words


def test_a_fold_is_under_way_until_its_last_word_was_worked() -> None:
    activity = Activity()
    inbox = flooded(activity)

    taken = len(everything(inbox))

    assert (activity.outstanding, activity.done) == (0, taken)


def test_each_word_of_a_fold_rings_for_a_turn() -> None:
    rung: list[Inbox] = []
    inbox = an_inbox()
    inbox.ring = rung.append
    for number in range(1000):
        inbox.put(a_tick(number))

    assert len(everything(inbox)) == len(rung)


def test_a_fold_outlives_the_actor_that_dies_in_the_middle_of_it() -> None:
    """Fault 41"""
    inbox, whole = flooded(), everything(flooded())
    before = [inbox.take(0) for _ in range(MOST + 1)]
    inbox.after_crash()

    assert [*before, *everything(inbox)] == [*whole[: MOST + 1], *whole[MOST:]]


def test_a_large_read_is_worked_in_pieces_so_that_others_get_their_turn() -> None:
    """Fault 42: whoever shares the thread would look stuck."""
    inbox, ticks = an_inbox(most=1000), tuple(a_tick(number).batch[0] for number in range(250))

    inbox.put(Ticks(batch=ticks, received_ns=at(1.25)))
    words = [word for word in everything(inbox) if isinstance(word, Ticks)]

    assert [len(word.batch) for word in words] == [100, 100, 50]
    assert tuple(tick for word in words for tick in word.batch) == ticks


def test_ticks_that_were_gone_again_when_they_came_are_counted() -> None:
    """Fault 33"""
    inbox = an_inbox()

    for age_s in (3, 1):
        batch = tuple(a_quote(number / 1000, "0.40", "0.41") for number in range(3))
        inbox.put(Ticks(batch=batch, received_ns=at(age_s)))

    assert inbox.late == 2


def test_history_in_a_large_read_stays_history() -> None:
    """Fault 33: in a piece alone nobody could know that a price was gone already."""
    inbox = an_inbox(most=1000)

    inbox.put(Ticks(batch=tuple(a_tick(number).batch[0] for number in range(250)), received_ns=at(60)))
    words = [word for word in everything(inbox) if isinstance(word, Ticks)]

    assert [(len(word.batch), word.part) for word in words] == [
        (100, Part.PAST),
        (100, Part.PAST),
        (49, Part.PAST),
        (1, Part.WHOLE),
    ]

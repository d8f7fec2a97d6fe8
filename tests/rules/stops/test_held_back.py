"""What is said of a stop that guards hold back, and of inputs that fall silent."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from bus.messages.envelope import Outgoing
from bus.messages.notices import Notice
from bus.messages.records import Commit
from bus.messages.stops import Guard, StopCheckGiven, StopCheckWanted
from bus.messages.trades import Side, StopSpec, TradeState
from tests.rules.stops.builders import Watch, a_probability, a_quote, a_trade, at, stop, watching

D = Decimal
HELD = stop("price", stop_price="0.25", min_age_s=600)


def test_it_is_published_and_kept_with_its_number_and_its_notice() -> None:
    watch = watching(HELD).tick(a_quote(1, "0.20", "0.24"))

    (commit,) = watch.commits
    assert (commit.sender, commit.cause, commit.now_ns) == ("auto_stop", "t1-price-1", at(1))
    assert [decision.decision_id for decision in commit.decisions] == ["t1-price-1"]
    assert next((out.subject, out.msg_id, out.cause) for out in commit.outbox) == (
        "stop.decision.t1", "decision:t1-price-1", "t1-price-1",
    )  # fmt: skip
    assert [out.message for out in commit.outbox] == [commit.decisions[0], commit.notices[0]]


def test_its_number_survives_a_restart() -> None:
    watch = watching(HELD).tick(a_quote(1, "0.20", "0.24"))

    assert [(kept.rule, kept.decisions) for kept in watch.progress] == [("price", 1)]


def test_nothing_of_it_leaves_before_it_stands() -> None:
    watch = watching(HELD).tick(a_quote(1, "0.20", "0.24"))

    assert [type(word) for word in watch.said if isinstance(word, Outgoing | Notice | Commit)] == [Notice, Commit]


def guards_on(spec: StopSpec, *ticks: object) -> dict[str, Guard]:
    watch = watching(spec).tick(*ticks)  # type: ignore[arg-type]  # any ticks
    made = [*watch.held, *(fired.decision for fired in watch.fired)]
    return {guard.name: guard for guard in made[0].guards}


@pytest.mark.parametrize(("limit", "passed"), [("60", True), ("59.9", False)])
def test_a_divergence_is_told_with_its_limit(limit: str, passed: bool) -> None:
    spec = stop("probability", floor_percent=25, max_divergence=limit)

    found = guards_on(spec, a_quote(1, "0.80", "0.80"), a_probability(1, 20))

    assert found["max_divergence"] == Guard(name="max_divergence", passed=passed, value=D(60), limit=D(limit))


@pytest.mark.parametrize(("limit", "passed"), [("0.18", True), ("0.179", False)])
def test_quotes_that_disagree_are_told_with_their_limit(limit: str, passed: bool) -> None:
    spec = stop("price", stop_price="0.25", max_quote_disagreement=limit)

    found = guards_on(spec, a_quote(1, "0.20", "0.24", no_bid="0.58", no_ask="0.80"))

    name = "max_quote_disagreement"
    assert found[name] == Guard(name=name, passed=passed, value=D("0.18"), limit=D(limit))


def test_the_time_that_is_left_is_told_with_its_limit() -> None:
    found = guards_on(stop("price", stop_price="0.25", min_time_to_close_s=60), a_quote(1, "0.20", "0.24"))

    name = "min_time_to_close_s"
    assert found[name] == Guard(name=name, passed=True, value=D(3599), limit=D(60))


# Inputs that fall silent


def test_one_input_of_many_trades_is_told_once_when_it_goes_stale_and_once_when_it_is_back() -> None:
    specs = (stop("price", stop_price="0.05"), stop("price", stop_price="0.06"))
    sides = (a_trade(specs[0]), a_trade(specs[1], trade_id="t2", side=Side.NO, entry_price=D("0.40")))
    watch = Watch(*sides).tick(a_quote(1, "0.60", "0.62"))

    watch.wait(40).tick(a_quote(41, "0.60", "0.62"))

    assert watch.notices == ["feed_stale", "feed_back"]


def test_many_trades_are_named_so_far_as_people_read() -> None:
    trades = [a_trade(stop("price", stop_price="0.05"), trade_id=f"t{number}") for number in range(7)]
    watch = Watch(*trades).tick(a_quote(1, "0.60", "0.62")).wait(40)

    (notice,) = (notice for commit in watch.commits for notice in commit.notices)
    assert "t0, t1, t2, t3, t4 and 2 more" in notice.body


# An open that is checked first


@pytest.mark.parametrize(
    ("spec", "prices", "rules"),
    [
        (stop("loss", max_loss="1.9"), ("0.40", "0.60"), ("loss",)),
        (stop("loss", max_loss="2.1"), ("0.40", "0.60"), ()),
        (stop("loss", max_loss_percent="33"), ("0.40", "0.60"), ("loss",)),
        (stop("loss", max_loss_percent="34"), ("0.40", "0.60"), ()),
        (stop("loss", max_loss="0.1"), (None, None), ()),
        (stop("loss", max_loss="0"), ("0.40", None), ("loss",)),
        (stop("time", max_age_s=0), (None, None), ("time",)),
    ],
)
def test_an_entry_without_a_limit_is_taken_to_cost_what_is_asked(
    spec: StopSpec, prices: tuple[str | None, str | None], rules: tuple[str, ...]
) -> None:
    nothing = D(0)
    wanted = replace(
        a_trade(spec), state=TradeState.REQUESTED, open_quantity=nothing, filled_quantity=nothing, entry_cost=nothing,
        entry_price=None, entry_ts=None,
    )  # fmt: skip

    (given,) = Watch().tick(a_quote(1, *prices)).hear(StopCheckWanted(trade=wanted, now_ns=at(1)))

    assert isinstance(given, StopCheckGiven)
    assert given.rules == rules


def test_a_time_stop_that_is_taken_off_takes_its_timer_along() -> None:
    trade = a_trade(stop("time", max_age_s=60))
    watch = Watch(trade)
    armed = dict(watch.timers)

    watch.hear(replace(trade, version=4, stops=(stop("price", stop_price="0.05"),)))

    assert (list(armed), list(watch.timers)) == (["trade:time:t1"], [])

"""Each clause is broken by an executor that does one thing wrong, and by none that does all right."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from bus.adapters import clauses, lookups
from bus.adapters.story import KINDS, Broken, Page
from bus.adapters.suite import CLAUSES, Clause
from bus.messages.orders import OrderCancel, OrderReport, OrderSubmit, VenueOrdersRequest
from bus.messages.plain import from_json, to_json
from tests.acceptance.sample_executor import SampleExecutor, read, write
from tests.acceptance.toy_venue import ToyVenue, Words
from tests.contracts.executor_suite import keeps


class LocalUnderTest:
    """The sample executor without a wire; its clock moves when it is waited for."""

    def __init__(self, executor: SampleExecutor) -> None:
        self._executor = executor
        self._now = datetime(2026, 11, 25, tzinfo=UTC)
        self._waiting: list[Words] = []
        self._reports: list[OrderReport] = []

    def now_ns(self) -> int:
        return int(self._now.timestamp()) * 1_000_000_000

    def quote(self, ticker: str, *, yes_bid: str | None = None, yes_ask: str | None = None) -> None:
        self._say(self._executor.quote(ticker, *(None if p is None else Decimal(p) for p in (yes_bid, yes_ask))))

    def submit(self, order: OrderSubmit) -> None:
        self._waiting.append(read(to_json(order)))

    def cancel(self, cancel: OrderCancel) -> None:
        self._waiting.append(read(to_json(cancel)))

    def settle(self) -> None:
        waiting, self._waiting = self._waiting, []
        self._say(self._executor.take(waiting, self._now))
        self._now += timedelta(seconds=2)

    def _say(self, reports: list[Words]) -> None:
        stamp = self._now.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        self._reports += [from_json(OrderReport, write({**report, "ts": stamp})) for report in reports]

    def reports(self, client_order_id: str) -> Sequence[OrderReport]:
        return [report for report in self._reports if report.client_order_id == client_order_id]

    def ask(self, kind: str, request: VenueOrdersRequest) -> Page:
        try:
            answer = self._executor.answer(kind, json.loads(to_json(request)))
        except (ValueError, KeyError) as error:
            answer = {"error": str(error)}
        shape = next(shape for shape, name in KINDS.items() if name == kind)
        try:
            page: Page = from_json(shape, write(answer))
        except msgspec.DecodeError as error:
            raise Broken(str(error)) from error
        return page


Wrong = Callable[[SampleExecutor], None]
"""Makes an executor do one thing wrong."""


def reports_changed(change: Callable[[Words], Words | None]) -> Wrong:
    """Let every report be said in another way, or not at all."""

    def spoil(executor: SampleExecutor) -> None:
        take = executor.take

        def wrong(messages: Any, now: datetime) -> list[Words]:
            return [said for report in take(messages, now) if (said := change(report)) is not None]

        executor.take = wrong  # type: ignore[method-assign]

    return spoil


def orders_changed(**changes: Any) -> Wrong:
    """Let every order be judged as if it said something else."""

    def spoil(executor: SampleExecutor) -> None:
        judge = executor._refusal
        executor._refusal = lambda order, now: judge({**order, **changes}, now)  # type: ignore[method-assign]

    return spoil


def answers_changed(change: Callable[[SampleExecutor, str, Words], Words]) -> Wrong:
    """Let every question be answered in another way."""

    def spoil(executor: SampleExecutor) -> None:
        original = SampleExecutor(executor.venue, mode=executor.mode)
        executor.answer = lambda kind, question: change(original, kind, question)  # type: ignore[method-assign]

    return spoil


def holding(held: Callable[[ToyVenue, Words], Decimal]) -> Wrong:
    """Let the executor believe that so much is held."""

    def spoil(executor: SampleExecutor) -> None:
        venue = executor.venue
        venue.held = lambda order: held(venue, order)  # type: ignore[method-assign]

    return spoil


def sends_again(executor: SampleExecutor) -> None:
    submit = executor._submit

    def wrong(order: Words, now: datetime) -> list[Words]:
        executor.venue.orders.pop(order["client_order_id"], None)
        return submit(order, now)

    executor._submit = wrong  # type: ignore[method-assign]


def never_cancels_by_itself(executor: SampleExecutor) -> None:
    place = executor.venue.place
    executor.venue.place = lambda order: place({**order, "time_in_force": "gtc"})  # type: ignore[method-assign]


def forgets_its_promises(executor: SampleExecutor) -> None:
    judge = executor._refusal

    def wrong(order: Words, now: datetime) -> Words | None:
        executor._never.clear()
        return judge(order, now)

    executor._refusal = wrong  # type: ignore[method-assign]


def cancels_what_has_ended(executor: SampleExecutor) -> None:
    cancel = executor._cancel

    def wrong(word: Words) -> list[Words]:
        ended = {"client_order_id": word["client_order_id"], "status": "cancelled", "cumulative_quantity": Decimal(0)}
        return cancel(word) or [ended]

    executor._cancel = wrong  # type: ignore[method-assign,assignment]


def ignores_cancels(executor: SampleExecutor) -> None:
    executor._cancel = lambda _: []  # type: ignore[method-assign,assignment]


def _only_ended(original: SampleExecutor, kind: str, asked: Words) -> Words:
    answer = original.answer(kind, asked)
    return answer | {kind: [row for row in answer[kind] if row.get("status") != "accepted"]}


def _knows_all(original: SampleExecutor, kind: str, asked: Words) -> Words:
    wanted = asked.get("client_order_id")
    invented = [{"client_order_id": wanted, "status": "accepted", "cumulative_quantity": 0}] if wanted else []
    return {"orders": invented} if kind == "orders" and wanted else original.answer(kind, asked)


def _nothing_of(*kinds: str) -> Callable[[SampleExecutor, str, Words], Words]:
    return lambda original, kind, asked: {kind: []} if kind in kinds else original.answer(kind, asked)


def _nothing_since(original: SampleExecutor, kind: str, asked: Words) -> Words:
    return {kind: []} if "since" in asked else original.answer(kind, asked)


def _first_page_only(original: SampleExecutor, kind: str, asked: Words) -> Words:
    return {kind: original.answer(kind, asked)[kind]}


def _begins_anew(original: SampleExecutor, kind: str, asked: Words) -> Words:
    after = str(asked.get("after", ""))
    return original.answer(kind, {**asked, "after": after if after.isdecimal() else "0"})


def _of_everybody(original: SampleExecutor, kind: str, asked: Words) -> Words:
    return original.answer(kind, {**asked, "account": "acc"})


def _held_without_what_rests(venue: ToyVenue, order: Words) -> Decimal:
    return venue.positions.get((order["account"], order["ticker"], order["side"]), Decimal(0))


WRONG: dict[Clause, Wrong] = {
    clauses.a_filled_order_is_reported_whole: reports_changed(lambda r: {k: v for k, v in r.items() if k != "fees"}),
    lookups.fills_add_up_to_what_a_look_up_tells: answers_changed(_nothing_of("fills")),
    clauses.a_redelivered_order_is_looked_up_and_never_sent_twice: sends_again,
    clauses.a_known_id_with_another_body_changes_nothing: sends_again,
    clauses.an_order_is_not_sent_after_its_expires_ts: orders_changed(expires_ts="2200-01-01T00:00:00Z"),
    clauses.an_older_epoch_is_refused: orders_changed(epoch=99),
    clauses.another_mode_is_refused: orders_changed(mode="paper"),
    clauses.a_close_never_exceeds_the_position_held: holding(lambda _venue, _order: Decimal(100)),
    clauses.a_close_without_a_position_fills_nothing: holding(lambda _venue, _order: Decimal(100)),
    clauses.two_closes_at_once_do_not_exceed_the_position_together: holding(lambda _venue, _order: Decimal(100)),
    clauses.a_resting_close_counts_against_the_position: holding(_held_without_what_rests),
    clauses.an_ioc_that_finds_nobody_is_cancelled: never_cancels_by_itself,
    clauses.a_cancel_is_answered_with_what_was_filled: ignores_cancels,
    clauses.a_cancel_before_its_order_promises_never_to_send_it: forgets_its_promises,
    clauses.an_order_ends_once: cancels_what_has_ended,
    lookups.a_look_up_finds_an_order_that_rests: answers_changed(_only_ended),
    lookups.a_look_up_of_an_order_that_never_came_finds_nothing: answers_changed(_knows_all),
    lookups.a_position_is_told_while_it_is_held: answers_changed(_nothing_of("positions")),
    lookups.every_list_is_told_to_its_end_and_each_row_once: answers_changed(_first_page_only),
    lookups.what_is_asked_since_an_instant_holds_everything_after_it: answers_changed(_nothing_since),
    lookups.a_cursor_that_nobody_gave_out_is_an_error: answers_changed(_begins_anew),
    lookups.an_account_of_which_nothing_is_known_is_answered_too: answers_changed(_of_everybody),
}


def kept_by(clause: Clause, *wrongs: Wrong) -> str | None:
    executor = SampleExecutor(ToyVenue(), mode="paper")
    for wrong in wrongs:
        wrong(executor)
    return keeps(LocalUnderTest(executor), clause)


def test_there_is_a_broken_executor_for_every_clause() -> None:
    assert set(WRONG) == set(CLAUSES)


@pytest.mark.parametrize("clause", CLAUSES, ids=lambda clause: clause.__name__)
def test_a_broken_executor_breaks_its_clause(clause: Clause) -> None:
    assert (kept_by(clause), kept_by(clause, WRONG[clause]) is not None) == (None, True)


def test_a_broken_clause_leaves_neither_a_position_nor_a_resting_order() -> None:
    executor = SampleExecutor(ToyVenue(), mode="paper")
    holding(_held_without_what_rests)(executor)

    broken = keeps(LocalUnderTest(executor), clauses.a_resting_close_counts_against_the_position)

    assert broken is not None
    assert {order["status"] for order in executor.venue.orders.values()} <= {"filled", "cancelled", "rejected"}
    assert set(executor.venue.positions.values()) == {Decimal(0)}

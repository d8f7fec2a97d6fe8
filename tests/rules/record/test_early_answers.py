"""What is answered while PostgreSQL is away."""

from actors.rules.record.early_answers import EarlyAnswers
from bus.messages.records import Answer, Commit, OrderStored
from bus.messages.system import Error, ErrorCode, Reply
from bus.messages.trades import CloseInEffect, TradeState


def a_commit(result: object = None, error: Error | None = None) -> Commit:
    reply = Reply(ok=error is None, instance="test", epoch=1, ts=1, result=result, error=error)
    return Commit(sender="trade_desk", cause="c", now_ns=1, answer=Answer(reply_to="r", reply=reply))


def a_close(order_id: str | None = None) -> CloseInEffect:
    return CloseInEffect(trade_id="t1", state=TradeState.CLOSING, began=True, client_order_id=order_id)


def stored(trade_id: str = "t1") -> OrderStored:
    order_id = f"{trade_id}-close-1"
    return OrderStored(client_order_id=order_id, trade_id=trade_id, sequence=1, duplicate=False, now_ns=1)


def test_what_is_not_written_is_never_said_to_stand() -> None:
    (answer,) = EarlyAnswers().hear(a_commit(result={"halted": True}), stored=())

    assert (answer.reply.ok, answer.reply.result) == (False, None)
    assert answer.reply.error is not None
    assert (answer.reply.error.code, answer.reply.error.retry) == (ErrorCode.UNAVAILABLE, True)
    assert answer.reply.error.message.startswith("PostgreSQL is away: this is known here")


def test_a_refusal_is_one_at_once() -> None:
    commit = a_commit(error=Error(code=ErrorCode.CONFLICT, message="no"))

    assert EarlyAnswers().hear(commit, stored=()) == [commit.answer]


def test_a_close_is_answered_once_orders_has_its_order() -> None:
    answers, commit = EarlyAnswers(), a_commit(a_close())

    before = answers.hear(commit, stored=())
    other = answers.order_stored(stored("t2"))
    after = answers.order_stored(stored())

    assert (before, other, after) == ([], [], [commit.answer])


def test_a_close_whose_order_stands_in_orders_is_answered_at_once() -> None:
    commit = a_commit(a_close("t1-close-1"))

    assert EarlyAnswers().hear(commit, stored={"submit:t1-close-1"}) == [commit.answer]


def test_what_was_answered_early_is_not_answered_again_when_its_commit_stands() -> None:
    answers, early, late = EarlyAnswers(), a_commit("x"), a_commit(a_close())
    answers.hear(early, stored=())
    answers.hear(late, stored=())

    assert answers.take(early) is None
    assert answers.take(late) == late.answer


def test_an_order_stored_after_the_outage_answers_nobody_twice() -> None:
    answers, commit = EarlyAnswers(), a_commit(a_close())
    answers.hear(commit, stored=())
    answers.take(commit)

    answers.end()

    assert answers.order_stored(stored()) == []

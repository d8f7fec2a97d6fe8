"""Words reach their listeners by type, at once and in order."""

import pytest

from actors.router import Router
from bus.messages.records import Commit, CommitRefused
from bus.messages.timers import SetTimer, TimerFired


def a_router(heard: list[tuple[str, object]]) -> Router:
    router = Router()
    router.connect(
        {"desk": lambda word: heard.append(("desk", word)), "watcher": lambda word: heard.append(("watcher", word))},
        {SetTimer: (lambda word: heard.append(("first", word)), lambda word: heard.append(("second", word)))},
    )
    return router


def test_every_listener_of_a_type_hears_a_word_in_the_order_of_the_table() -> None:
    heard: list[tuple[str, object]] = []
    word = SetTimer(owner="desk", key="k", due_ns=1)

    a_router(heard).say(word)

    assert heard == [("first", word), ("second", word)]


def test_a_timer_reaches_the_actor_that_set_it() -> None:
    heard: list[tuple[str, object]] = []
    fired = TimerFired(owner="watcher", key="k", due_ns=1, now_ns=1)

    a_router(heard).say(fired)

    assert heard == [("watcher", fired)]


def test_a_refused_commit_reaches_its_sender() -> None:
    heard: list[tuple[str, object]] = []
    refused = CommitRefused(commit=Commit(sender="desk", cause="c", now_ns=1), error="bad row")

    a_router(heard).say(refused)

    assert heard == [("desk", refused)]


def test_a_word_that_nobody_hears_is_a_broken_house() -> None:
    """Lesson 65: nothing falls back to somebody else."""
    with pytest.raises(AssertionError, match="nobody listens for int"):
        a_router([]).say(1)


def test_an_unknown_owner_is_a_broken_house() -> None:
    """Lesson 65"""
    with pytest.raises(KeyError):
        a_router([]).say(TimerFired(owner="nobody", key="k", due_ns=1, now_ns=1))

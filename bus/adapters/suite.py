"""The suite: every clause, and how one is run."""

from collections.abc import Callable
from typing import Final

from bus.adapters import clauses, lookups
from bus.adapters.story import Broken, Story

Clause = Callable[[Story], None]

CLAUSES: Final[tuple[Clause, ...]] = (
    clauses.a_filled_order_is_reported_whole,
    lookups.fills_add_up_to_what_a_look_up_tells,
    clauses.a_redelivered_order_is_looked_up_and_never_sent_twice,
    clauses.a_known_id_with_another_body_changes_nothing,
    clauses.an_order_is_not_sent_after_its_expires_ts,
    clauses.an_older_epoch_is_refused,
    clauses.another_mode_is_refused,
    clauses.a_close_never_exceeds_the_position_held,
    clauses.a_close_without_a_position_fills_nothing,
    clauses.two_closes_at_once_do_not_exceed_the_position_together,
    clauses.a_resting_close_counts_against_the_position,
    clauses.an_ioc_that_finds_nobody_is_cancelled,
    clauses.a_cancel_is_answered_with_what_was_filled,
    clauses.a_cancel_before_its_order_promises_never_to_send_it,
    clauses.an_order_ends_once,
    lookups.a_look_up_finds_an_order_that_rests,
    lookups.a_look_up_of_an_order_that_never_came_finds_nothing,
    lookups.a_position_is_told_while_it_is_held,
    lookups.every_list_is_told_to_its_end_and_each_row_once,
    lookups.what_is_asked_since_an_instant_holds_everything_after_it,
    lookups.a_cursor_that_nobody_gave_out_is_an_error,
    lookups.an_account_of_which_nothing_is_known_is_answered_too,
)
"""Every clause, the cheapest to understand first."""


def kept(clause: Clause, story: Story) -> str | None:
    """Run a clause, and sell what it left; return what is broken, None if it is kept."""
    words = [broken for act in (lambda: clause(story), story.leaves_nothing) if (broken := _broken(act, story))]
    return " ".join(words) or None


def _broken(act: Callable[[], None], story: Story) -> str | None:
    try:
        act()
    except Broken as broken:
        return str(broken)
    except KeyboardInterrupt:
        # A person has seen enough; nothing may be left at the venue all the same.
        story.leaves_nothing()
        raise
    return None

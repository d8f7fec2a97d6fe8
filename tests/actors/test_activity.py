import threading

from actors.activity import Activity

SOON_S = 10.0


def test_a_house_without_work_is_quiet_at_once() -> None:
    activity = Activity()

    assert activity.quiet(0)


def test_a_house_with_work_in_hand_is_not_quiet() -> None:
    activity = Activity()

    activity.begin()

    assert not activity.quiet(0)


def test_it_is_not_quiet_while_some_work_is_left() -> None:
    activity = Activity()
    activity.begin(2)

    activity.end()

    assert (activity.quiet(0), activity.outstanding) == (False, 1)


def test_a_wait_that_was_given_up_does_not_spoil_the_next() -> None:
    activity = Activity()
    activity.begin()
    activity.quiet(0)

    activity.end()

    assert activity.quiet(SOON_S)


def test_whoever_waits_is_woken_by_the_last_piece_of_work_to_end() -> None:
    activity = Activity()
    activity.begin()
    worker = threading.Thread(target=activity.end)

    worker.start()
    quiet = activity.quiet(SOON_S)
    worker.join()

    assert quiet


def test_a_part_counts_as_one_piece_of_work_of_the_whole_until_it_is_quiet() -> None:
    whole = Activity()
    part = Activity(within=whole)
    part.begin(2)
    part.end()

    busy = whole.outstanding
    part.end()

    assert (busy, whole.outstanding) == (1, 0)


def test_whoever_asks_to_be_woken_is_woken_once() -> None:
    activity = Activity()
    woken: list[int] = []
    activity.begin()
    activity.is_quiet_or_wakes(lambda: woken.append(1))

    for _ in range(2):
        activity.end()
        activity.begin()

    assert woken == [1]


def test_no_work_is_lost_between_threads() -> None:
    activity = Activity()

    def work() -> None:
        for _ in range(2_000):
            activity.begin()
            activity.end()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert (activity.outstanding, activity.done) == (0, 8_000)

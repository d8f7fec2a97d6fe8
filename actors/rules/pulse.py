"""Whether a part of the house still moves: it is asked again and again by a word that must come back through its inbox.

It counts rounds, not time. A process that was stopped and goes on has lost one round, however long it stood, and nobody takes
the whole of it for stuck; neither does a clock that was set. A part that does not answer because much waits before the question
is not stuck either, as long as it finishes one word after the other.
"""


class Pulse:
    """One part. rounds_max: in so many rounds it must answer, or have finished something."""

    def __init__(self, rounds_max: int) -> None:
        self._rounds_max = rounds_max
        self._missed = 0
        self._done = -1

    def is_stuck(self, *, answers: bool, done: int) -> bool:
        """Note one more round. answers: nothing that it was asked is still out. done: how much it has finished since the start."""
        moves = answers or done != self._done
        self._done = done
        self._missed = 0 if moves else self._missed + 1
        return self._missed >= self._rounds_max

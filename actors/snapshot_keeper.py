"""SnapshotKeeper: writes down what a start without PostgreSQL would need. `rules.record.snapshots` decides when."""

from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any

from actors.inbox import Inbox
from actors.ports import Clock, SnapshotFile
from actors.watched import Engine, EngineActor, Failed
from bus.messages.records import Commit, Snapshot, SnapshotDone, SnapshotDue


class SnapshotKeeper(EngineActor):
    """Hears what stands, streams, time. writer: one thread of its own: a disk that hangs holds up nobody."""

    def __init__(
        self,
        inbox: Inbox,
        failed: Failed,
        *,
        engine: Engine,
        say: Callable[[object], None],
        file: SnapshotFile,
        clock: Clock,
        writer: Executor,
    ) -> None:
        super().__init__(inbox, failed, engine=engine, say=say)
        self._file = file
        self._clock = clock
        self._writer = writer

    def on_receive(self, message: Any) -> None:  # noqa: ANN401  # pykka's signature
        """Let the engine decide; have written what it wants written, and say the rest, in order."""
        for word in self._engine.handle(message):
            if isinstance(word, SnapshotDue):
                self._writer.submit(self._write, word.snapshot)
            else:
                self._say(word)

    def _write(self, snapshot: Snapshot) -> None:
        error = None
        try:
            self._file.write(snapshot)
        except (OSError, ValueError) as failure:
            error = str(failure)
        self.inbox.put(SnapshotDone(error=error, now_ns=self._clock.now_ns()))


def counted(keeper: Callable[[object], None]) -> Callable[[object], None]:
    """Return what hands only such commits on as tell what stops and drawdown rules have counted: that is kept beside a record that may be away."""

    def hear(word: object) -> None:
        if isinstance(word, Commit) and (word.progress or word.account_progress):
            keeper(word)

    return hear

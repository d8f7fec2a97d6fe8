"""PostgreSQL for a house that began without it: takes nothing, and finds out when it is back.

Nothing that was decided meanwhile is written from here: it builds on a snapshot, which PostgreSQL need not agree with. Once it is back
the process starts again from it, and takes in from ORDERS and LEDGER what left and what was answered, as after any other start.
"""

from collections.abc import Callable, Mapping, Sequence

from bus.messages.failures import StoreUnavailable
from bus.messages.records import Commit, Query, Recovered


class AwayStore:
    """`actors.ports.Store`. reach: opens the real one or raises; back: called once that has succeeded."""

    def __init__(self, reach: Callable[[], None], back: Callable[[], None]) -> None:
        self._reach = reach
        self._back = back
        self._is_back = False

    def recover(self) -> Recovered:
        """Refuse. Raises: StoreUnavailable."""
        raise self._away()

    def commit(self, commits: Sequence[Commit]) -> list[tuple[Commit, str]]:  # noqa: ARG002  # the port's
        """Look whether PostgreSQL is back. Raises: StoreUnavailable, always."""
        if not self._is_back:
            try:
                self._reach()
            except Exception as error:
                # Whatever keeps the record shut, a schema that does not fit among it: the stops go on.
                raise StoreUnavailable(str(error)) from error
            self._is_back = True
            self._back()
        raise self._away()

    def mark_published(
        self,
        msg_ids: Sequence[str],  # noqa: ARG002  # the port's
        now_ns: int,  # noqa: ARG002  # the port's
        reached: Mapping[str, int] | None = None,  # noqa: ARG002  # the port's
    ) -> None:
        """Refuse. Raises: StoreUnavailable."""
        raise self._away()

    def query(self, query: Query) -> object:  # noqa: ARG002  # the port's
        """Refuse. Raises: StoreUnavailable."""
        raise self._away()

    def _away(self) -> StoreUnavailable:
        return StoreUnavailable(
            "it is back, and the process starts again from it" if self._is_back else "it was away at the start"
        )

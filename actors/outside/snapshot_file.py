"""The snapshot on disk: written beside the old one and renamed, so that there is always a whole one; its checksum says so.

watchkeeper-snapshot 1 <sha256 of the rest>
{everything but the trades}
{a trade}
...
"""

import hashlib
import os
from pathlib import Path
from typing import Final

import msgspec
from msgspec.structs import replace

from bus.messages import plain
from bus.messages.failures import SnapshotUnusable
from bus.messages.records import Snapshot
from bus.messages.trades import Trade

_NAME: Final = b"watchkeeper-snapshot"
_VERSION: Final = b"1"
_OWNER_ONLY: Final = 0o600


class LocalSnapshot:
    """`actors.ports.SnapshotFile` at `path`. One thread writes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._written: dict[str, tuple[Trade, bytes]] = {}

    def write(self, snapshot: Snapshot) -> None:
        """Replace the file, durably. Raises: OSError; ValueError for what could not be read back."""
        trades = (*snapshot.trades, *snapshot.ended)
        self._written = {trade.trade_id: (trade, self._line(trade)) for trade in trades}
        head = plain.to_json(replace(snapshot, trades=(), ended=()))
        body = b"\n".join((head, *(line for _, line in self._written.values())))
        self._path.parent.mkdir(parents=True, exist_ok=True)
        beside = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        try:
            with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _OWNER_ONLY), "wb") as file:
                file.write(b" ".join((_NAME, _VERSION, hashlib.sha256(body).hexdigest().encode())) + b"\n" + body)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self._path)
        except OSError:
            beside.unlink(missing_ok=True)
            raise
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def read(self) -> Snapshot:
        """Return the snapshot. Raises: SnapshotUnusable, which says why."""
        return self._parsed(self._body())

    def read_head(self) -> Snapshot:
        """Return it without its trades. Raises: SnapshotUnusable."""
        return self._parsed(self._body().partition(b"\n")[0])

    def _body(self) -> bytes:
        try:
            first, _, body = self._path.read_bytes().partition(b"\n")
        except FileNotFoundError:
            raise SnapshotUnusable(f"{self._path} does not exist") from None
        except OSError as error:
            raise SnapshotUnusable(f"{self._path} cannot be read: {error}") from error
        name, version, digest = (*first.split(b" "), b"", b"", b"")[:3]
        if name != _NAME:
            raise SnapshotUnusable(f"{self._path} is not a snapshot of Watchkeeper")
        if version != _VERSION:
            raise SnapshotUnusable(f"{self._path} was written by another version of Watchkeeper")
        if digest != hashlib.sha256(body).hexdigest().encode():
            raise SnapshotUnusable(f"{self._path} is damaged: its checksum does not fit")
        return body

    def _parsed(self, body: bytes) -> Snapshot:
        head, *lines = body.split(b"\n")
        try:
            found = plain.from_json(Snapshot, head)
            trades = [plain.from_json(Trade, line) for line in lines]
            layers = [
                replace(layer, values={key: plain.read_setting(value) for key, value in layer.values.items()})
                for layer in found.layers
            ]
        except (msgspec.DecodeError, ValueError) as error:
            raise SnapshotUnusable(f"{self._path} was written by another version of Watchkeeper: {error}") from error
        return replace(
            found,
            layers=tuple(layers),
            trades=tuple(trade for trade in trades if not trade.state.is_terminal),
            ended=tuple(trade for trade in trades if trade.state.is_terminal),
        )

    def _line(self, trade: Trade) -> bytes:
        """Return the trade as it is written; one that has not changed is not made into text again."""
        known, line = self._written.get(trade.trade_id, (None, b""))
        return line if known is trade else plain.to_json(trade)

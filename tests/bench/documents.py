"""What `run.py bench --json` prints: each figure with its reference lines of the same run, and whether it is met.

Seconds and microseconds are wall time. load: the machine's load average over the last minute, when the figure began: on a
machine that others use, compare the figure with its reference line and with nothing else.
"""

from collections.abc import Iterator
from typing import Literal

import msgspec

from bus.messages.envelope import Message

Figure = Literal[
    "latency",
    "throughput",
    "group_commit",
    "standing",
    "restart",
    "flood",
    "demo",
    "recording",
    "size",
    "replay",
    "audit",
    "migration",
]
"""By name."""


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """What every figure has."""

    load: float
    met: bool


class Latency(Measured, frozen=True, kw_only=True):
    """From the publishing of a tick to its close order, microseconds.

    f_us: the reference line F, a raw round trip. direct_us: the same order published straight into ORDERS by a raw client,
    until the same executor has it: what storing and delivering alone cost. stored: until a durable consumer in another process
    has the order; plain: until a plain subscriber hears it. open_trades: at least that many were open throughout.
    """

    f_us: float
    direct_us: float
    stored_p50_us: float
    stored_p99_us: float
    stored_p50_in_f: float
    stored_p99_in_f: float
    plain_p50_us: float
    plain_p99_us: float
    open_trades: int
    orders: int


class Throughput(Measured, frozen=True, kw_only=True):
    """Sustained ticks, one in a thousand firing. read_per_s: what a raw subscriber that does nothing reads, the reference line.

    taken_per_s: ticks by the time from the first tick to the last order. lost: orders that never came. cpu_us: of the process, for
    each tick, with everything that it caused: on a machine that others use, this is what to compare.
    """

    read_per_s: int
    open_trades: int
    markets: int
    ticks: int
    sent_per_s: int
    taken_per_s: int
    cpu_us: float
    fired: int
    lost: int


class GroupCommit(Measured, frozen=True, kw_only=True):
    """Commits of one journal row each. copy_per_s: the same number of rows by one bare COPY and commit, the reference line.

    outstanding: how many wait for each transaction.
    """

    copy_per_s: int
    outstanding: int
    rows: int
    rows_per_s: int


class ServeStanding(Measured, frozen=True, kw_only=True):
    """What `serve` takes to stand there. bare_mb: an interpreter that has only imported it, the reference line.

    ready_s, resident_mb: with nothing open; the others with `open_trades`: `grown_mb` after they were adopted, `recovered_mb`
    and `recovered_s` after a restart that had to recover them, `recovered_cpu_s` of it the process's own work. takeover_s: from
    a kill -9 of the leader until the one that stands by watches them.
    """

    bare_mb: float
    ready_s: float
    resident_mb: float
    open_trades: int
    grown_mb: float
    recovered_s: float
    recovered_cpu_s: float
    recovered_mb: float
    takeover_s: float


class Restart(Measured, frozen=True, kw_only=True):
    """From the start of a process, whose predecessor a kill -9 ended that moment, until it watches; over so many `restarts`.

    clean_s: the same after a stop that said so, the reference line.
    """

    open_trades: int
    restarts: int
    clean_s: float
    p50_s: float
    p99_s: float


class Flood(Measured, frozen=True, kw_only=True):
    """Memory while more ticks come than can be decided: `held` stops are beyond their price at every tick, and must not fire yet.

    decided: ticks that AutoStop saw, folded: the others. crossed: stops that one single tick crossed, lost: those whose order never
    came. Of a machine that is too slow for so much that may be, and says so: missed: ticks that the process never heard, because NATS
    had cut it off; late: ticks that it read when they were gone again, which fire nothing. before_mb, the reference line: what the process held before; begin, end and max from the end of the warm-up on.
    """

    seconds: float
    open_trades: int
    held: int
    markets: int
    sent: int
    sent_per_s: int
    decided: int
    folded: int
    crossed: int
    lost: int
    missed: int
    late: int
    before_mb: float
    begin_mb: float
    end_mb: float
    max_mb: float

    @property
    def all_fired(self) -> bool:
        """Whether every stop fired, unless its tick may never have come, or too late."""
        return not self.lost or self.missed + self.late > 0


class DemoSpeed(Measured, frozen=True, kw_only=True):
    """`demo --speed max` over a whole recording. parsed_s: reading the recording and nothing else, the reference line."""

    recording: str
    parsed_s: float
    events: int
    seconds: float
    events_per_s: int


class AuditSpeed(Measured, frozen=True, kw_only=True):
    """`migrate audit` of a large tree. parsed_s: Python reading its own syntax and nothing else, the reference line. cpu_s: of the process."""

    parsed_s: float
    files: int
    lines: int
    findings: int
    seconds: float
    cpu_s: float


class RecordingCost(Measured, frozen=True, kw_only=True):
    """What the flight recorder costs: each figure without it, the reference line, and with it, `repeats` pairs one after the other.

    cpu_us: of the process for each tick, medians: what bounds the rate of ticks; rate_percent: how much more that is with it, the median
    over pairs. p99_us: from a tick to its stored order, medians; p99_percent: how much more, likewise.
    """

    repeats: int
    off_cpu_us: float
    on_cpu_us: float
    rate_percent: float
    off_p99_us: float
    on_p99_us: float
    p99_percent: float


class RecordingSize(Measured, frozen=True, kw_only=True):
    """What a tick of the Polymarket stream takes in a recording, bytes. packed_bytes: in the stream itself, gzipped, the reference line."""

    ticks: int
    packed_bytes: float
    bytes_each: float


class ReplaySpeed(Measured, frozen=True, kw_only=True):
    """The demo's recorded day told again, whole commands, medians. bare_s: `replay` of a few words, the reference line.

    deliveries: words that an actor heard; deliveries_per_s: without `bare_s`, where that is the lesser part. resident_mb: of the largest of its processes.
    explained_s: `explain` of the day's last trade.
    """

    bare_s: float
    deliveries: int
    different: int
    seconds: float
    deliveries_per_s: int
    resident_mb: float
    explained_s: float


class Migration(Measured, frozen=True, kw_only=True):
    """The old system's trades from SQLite: copied with their types converted, and every row verified, by the commands as people run them.

    rows_per_s: by the seconds of both, snapshot and start included; start_s: of them what it takes to begin and to end two commands, the
    same for any number of rows. text_per_s: rows that psycopg's COPY as text brings, with no type
    and no proof: a reference line. pgloader: the same file in the same run, unverified, null where it is not installed; ratio: ours to
    its rows a second. resident_mib: the most that any of our processes had. changed: values that differ from the source, bit for bit;
    of pgloader those of REAL columns, which it makes float4.
    """

    rows: int
    text_per_s: int
    copy_s: float
    verify_s: float
    start_s: float
    rows_per_s: int
    resident_mib: float
    changed: int
    pgloader_per_s: int | None
    pgloader_mib: int | None
    pgloader_changed: int | None
    ratio: float | None


class Benchmarks(Message, frozen=True, kw_only=True):
    """The whole document; null where a figure was not asked for, or has nothing to be measured on."""

    latency: Latency | None = None
    throughput: Throughput | None = None
    group_commit: tuple[GroupCommit, ...] = ()
    standing: ServeStanding | None = None
    restart: Restart | None = None
    flood: Flood | None = None
    demo: DemoSpeed | None = None
    audit: AuditSpeed | None = None
    recording: RecordingCost | None = None
    size: RecordingSize | None = None
    replay: ReplaySpeed | None = None
    migration: Migration | None = None

    @property
    def met(self) -> bool:
        """Whether every figure that was measured is met."""
        return all(figure.met for figure in self.all())

    def all(self) -> Iterator[Measured]:
        """Yield what was measured, in order."""
        found = (self.latency, self.throughput, *self.group_commit, self.standing, self.restart, self.flood, self.demo)
        more = (self.audit, self.recording, self.size, self.replay, self.migration)
        yield from (one for one in (*found, *more) if one is not None)

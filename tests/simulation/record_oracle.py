"""What the database must say: sums, versions, the chain of the journal, what stands together, what was acknowledged."""

import hashlib
from collections import Counter, defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from bus.codec import Codec
from bus.messages.envelope import Received
from bus.messages.trades import AttemptState, Purpose, Trade, TradeState
from bus.messages.units import NS_PER_S, ZERO
from tests.simulation.jetstream import Stream
from tests.simulation.postgres import Change

if TYPE_CHECKING:
    from tests.simulation.oracle import Oracle

Changed = dict[str, tuple[Trade | None, Trade]]


class RecordOracle:
    """Looks at every transaction that stands."""

    def __init__(self, oracle: "Oracle") -> None:
        self._oracle = oracle
        self._codec = Codec()
        self._places: set[tuple[str, int]] = set()
        self._booked: dict[str, dict[str, Decimal]] = defaultdict(lambda: {"entry": ZERO, "close": ZERO})
        self._last_hash = bytes(32)
        self._journal = 0
        self._is_halted = False
        self.fills: Counter[tuple[str, str]] = Counter()

    def committed(self, noted: list[Change], changed: Changed) -> None:
        """Judge one transaction."""
        by_table: dict[str, list[tuple[Any, Any, Any]]] = defaultdict(list)
        for table, key, before, row in noted:
            by_table[table].append((key, before, row))
        for _, _, row in (*by_table["inbox"], *by_table["quarantine"]):
            if row[4] is not None:
                self._places.add((row[4], row[5]))
        self._judge_journal([row for _, _, row in by_table["journal"]], changed)
        self._judge_quarantine([row for _, _, row in by_table["quarantine"]])
        self._judge_told(by_table, changed)
        self._judge_halt(by_table, changed)
        for _, _, fill in by_table["fills"]:
            self._judge_fill(fill)
            self._booked[fill["trade_id"]][fill["purpose"]] += Decimal(fill["quantity"])
            self.fills[fill["account"], fill["fill_id"]] += 1
        messages = {row[1] for _, _, row in by_table["outbox"]}
        for trade_id, (before, trade) in changed.items():
            self._judge_sums(trade)
            self._judge_life(before, trade)
            first = 1 if before is None else before.version + 1
            for version in range(first, trade.version + 1):
                stands = f"trade:{trade_id}:{version}" in messages
                self._oracle.demand(stands, "S10", f"version {version} of {trade_id} has no outbox row beside it")
        for msg_id in messages:
            if msg_id.startswith("trade:"):
                trade_id, version = msg_id.removeprefix("trade:").rsplit(":", 1)
                stands = trade_id in changed and int(version) <= changed[trade_id][1].version
                self._oracle.demand(stands, "S10", f"{msg_id} is told, and its change does not stand beside it")

    def _judge_quarantine(self, rows: list[Any]) -> None:
        """Only what is bad is set aside."""
        for row in rows:
            words = f"{row[0]} was set aside: {row[2][:100]} {bytes(row[1][:200])!r}"
            world, is_crash = self._oracle.world, "a crash that was asked for" in row[2]
            is_bad = bytes(row[1]) in world.bad or row[0] in world.squatted or is_crash or self._is_of_nobody(row[0])
            self._oracle.demand(is_bad, "L5", words)

    def _is_of_nobody(self, subject: str) -> bool:
        """Whether it reports an order of a trade that was lost, promised to nobody, with the process that took it on."""
        family, _, client_order_id = subject.rpartition(".")
        return family == "order.report" and client_order_id.rsplit("-", 2)[0] not in self._oracle.trades

    def _judge_fill(self, row: Any) -> None:
        """A fill is booked on its own trade, at its own price, with its own fees."""
        name = row["client_order_id"]
        for executor in self._oracle.world.executors.values():
            order = executor.venue.orders.get(name)
            found = [fill for fill in order.fills if fill.fill_id == row["fill_id"]] if order is not None else []
            if order is None or not found or row["trade_id"].startswith("r-"):
                continue
            fill, trade_id = found[0], order.sent.trade_id
            is_other = order.sent.purpose is Purpose.CLOSE and order.sent.action == "buy"
            price = 1 - fill.price if is_other and order.sent.side.is_event else fill.price
            same = row["trade_id"] == trade_id and Decimal(row["price"]) == price and Decimal(row["fees"]) == fill.fees
            self._oracle.demand(same, "S1", f"{row} is booked, the venue says {fill} of {trade_id}")

    def _judge_told(self, by_table: dict[str, list[tuple[Any, Any, Any]]], changed: Changed) -> None:
        """To be unprotected, or unknown, is told to people beside it."""
        told = {(row["kind"], row["ts"]) for _, _, row in by_table["notices"]}
        for _, _, row in by_table["coverage_history"]:
            if row["coverage"] == "unprotected":
                words = f"{row['trade_id']} is unprotected ({row['why']}), and nobody is told"
                self._oracle.demand(("unprotected", row["ts"]) in told, "S9", words)
        kinds = {kind for kind, _ in told}
        for trade_id, (before, trade) in changed.items():
            if trade.state is TradeState.UNKNOWN and before is not None and before.state is not TradeState.UNKNOWN:
                self._oracle.demand("unknown_order" in kinds, "L3", f"{trade_id} is unknown, and nobody is told")
            if trade.state is TradeState.EXPIRED and before is not None and before.state is not TradeState.EXPIRED:
                self._judge_expiry(trade)

    def _judge_expiry(self, trade: Trade) -> None:
        world = self._oracle.world
        first = self._oracle.first_close.get(trade.trade_id)
        has_closed = trade.ticker in world.closed or (first is not None and world.now_ns + NS_PER_S >= first)
        self._oracle.demand(has_closed, "S12", f"{trade.trade_id} expired, and {trade.ticker} has not closed")

    def _judge_halt(self, by_table: dict[str, list[tuple[Any, Any, Any]]], changed: Changed) -> None:
        """Nothing new begins while a person has halted trading."""
        halted = self._is_halted
        for account, _, flags in by_table["system_state"]:
            if not account:
                self._is_halted = flags[0]
        if halted and self._is_halted:
            for trade_id, (before, trade) in changed.items():
                is_new = before is None and not trade_id.startswith("r-")
                entered = is_new and any(attempt.purpose is Purpose.ENTRY for attempt in trade.attempts)
                self._oracle.demand(not entered, "S6", f"{trade_id} was opened while trading is halted")

    def _judge_journal(self, rows: list[Any], changed: Changed) -> None:
        steps: dict[str, list[tuple[str | None, str]]] = defaultdict(list)
        for seq, trade_id, version, start, end, cause, detail, ts, previous, digest in rows:
            self._journal += 1
            body = msgspec.json.encode((seq, trade_id, version, start, end, cause, _microseconds(ts), detail))
            whole = seq == self._journal and previous == self._last_hash
            whole = whole and digest == hashlib.sha256(previous + body).digest()
            self._oracle.demand(whole, "S4", f"the chain of the journal breaks at {seq}")
            self._oracle.demand(bool(cause), "S4", f"{trade_id} went to {end} without a cause")
            self._last_hash = digest
            steps[trade_id].append((start, end))
            if start is not None and start != end:
                self._oracle.edges[start, end] += 1
        for trade_id, (before, trade) in changed.items():
            state: str | None = None if before is None else before.state
            for start, end in steps.get(trade_id, ()):
                self._oracle.demand(start == state, "S4", f"{trade_id}: an edge from {start}, but it was {state}")
                state = end
            self._oracle.demand(state == trade.state, "S4", f"{trade_id} is {trade.state}, its journal says {state}")

    def _judge_sums(self, trade: Trade) -> None:
        sums = dict.fromkeys(Purpose, ZERO)
        for fill in trade.fills:
            sums[fill.purpose] += fill.quantity
        booked, name = self._booked[trade.trade_id], trade.trade_id
        rows_agree = all(booked[purpose] == sums[purpose] for purpose in Purpose)
        self._oracle.demand(rows_agree, "S1", f"{name}: fills {sums}, fill rows {booked}")
        was_bought = any(attempt.purpose is Purpose.ENTRY for attempt in trade.attempts)
        entered = sums[Purpose.ENTRY] if was_bought or sums[Purpose.ENTRY] else trade.filled_quantity
        agrees = trade.filled_quantity == entered
        agrees = agrees and trade.closed_quantity == sums[Purpose.CLOSE] + trade.unpriced_quantity
        self._oracle.demand(
            agrees, "S1", f"{name}: filled {trade.filled_quantity}, closed {trade.closed_quantity}, fills {sums}"
        )
        left = ZERO if trade.state is TradeState.SETTLED else trade.filled_quantity - trade.closed_quantity
        self._oracle.demand(trade.open_quantity == left, "S1", f"{name}: {trade.open_quantity} open of {left}")
        self._oracle.demand(left >= ZERO, "S2", f"{name}: closed more than was opened")
        flying = [
            attempt.client_order_id
            for attempt in trade.attempts
            if attempt.purpose is Purpose.CLOSE and attempt.state not in (AttemptState.DEAD, AttemptState.WANTED)
        ]
        self._oracle.demand(len(flying) <= 1, "S2", f"{name}: two closes at once: {flying}")

    def _judge_life(self, before: Trade | None, trade: Trade) -> None:
        if before is None:
            return
        name = trade.trade_id
        self._oracle.demand(not before.state.is_terminal, "S12", f"{name} was {before.state} and changed")
        self._oracle.demand(trade.version > before.version, "S12", f"{name}: version {trade.version} again")

    def acknowledged(self, stream: Stream, sequence: int) -> None:
        """An input was acknowledged: it has its row."""
        if (stream.name, sequence) in self._places:
            return
        kept = stream.kept[sequence]
        word = self._codec.decode(kept.subject, kept.body, kept.headers, kept.at_ns)
        known = isinstance(word, Received) and word.key in self._oracle.world.postgres.tables.inbox.rows
        self._oracle.demand(known, "S3", f"{kept.subject} ({stream.name} {sequence}) was acknowledged without a row")


def _microseconds(ts: Any) -> int:
    return int(ts.timestamp()) * 1_000_000 + int(ts.microsecond)

"""What the record holds, followed from commit to commit: for the snapshot that a start without PostgreSQL begins with.

A commit counts once it stands, so the mirror is the record as it was a moment ago, never a state that the record may not reach; only
what stops and drawdown rules have counted is taken at once (`record.counts`). What happened since the snapshot stands in the streams: ORDERS has every order and report, LEDGER every trade and setting after its change.
"""

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Final

from msgspec.structs import replace

from actors.rules.record.counts import AccountCounts, Counts
from bus.messages.accounts import AccountProgress
from bus.messages.records import Commit, Kept, LedgerNews, Recovered, Snapshot
from bus.messages.settings import Layer, LayerSettings, SettingsChanged
from bus.messages.stops import StopProgress
from bus.messages.system import SystemEvent
from bus.messages.trades import Trade

REMEMBERED_MAX: Final = 20_000
"""Inputs, fills and ended trades: a snapshot serves the few hours in which PostgreSQL is away."""

LayerValues = dict[tuple[str, str], dict[str, object]]


class Mirror:
    """Begins as `recovered`. streams: name -> creation time; reached, ledger: as in `Snapshot`."""

    def __init__(
        self,
        recovered: Recovered,
        *,
        epoch: int,
        streams: Mapping[str, str],
        reached: Mapping[str, int],
        ledger: int = 0,
    ) -> None:
        self._epoch = epoch
        self._streams = dict(streams)
        self._reached = dict(reached)
        self._ledger = ledger
        self._trades = {trade.trade_id: trade for trade in recovered.trades}
        self._ended = {trade.trade_id: trade for trade in recovered.ended}
        self._seen = dict(recovered.seen)
        self._fill_ids = dict.fromkeys(sorted(recovered.fill_ids))
        self._settings_version = recovered.settings_version
        self._layers: LayerValues = {key: dict(values) for key, values in recovered.layers.items()}
        self._accounts = dict(recovered.accounts)
        self._counts = Counts(recovered.progress)
        self._coverage = {one.trade_id: one for one in recovered.coverage}
        self._halted = recovered.halted
        self._reduce_only = set(recovered.reduce_only)
        self._balances = {one.account: one for one in recovered.balances}
        self._account_counts = AccountCounts(recovered.account_progress)

    def hear(self, kept: Kept) -> None:
        """Take in what stands now."""
        self._reached |= kept.reached
        for commit in kept.commits:
            self._take(commit)
        for memory in (self._seen, self._fill_ids, self._ended):
            _forget_oldest(memory)  # type: ignore[arg-type]  # dicts of any kind

    def count(self, progress: Iterable[StopProgress], account_progress: Iterable[AccountProgress]) -> None:
        """Take what stops and drawdown rules have counted, on record or not yet."""
        self._counts.take(one for one in progress if one.trade_id not in self._ended)
        self._account_counts.take(account_progress)

    def note_ledger(self, last_sequence: int) -> None:
        """LEDGER ended here after everything that was heard had been published: what stands behind it is news."""
        self._ledger = max(self._ledger, last_sequence)

    def snapshot(self, now_ns: int) -> Snapshot:
        """Return the whole as it stands."""
        return Snapshot(
            ts=now_ns,
            epoch=self._epoch,
            streams=dict(self._streams),
            reached=dict(self._reached),
            ledger=self._ledger,
            trades=tuple(self._trades.values()),
            ended=tuple(self._ended.values()),
            seen=dict(self._seen),
            fill_ids=tuple(self._fill_ids),
            settings_version=self._settings_version,
            layers=tuple(
                LayerSettings(layer=Layer(layer), name=name, values=dict(values))
                for (layer, name), values in self._layers.items()
            ),
            accounts=dict(self._accounts),
            progress=self._counts.all(),
            coverage=tuple(self._coverage.values()),
            halted=self._halted,
            reduce_only=tuple(sorted(self._reduce_only)),
            balances=tuple(self._balances.values()),
            account_progress=self._account_counts.all(),
        )

    def _take(self, commit: Commit) -> None:  # one loop for each kind of row
        if commit.inbox is not None:
            self._seen[commit.inbox.key] = commit.inbox.digest
        for row in commit.fills:
            self._fill_ids[row.account, row.fill.fill_id] = None
        self.count(commit.progress, commit.account_progress)
        for coverage in commit.coverage:
            self._coverage[coverage.trade_id] = coverage
        for trade in commit.trades:
            self._take_trade(trade)
        for change in commit.settings:
            self._settings_version = change.version
            change_layer(self._layers, change)
        for event in commit.system:
            self._take_system(event)
        for balance in commit.balances:
            known = self._balances.get(balance.account)
            if known is None or known.ts <= balance.ts:
                self._balances[balance.account] = balance

    def _take_trade(self, trade: Trade) -> None:
        self._accounts.setdefault(trade.account, trade.mode)
        if not trade.state.is_terminal:
            self._trades[trade.trade_id] = trade
            return
        self._trades.pop(trade.trade_id, None)
        self._ended[trade.trade_id] = trade
        self._coverage.pop(trade.trade_id, None)
        self._counts.forget(trade.trade_id)

    def _take_system(self, event: SystemEvent) -> None:
        match event.kind, event.account:
            case "halt", None:
                self._halted = True
            case "reduce_only", account:
                self._reduce_only.add(account or "")
            case "resume", None:
                self._halted = False
                self._reduce_only.clear()
            case "resume", account:
                self._reduce_only.discard(account)


def bring_up(snapshot: Snapshot, news: LedgerNews) -> Recovered:
    """Return what the house starts from: the snapshot with what LEDGER tells since, and nothing that adds risk allowed."""
    trades = {trade.trade_id: trade for trade in snapshot.trades}
    ended = {trade.trade_id: trade for trade in snapshot.ended}
    for trade in news.trades:
        known = trades.get(trade.trade_id)
        if trade.trade_id in ended or (known is not None and known.version >= trade.version):
            continue
        if trade.state.is_terminal:
            trades.pop(trade.trade_id, None)
            ended[trade.trade_id] = trade
        else:
            trades[trade.trade_id] = trade
    layers: LayerValues = {(layer.layer, layer.name): dict(layer.values) for layer in snapshot.layers}
    version = snapshot.settings_version
    for change in news.settings:
        if change.version > version:
            version = change.version
            change_layer(layers, change)
    coverage = {one.trade_id: one for one in snapshot.coverage if one.trade_id in trades}
    return Recovered(
        trades=tuple(
            replace(trade, coverage=coverage[name].coverage, coverage_why=coverage[name].why)
            if name in coverage
            else trade
            for name, trade in trades.items()
        ),
        ended=tuple(ended.values())[-REMEMBERED_MAX:],
        ended_ids=frozenset(ended),
        seen=snapshot.seen,
        settings_version=version,
        layers=layers,
        accounts={trade.account: trade.mode for trade in trades.values()} | snapshot.accounts,
        progress=tuple(one for one in snapshot.progress if one.trade_id in trades),
        coverage=tuple(coverage.values()),
        fill_ids=frozenset(snapshot.fill_ids) | _fills_of((*trades.values(), *ended.values())),
        halted=snapshot.halted,
        reduce_only=frozenset((*snapshot.reduce_only, "")),
        epoch=snapshot.epoch,
        balances=snapshot.balances,
        account_progress=snapshot.account_progress,
    )


def change_layer(layers: LayerValues, change: SettingsChanged) -> None:
    """Change a layer as the record does; a trade's own stands on the trade."""
    if change.layer is Layer.TRADE:
        return
    key = (str(change.layer), change.name)
    kept = {name: value for name, value in layers.get(key, {}).items() if name not in change.before}
    layers[key] = {**kept, **change.after}


def _fills_of(trades: Iterable[Trade]) -> frozenset[tuple[str, str]]:
    return frozenset((trade.account, fill.fill_id) for trade in trades for fill in trade.fills)


def _forget_oldest(memory: dict[object, object]) -> None:
    for key in tuple(islice(memory, max(0, len(memory) - REMEMBERED_MAX))):
        del memory[key]

"""What the statements about the lead, the outbox, places, and about whether a commit stands mean to `ModelPostgres`."""

from collections.abc import Sequence
from typing import Any

from psycopg import errors

from db import recovery, standing, store
from db import statements as say
from tests.simulation.meanings import Rows, means, tables_of
from tests.simulation.postgres import Leader, Session


@means(store.TAKE_LEAD)
def _take_lead(session: Session, parameters: Any) -> int:
    session.demand_writable()
    leader = tables_of(session).leader
    if leader.rows[0].epoch >= parameters["epoch"]:
        return 0
    leader.put(session.noted, 0, Leader(parameters["epoch"], parameters["instance"]))
    return 1


@means(store.MARK_PUBLISHED)
def _mark_published(session: Session, parameters: Any) -> int:
    session.demand_writable()
    tables = tables_of(session)
    for msg_id in parameters[1]:
        for seq in tables.by_message.rows.get(msg_id, ()):
            if tables.unpublished.rows.get(seq):
                tables.unpublished.put(session.noted, seq, False)
    return 0


@means(store.NOTE_PLACES)
def _note_places(session: Session, parameters: Any) -> int:
    session.demand_writable()
    tables = tables_of(session)
    for name, reached in zip(*parameters, strict=True):
        if name in tables.streams.rows and tables.places.rows.get(name, 0) < reached:
            tables.places.put(session.noted, name, reached)
    return 0


@means(store.RECORD_STREAM)
def _record_stream(session: Session, parameters: Any) -> int:
    session.demand_writable()
    name, created, _ = parameters
    if name not in tables_of(session).streams.rows:
        tables_of(session).streams.put(session.noted, name, created)
    return 1


@means(store.STREAMS)
def _streams(session: Session, _: Any) -> Rows:
    return list(tables_of(session).streams.rows.items())


@means(store.ANY_SETTINGS)
def _any_settings(session: Session, _: Any) -> Rows:
    return [(bool(len(tables_of(session).settings_history)),)]


@means(store.LEADER, recovery.EPOCH)
def _leader(session: Session, _: Any) -> Rows:
    return [(tables_of(session).leader.rows[0].epoch,)]


@means(store.TERMINATE)
def _terminate(session: Session, parameters: Any) -> Rows:
    other = session.server.sessions.get(parameters[0])
    if other is not None:
        other.end()
    return [(other is not None,)]


@means(store.END_OLDER)
def _end_older(session: Session, parameters: Any) -> Rows:
    older = [one for one in session.server.sessions.values() if 1 <= one.epoch < parameters[0] and one is not session]
    for one in older:
        one.end()
    return [(True,) for _ in older]


@means(say.XACT_STATUS)
def _xact_status(session: Session, parameters: Any) -> Rows:
    return [(session.server.fates.get(int(parameters[0])),)]


def copy(session: Session, statement: str, row: Sequence[Any]) -> None:
    """Take one row of a COPY."""
    tables = tables_of(session)
    if statement == say.COPY_QUARANTINE:
        tables.quarantine.append(session.noted, tuple(row))
    elif statement == say.COPY_JOURNAL:
        tables.journal.insert(session.noted, row[0], tuple(row))
    elif statement == say.COPY_OUTBOX:
        seq, msg_id = row[0], row[1]
        tables.outbox.insert(session.noted, seq, tuple(row))
        tables.unpublished.put(session.noted, seq, True)
        known = tables.by_message.rows.get(msg_id, ())
        if any(tables.outbox.rows[other][-1] == row[-1] for other in known):
            raise errors.UniqueViolation(f"outbox: {msg_id} stands already")
        tables.by_message.put(session.noted, msg_id, (*known, seq))
    else:
        raise AssertionError(f"the model does not know {statement}")


@means(standing.INBOX_DIGEST)
def _inbox_digest(session: Session, parameters: Any) -> Rows:
    row = tables_of(session).inbox.rows.get(parameters[0])
    return [] if row is None else [(row[1],)]


@means(standing.EDGES)
def _edges(session: Session, columns: Any) -> Rows:
    journal = {(row[1], row[2], row[4]) for row in tables_of(session).journal}
    return [(len(set(zip(*columns, strict=True)) & journal),)]


@means(standing.VERSIONS)
def _versions(session: Session, columns: Any) -> Rows:
    trades = tables_of(session).trades.rows
    return [(sum(t in trades and trades[t].version >= version for t, version in zip(*columns, strict=True)),)]


@means(standing.VERSIONS_NOW)
def _versions_now(session: Session, parameters: Any) -> Rows:
    trades = tables_of(session).trades.rows
    return [(trade_id, trades[trade_id].version) for trade_id in parameters[0] if trade_id in trades]


@means(standing.MESSAGES)
def _messages(session: Session, parameters: Any) -> Rows:
    known = tables_of(session).by_message.rows
    return [(len({msg_id for msg_id in parameters[0] if msg_id in known}),)]

"""Whether a commit that contradicts the record does so because it stands there already.

A writer that lost its connection does not always know what became of its batch, and a message may come twice. An input whose
row, trades and messages are all there has had its effect, and this very one.
"""

from enum import Enum
from typing import Final

import psycopg

from bus.messages.records import Commit

INBOX_DIGEST: Final = "SELECT digest FROM inbox WHERE key = %s"
EDGES: Final = """
    SELECT count(*) FROM (SELECT DISTINCT r.* FROM unnest(%s::text[], %s::integer[], %s::text[]) AS r (trade_id, version, to_state)
        JOIN journal AS j USING (trade_id, version, to_state)) AS found
"""
VERSIONS: Final = """
    SELECT count(*) FROM unnest(%s::text[], %s::integer[]) AS r (trade_id, version)
    JOIN trades AS t ON t.trade_id = r.trade_id AND t.version >= r.version
"""
VERSIONS_NOW: Final = "SELECT trade_id, version FROM trades WHERE trade_id = ANY (%s::text[])"
MESSAGES: Final = "SELECT count(DISTINCT msg_id) FROM outbox WHERE msg_id = ANY (%s::text[])"


class Standing(Enum):
    """WHOLE: this commit stands. DUPLICATE: its input had another effect. CONTRADICTED: the key stands with another body.

    ELSEWHERE: it does not stand, and a trade of it is not as it was when it was decided.
    """

    WHOLE = "stands"
    DUPLICATE = "duplicate"
    CONTRADICTED = "contradicted"
    ELSEWHERE = "builds on another state"
    NOT = "does not stand"


def of(connection: psycopg.Connection, commit: Commit) -> Standing:
    """Return how `commit` stands in the record."""
    if commit.inbox is not None:
        row = connection.execute(INBOX_DIGEST, [commit.inbox.key]).fetchone()
        if row is None:
            return _not_standing(connection, commit)
        if row[0] != commit.inbox.digest:
            return Standing.CONTRADICTED
        return Standing.WHOLE if _effects_stand(connection, commit) else Standing.DUPLICATE
    if (commit.trades or commit.outbox) and _effects_stand(connection, commit):
        return Standing.WHOLE
    return _not_standing(connection, commit)


def _not_standing(connection: psycopg.Connection, commit: Commit) -> Standing:
    expected = {trade.trade_id: trade.version - 1 for trade in commit.trades}
    found: dict[str, int] = dict(connection.execute(VERSIONS_NOW, [list(expected)]).fetchall())
    builds = all(found.get(trade_id, 0) == version for trade_id, version in expected.items())
    return Standing.NOT if builds else Standing.ELSEWHERE


def _effects_stand(connection: psycopg.Connection, commit: Commit) -> bool:
    edges = {(entry.trade_id, entry.version, str(entry.to_state)) for entry in commit.journal}
    versions = {(trade.trade_id, trade.version) for trade in commit.trades}
    messages = {out.msg_id for out in commit.outbox}
    return (
        _count(connection, EDGES, *_columns(edges, 3)) == len(edges)
        and _count(connection, VERSIONS, *_columns(versions, 2)) == len(versions)
        and _count(connection, MESSAGES, sorted(messages)) == len(messages)
    )


def _columns(
    rows: set[tuple[object, ...]] | set[tuple[str, int]] | set[tuple[str, int, str]], width: int
) -> list[list[object]]:
    return [[row[n] for row in rows] for n in range(width)]


def _count(connection: psycopg.Connection, query: str, *columns: object) -> int:
    row = connection.execute(query, columns).fetchone()
    assert row is not None
    count: int = row[0]
    return count

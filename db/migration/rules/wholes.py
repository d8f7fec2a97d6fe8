"""What is wrong with a system as a whole: services that wait for each other, databases of which there may be two."""

from collections.abc import Iterator

from db.migration.rules.finding import found
from db.migration.words import Audit, Database, Finding, Place


def findings(whole: Audit) -> Iterator[Finding]:
    """Yield what no single place shows."""
    yield from _cycles(whole)
    yield from _copies(whole.databases)


def _cycles(whole: Audit) -> Iterator[Finding]:
    first = {(one.caller, one.callee): one.calls[0] for one in whole.calls}
    for way in whole.cycles:
        legs = list(zip(way, (*way[1:], way[0]), strict=True))
        told = ", ".join(f"{callee} by {_at(first[caller, callee])}" for caller, callee in legs)
        yield found("service-cycle", first[legs[0]], f"{way[0]} calls {told}", subject=" -> ".join((*way, way[0])))


def _at(place: Place) -> str:
    return f"{place.said} ({place.file}:{place.line})"


def _copies(databases: tuple[Database, ...]) -> Iterator[Finding]:
    told: set[str] = set()
    for one in databases:
        if one.copies and one.places and told.isdisjoint((one.path, *one.copies)):
            told |= {one.path, *one.copies}
            said = f"{one.path} may be the same database as {', '.join(one.copies)}"
            yield found("database-copies", one.places[0], said, subject=one.path)

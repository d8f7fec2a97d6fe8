"""What the reports say first: how much of what there is, and who uses which table."""

from collections import Counter
from typing import Final

from db.migration.rules.catalog import RULES
from db.migration.words import Audit

ORDER: Final = ("high", "medium", "low")


def facts(found: Audit) -> dict[str, str]:
    """Return the numbers of an audit by what they count."""
    severities = Counter(one.severity for one in found.findings)
    files = ", ".join(f"{count} {kind}" for kind, count in found.files.items())
    told = {
        "files": files,
        "lines": f"{found.lines:,}",
        "connections": f"{len(found.connections)} in {len({one.file for one in found.connections})} files",
        "statements": f"{len(found.statements)}, {sum(one.postgres is not None for one in found.statements)} translated",
        "tables": str(len({cell.table for cell in found.matrix})),
        "databases": str(len(found.databases)),
        "services": str(len(found.services)),
        "HTTP calls": f"{len(found.http_calls)}, {sum(not one.timeout for one in found.http_calls)} without a time-out",
        "ways round": str(len(found.cycles)),
        "variables": str(len({one.name for one in found.variables})),
        "polling loops": str(len(found.loops)),
        "findings": ", ".join(f"{severities[one]} {one}" for one in ORDER),
    }
    return told | ({"known findings, left out": str(found.known)} if found.known else {})


def by_rule(found: Audit) -> list[tuple[str, str, int, str]]:
    """Return each rule that found something: its name, severity, number of places, and why it matters; the worst first."""
    counted = Counter((one.severity, one.rule) for one in found.findings)
    order = sorted(counted, key=lambda one: (ORDER.index(one[0]), -counted[one], one[1]))
    return [(rule, severity, counted[severity, rule], RULES[rule][1]) for severity, rule in order]


def matrix(found: Audit) -> tuple[list[str], list[list[str]]]:
    """Return the tables, those of the most files first, and for each file its name and what it does to each of them."""
    used = Counter(cell.table for cell in found.matrix)
    tables = sorted(used, key=lambda one: (-used[one], one))
    does = {(cell.file, cell.table): cell.access for cell in found.matrix}
    files = sorted({cell.file for cell in found.matrix})
    return tables, [[file, *(does.get((file, table), "") for table in tables)] for file in files]

"""What an audit fails on: named rules, a number of findings, or whatever an earlier audit did not have."""

from collections import Counter
from collections.abc import Iterable

import msgspec

from db.migration.rules.catalog import RULES
from db.migration.words import Audit, Finding


def read_limits(given: Iterable[str]) -> tuple[frozenset[str], int | None]:
    """Return the rules and the number that `--fail-on` names. Raises: ValueError, with what may stand there."""
    rules: set[str] = set()
    most: int | None = None
    for one in given:
        if one.isdecimal():
            most = int(one)
        elif one in RULES:
            rules.add(one)
        else:
            raise ValueError(f"--fail-on {one}: a number of findings, or one of {', '.join(sorted(RULES))}")
    return frozenset(rules), most


def without_known(found: Audit, known: Audit) -> Audit:
    """Return the audit with those findings alone that `known` does not have. Lines may have moved; of several alike, as many are known."""
    left = Counter(identity(one) for one in known.findings)
    new = []
    for one in found.findings:
        if left[identity(one)] > 0:
            left[identity(one)] -= 1
        else:
            new.append(one)
    return msgspec.structs.replace(found, findings=tuple(new), known=len(found.findings) - len(new))


def identity(one: Finding) -> tuple[str, ...]:
    """Return what stays of a finding when the lines above it change."""
    place = one.line - one.code_from
    line = one.code[place].strip() if 0 <= place < len(one.code) else ""
    return (one.rule, one.file, one.function, one.subject, line)


def failures(found: Audit, rules: frozenset[str], most: int | None) -> list[str]:
    """Return why an audit fails, in words; empty: it does not."""
    counted = Counter(one.rule for one in found.findings)
    said = [f"{counted[rule]} findings of {rule}" for rule in sorted(rules) if counted[rule]]
    if most is not None and len(found.findings) > most:
        said.append(f"{len(found.findings)} findings, more than {most}")
    return said

"""How a rule says what it found."""

import ast

from db.migration.reading import place
from db.migration.rules.catalog import RULES
from db.migration.syntax import Scope
from db.migration.words import Finding, Placed, Severity


def found(
    rule: str,
    where: Placed | dict[str, object],
    said: str,
    *,
    subject: str = "",
    rewritten: str | None = None,
    severity: Severity | None = None,
) -> Finding:
    """Return a finding. said: what is wrong in this place; why it matters is added. subject: what it is about, where a line has several."""
    usual, why = RULES[rule]
    if isinstance(where, Placed):
        where = {"file": where.file, "line": where.line, "function": where.function}
    return Finding(
        **where,  # type: ignore[arg-type]  # file, line and function
        rule=rule,
        severity=severity or usual,
        explanation=f"{said}: {why}",
        subject=subject,
        rewritten=rewritten,
    )


def found_at(
    rule: str, node: ast.expr | ast.stmt | ast.excepthandler, scope: Scope, said: str, **more: str | None
) -> Finding:
    """Return a finding at a node of the syntax tree."""
    return found(rule, place(node, scope), said, subject=more.get("subject") or "", rewritten=more.get("rewritten"))

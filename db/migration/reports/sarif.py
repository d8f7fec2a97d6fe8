"""An audit as SARIF 2.1.0, as code hosts and editors show it."""

import hashlib
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from bus.messages.plain import to_json
from config.version import VERSION
from db.migration.ratchet import identity
from db.migration.rules.catalog import RULES
from db.migration.words import Audit, Finding, Severity, Unread

_LEVELS: Final[dict[Severity, str]] = {"high": "error", "medium": "warning", "low": "note"}
_BASE: Final = "AUDITED"
_NUMBERS: Final = {rule: number for number, rule in enumerate(RULES)}


def document(found: Audit) -> bytes:
    """Return the whole document. Places are relative to the audited folder, which is named once."""
    root = Path(found.root).resolve()
    folder = root if root.is_dir() else root.parent
    driver = {"name": "Watchkeeper migrate audit", "semanticVersion": VERSION, "rules": [_rule(rule) for rule in RULES]}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {_BASE: {"uri": f"{folder.as_uri()}/"}},
        "invocations": [
            {"executionSuccessful": True, "toolExecutionNotifications": [_unread(one) for one in found.unread]}
        ],
        "results": [_result(one) for one in found.findings],
    }
    return to_json({"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]})


def _rule(rule: str) -> dict[str, Any]:
    severity, why = RULES[rule]
    return {"id": rule, "shortDescription": {"text": why}, "defaultConfiguration": {"level": _LEVELS[severity]}}


def _result(one: Finding) -> dict[str, Any]:
    physical: dict[str, Any] = {"artifactLocation": _file(one.file), "region": {"startLine": one.line}}
    if one.code:
        last = one.code_from + len(one.code) - 1
        text = "\n".join(one.code)
        physical["contextRegion"] = {"startLine": one.code_from, "endLine": last, "snippet": {"text": text}}
    location: dict[str, Any] = {"physicalLocation": physical}
    if one.function:
        location["logicalLocations"] = [{"fullyQualifiedName": one.function, "kind": "function"}]
    told = f"{one.explanation}\nMay stand instead: {one.rewritten}" if one.rewritten else one.explanation
    # Without the line, which moves by every change above it.
    same = hashlib.sha256("\0".join(identity(one)).encode(errors="replace")).hexdigest()
    return {
        "ruleId": one.rule,
        "ruleIndex": _NUMBERS[one.rule],
        "level": _LEVELS[one.severity],
        "message": {"text": told},
        "locations": [location],
        "partialFingerprints": {"watchkeeper/v1": same},
    }


def _unread(one: Unread) -> dict[str, Any]:
    location = {"physicalLocation": {"artifactLocation": _file(one.file)}}
    return {"level": "warning", "message": {"text": f"not read: {one.reason}"}, "locations": [location]}


def _file(name: str) -> dict[str, str]:
    return {"uri": quote(name), "uriBaseId": _BASE}

"""SARIF 2.1.0: the requirements of its schema for what we write, and a document that means what the audit says."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from db.migration.audit import audit
from db.migration.reports import sarif
from db.migration.rules.catalog import RULES
from tests.db.migration.reports.trees import a_tree


def closed(required: list[str], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": required, "properties": properties, "additionalProperties": False}


def several(items: dict[str, Any], *, unique: bool = False) -> dict[str, Any]:
    return {"type": "array", "items": items, "uniqueItems": unique}


TEXT = {"type": "string"}
LEVEL = {"enum": ["none", "note", "warning", "error"]}
COUNTED = {"type": "integer", "minimum": 1}
MESSAGE = closed(["text"], text=TEXT)
ARTIFACT = closed([], uri={**TEXT, "format": "uri-reference"}, uriBaseId=TEXT)
REGION = closed(["startLine"], startLine=COUNTED, endLine=COUNTED, snippet=closed([], text=TEXT))
LOCATION = closed(
    [],
    physicalLocation=closed(["artifactLocation"], artifactLocation=ARTIFACT, region=REGION, contextRegion=REGION),
    logicalLocations=several(closed([], fullyQualifiedName=TEXT, kind=TEXT), unique=True),
)
RULE = closed(["id"], id=TEXT, shortDescription=MESSAGE, defaultConfiguration=closed([], level=LEVEL))
NOTICE = closed(["message"], message=MESSAGE, level=LEVEL, locations=several(LOCATION, unique=True))
RESULT = closed(
    ["message"],
    ruleId=TEXT,
    ruleIndex={"type": "integer", "minimum": -1},
    level=LEVEL,
    message=MESSAGE,
    locations=several(LOCATION),
    partialFingerprints={"type": "object", "additionalProperties": TEXT},
)
RUN = closed(
    ["tool"],
    tool=closed(["driver"], driver=closed(["name"], name=TEXT, semanticVersion=TEXT, rules=several(RULE, unique=True))),
    columnKind={"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
    originalUriBaseIds={"type": "object", "additionalProperties": closed([], uri={**TEXT, "pattern": "^file://.*/$"})},
    invocations=several(
        closed(
            ["executionSuccessful"], executionSuccessful={"type": "boolean"}, toolExecutionNotifications=several(NOTICE)
        )
    ),
    results=several(RESULT),
)
SCHEMA = closed(["version", "runs"], **{"$schema": TEXT, "version": {"const": "2.1.0"}, "runs": several(RUN)})
"""Of the committee's schema, word for word, the objects that we write: what each must have, and that it may have nothing else."""


@pytest.fixture
def run(tmp_path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(sarif.document(a_tree(tmp_path)))
    jsonschema.validate(document, SCHEMA)
    (run,) = document["runs"]
    return dict(run)


def test_each_finding_is_a_result_of_a_rule_that_is_described(run: dict[str, Any], tmp_path: Path) -> None:
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]

    assert rules == list(RULES)
    assert [rules[one["ruleIndex"]] for one in run["results"]] == [one.rule for one in audit(tmp_path).findings]


def test_places_are_relative_to_the_folder_and_written_as_addresses_are(run: dict[str, Any], tmp_path: Path) -> None:
    places = {one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for one in run["results"]}

    assert "a%20folder/x%20y%23z.py" in places
    assert run["originalUriBaseIds"] == {"AUDITED": {"uri": f"{tmp_path.as_uri()}/"}}


def test_what_was_not_read_is_told(run: dict[str, Any]) -> None:
    (one,) = run["invocations"][0]["toolExecutionNotifications"]

    assert "not read: no Python: line 1" in one["message"]["text"]


def test_a_finding_is_known_again_when_lines_above_it_were_added(tmp_path: Path) -> None:
    def fingerprints() -> set[str]:
        (run,) = json.loads(sarif.document(audit(tmp_path)))["runs"]
        return {one["partialFingerprints"]["watchkeeper/v1"] for one in run["results"]}

    a_tree(tmp_path)
    before = fingerprints()
    (tmp_path / "desk.py").write_text("# new\n\n\n" + (tmp_path / "desk.py").read_text())

    assert fingerprints() == before

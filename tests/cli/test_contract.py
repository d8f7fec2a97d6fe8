"""`run.py contract` knows every command's document, and what commands print is what it says (Lesson 52, its part of order 1)."""

import json
from typing import Any

import jsonschema
import pytest

import run
from tests.cli.answering import desk_that_answers, no, yes
from tests.cli.conftest import Ended, Type
from tests.cli.test_door import COMMANDS

LEADER = {"ready": True, "role": "leader", "instance": "a", "epoch": 3, "version": "0", "ts": "2026-07-14T12:00:00Z"}


def check_document(contract: dict[str, Any], command: str, document: dict[str, Any]) -> None:
    """Raises: jsonschema.ValidationError."""
    schema = {**contract["x-command-line"][command], "components": contract["components"]}
    jsonschema.Draft202012Validator(schema).validate(document)


@pytest.fixture
def contract(type_command: Type) -> dict[str, Any]:
    return type_command("contract").document


def test_it_is_an_asyncapi_3_document_of_this_prefix(type_command: Type) -> None:
    ended = type_command("contract", "--json", WATCHKEEPER_NATS_PREFIX="shadow")

    assert ended.code == 0
    assert ended.document["asyncapi"].startswith("3.")
    assert "shadow.trade.request.open" in json.dumps(ended.document)


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_that_reports_is_in_it(words: list[str]) -> None:
    assert " ".join(words) in run.documents()


def test_what_check_prints_is_what_the_contract_says(contract: dict[str, Any], type_command: Type) -> None:
    check_document(contract, "check", type_command("check", "--json").document)


@pytest.mark.parametrize("verb", ["upgrade", "status", "roles", "create", "downgrade"])
def test_what_db_prints_is_what_the_contract_says(
    verb: str, contract: dict[str, Any], postgres_admin_dsn: str, type_command: Type
) -> None:
    ended = type_command("db", verb, "--json", WATCHKEEPER_POSTGRES_DSN=postgres_admin_dsn)

    check_document(contract, f"db {verb}", ended.document)


def test_what_status_prints_is_what_the_contract_says(
    contract: dict[str, Any], nats_url: str, type_command: Type
) -> None:
    with desk_that_answers(nats_url, {"system.request.status": lambda _: yes(LEADER)}):
        ended = type_command("system", "status", "--json", WATCHKEEPER_NATS_URL=nats_url)

    check_document(contract, "system status", ended.document)


@pytest.mark.parametrize("reply", [yes({"trade_id": "t1"}), no("not_found", "no such trade")])
def test_a_printed_reply_is_what_the_contract_says(
    reply: dict[str, Any], contract: dict[str, Any], nats_url: str, type_command: Type
) -> None:
    with desk_that_answers(nats_url, {"trade.request.get": lambda _: reply}):
        ended = type_command("trade", "show", "t1", "--json", WATCHKEEPER_NATS_URL=nats_url)

    check_document(contract, "trade show", ended.document)


def test_a_document_of_another_shape_is_found(contract: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        check_document(contract, "check", Ended(0, '{"ok": "yes"}', "").document)

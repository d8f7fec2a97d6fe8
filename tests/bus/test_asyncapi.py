"""The contract document, and what really goes over the wire, held against each other."""

import json
import re
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from bus.asyncapi import document
from bus.messages.addresses import escape
from bus.messages.envelope import Message
from bus.messages.plain import from_json, to_json
from bus.messages.system import Reply
from bus.subjects import ROUTES, Direction, Route
from tests.bus.builders import a_peer, a_wire
from tests.bus.examples import BY_TYPE, EXAMPLES, TRADE

DOCUMENT = json.loads(
    json.dumps(document("1.2.3", command_line={"trade show": TRADE.__class__, "demo": {"type": "object"}}))
)
SAID = [route for route in ROUTES if route.direction is Direction.SAID]


def refs(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"]
        for value in node.values():
            yield from refs(value)
    elif isinstance(node, list):
        for value in node:
            yield from refs(value)


def resolve(reference: str) -> Any:  # any part of a document
    node: Any = DOCUMENT
    for key in reference.removeprefix("#/").split("/"):
        node = node[key.replace("~1", "/").replace("~0", "~")]
    return node


def validator(name: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(
        {"$ref": f"#/components/schemas/{name}", "components": DOCUMENT["components"]}
    )


def subject_of(route: Route, message: Message) -> str:
    tokens = []
    for token in route.tokens:
        value = getattr(message, token[1:-1], "paper") if token.startswith("<") else token
        tokens.append(escape(str(value)) if token.startswith("<") else token)
    return ".".join(tokens)


def test_it_has_what_asyncapi_3_requires() -> None:
    assert re.fullmatch(r"3\.\d+\.\d+", DOCUMENT["asyncapi"])
    assert DOCUMENT["info"].keys() >= {"title", "version"}
    assert all("address" in channel and channel["messages"] for channel in DOCUMENT["channels"].values())
    assert all(op["action"] in {"send", "receive"} and "channel" in op for op in DOCUMENT["operations"].values())
    assert all(re.fullmatch(r"[A-Za-z0-9_.-]+", name) for kind in DOCUMENT["components"].values() for name in kind)


def test_every_reference_leads_somewhere() -> None:
    for reference in refs(DOCUMENT):
        assert resolve(reference) is not None


def test_an_operations_messages_are_those_of_its_channel() -> None:
    for operation in DOCUMENT["operations"].values():
        for one, channel in [(operation, operation["channel"])] + (
            [(operation["reply"], operation["reply"]["channel"])] if "reply" in operation else []
        ):
            assert all(message["$ref"].startswith(channel["$ref"] + "/messages/") for message in one["messages"])


def test_a_channels_parameters_are_those_of_its_address() -> None:
    for channel in DOCUMENT["channels"].values():
        assert set(re.findall(r"{(\w+)}", channel["address"] or "")) == set(channel.get("parameters", {}))


def test_every_schema_is_a_json_schema() -> None:
    for schema in DOCUMENT["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


def test_every_subject_of_the_table_is_in_the_document() -> None:
    """Lesson 52"""
    addresses = {channel["address"] for channel in DOCUMENT["channels"].values()}

    assert {route.pattern.replace("<", "{").replace(">", "}") for route in ROUTES} <= addresses


def test_every_command_lines_document_is_in_it() -> None:
    assert {resolve(ref["$ref"])["type"] for ref in DOCUMENT["x-command-line"].values()} == {"object"}


def test_every_message_has_an_example() -> None:
    wanted = {route.message for route in ROUTES} | {route.reply for route in ROUTES if route.reply}

    assert wanted <= set(BY_TYPE)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: type(example).__name__)
def test_a_real_payload_keeps_its_schema(example: Message) -> None:
    validator(type(example).__name__).validate(json.loads(to_json(example)))


@pytest.mark.parametrize(
    "example", [one for one in EXAMPLES if not isinstance(one, Reply)], ids=lambda example: type(example).__name__
)
def test_a_message_reads_back_as_it_was_written(example: Message) -> None:
    """Lesson 43, Lesson 57"""
    assert from_json(type(example), to_json(example)) == example


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("Quote", {"yes_bid": "NaN"}),
        ("Quote", {"yes_bid": "-0.1"}),
        ("Quote", {"yes_bid": " 1"}),
        ("Quote", {"ts": "2025-07-16T17:00:00"}),
        ("OrderReport", {"status": "mostly_filled"}),
        ("TradeOpen", {"side": "maybe"}),
        ("TradeOpen", {"trade_id": "a b"}),
    ],
)
def test_the_schema_refuses_what_the_codec_refuses(name: str, change: dict[str, Any]) -> None:
    example = next(one for one in EXAMPLES if type(one).__name__ == name)

    payload = json.loads(to_json(example)) | change

    assert not validator(name).is_valid(payload)


def test_a_prefix_stands_before_every_address() -> None:
    channels = document("1", prefix="blue")["channels"].values()

    assert all(channel["address"] is None or channel["address"].startswith("blue.") for channel in channels)


def test_everything_we_publish_lands_in_its_stream_and_keeps_its_schema(nats_url: str) -> None:
    """Lesson 52: every subject that Watchkeeper publishes, on a real server."""
    with a_wire(nats_url), a_peer(nats_url) as peer:
        for route in (route for route in SAID if route.stream and route.pattern != "order.epoch"):
            message = BY_TYPE[route.message]
            subject = subject_of(route, message)

            sequence = peer.store(subject, to_json(message))

            stored = peer.stored(route.stream or "")[sequence - 1]
            assert stored.subject == subject
            validator(route.message.__name__).validate(json.loads(stored.data))

"""The contract as an AsyncAPI 3 document, made from the table of subjects and the structs: it cannot say anything else.

Channels are the subjects, operations are ours: `receive` what others say or ask, `send` what we say or ask. Money and instants
are strings with patterns; a JSON number is accepted where a number is meant. Each `--json` document of the command line stands
among the schemas as well, under `x-command-line`.
"""

import inspect as source
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from bus.messages import units
from bus.messages.envelope import Message
from bus.messages.system import Reply
from bus.subjects import ROUTES, Direction, Route

ASYNCAPI: Final = "3.0.0"
NUMBER: Final = r"^-?[0-9]{1,18}(\.[0-9]{1,12})?$"
POSITIVE: Final = r"^[0-9]{1,18}(\.[0-9]{1,12})?$"
INSTANT: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|\+00:00)$"

_SCHEMA: Final = "#/components/schemas/{name}"
_HEADERS: Final = {
    "type": "object",
    "properties": {
        "Nats-Msg-Id": {"type": "string", "description": "The same again is the same message."},
        "Wk-Schema": {"type": "string"},
        "Wk-Cause": {"type": "string", "description": "What led to this message."},
        "Wk-Correlation": {"type": "string"},
    },
}


def document(
    version: str, *, prefix: str = "", command_line: Mapping[str, type | Mapping[str, Any]] | None = None
) -> dict[str, Any]:
    """Return the whole document as plain data. command_line: by command, the shape of its `--json` (struct or JSON schema)."""
    shapes = command_line or {}
    schemas = _schemas([shape for shape in shapes.values() if isinstance(shape, type)])
    return {
        "asyncapi": ASYNCAPI,
        "info": {
            "title": "Watchkeeper",
            "version": version,
            "description": "What is said to Watchkeeper over NATS, and by it."
            + (f" Every subject begins with `{prefix}.` here." if prefix else ""),
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {
            **{_channel_id(route): _channel(route, prefix) for route in ROUTES},
            "inbox": {
                "address": None,
                "description": "Where an asker wants its answer: the reply subject of its request.",
                "messages": {name: _ref("messages", name) for name in sorted(_answers())},
            },
        },
        "operations": {_operation_id(route): _operation(route) for route in ROUTES},
        "components": {
            "messages": {
                **{route.message.__name__: _message(route.message) for route in ROUTES},
                **{name: _answer_message(name, *kinds) for name, kinds in _answers().items()},
            },
            "schemas": schemas | {_shape_name(command): dict(shape) for command, shape in _plain(shapes).items()},
        },
        "x-command-line": {
            command: _ref("schemas", shape.__name__ if isinstance(shape, type) else _shape_name(command))
            for command, shape in shapes.items()
        },
    }


def _ref(kind: str, name: str) -> dict[str, str]:
    return {"$ref": f"#/components/{kind}/{name}"}


def _channel_id(route: Route) -> str:
    return "_".join(token.strip("<>") for token in route.tokens)


def _operation_id(route: Route) -> str:
    verb = {Direction.HEARD: "hear", Direction.ASKED: "answer", Direction.SAID: "say", Direction.ASKS: "ask"}
    return f"{verb[route.direction]}_{_channel_id(route)}"


def _channel(route: Route, prefix: str) -> dict[str, Any]:
    address = route.pattern.replace("<", "{").replace(">", "}")
    names = [token[1:-1] for token in route.tokens if token.startswith("<")]
    kept = f"Kept in the stream {route.stream}." if route.stream else "Not stored."
    channel: dict[str, Any] = {
        "address": f"{prefix}.{address}" if prefix else address,
        "description": f"{route.doc} {kept}",
        "messages": {route.message.__name__: _ref("messages", route.message.__name__)},
    }
    if names:
        agree = "agrees with the payload" if route.fields.issuperset(names) else "names the receiver"
        channel["parameters"] = {
            name: {"description": f"One token, `.`, `*`, `>`, `%` and white space percent-encoded; {agree}."}
            for name in names
        }
    return channel


def _operation(route: Route) -> dict[str, Any]:
    is_ours = route.direction in (Direction.SAID, Direction.ASKS)
    channel = _channel_id(route)
    operation: dict[str, Any] = {
        "action": "send" if is_ours else "receive",
        "channel": {"$ref": f"#/channels/{channel}"},
        "summary": route.doc,
        "messages": [{"$ref": f"#/channels/{channel}/messages/{route.message.__name__}"}],
    }
    if route.reply is not None:
        operation["reply"] = {
            "address": {"location": "$message.header#/reply"},
            "channel": {"$ref": "#/channels/inbox"},
            "messages": [{"$ref": f"#/channels/inbox/messages/{_answer_name(route)}"}],
        }
    return operation


def _answer_name(route: Route) -> str:
    assert route.reply is not None
    return f"{route.result.__name__}{route.reply.__name__}" if route.result else route.reply.__name__


def _answers() -> dict[str, tuple[type[Message], type[Message] | None]]:
    return {_answer_name(route): (route.reply, route.result) for route in ROUTES if route.reply is not None}


def _message(kind: type[Message]) -> dict[str, Any]:
    return {
        "name": kind.__name__,
        "summary": _first_line(kind),
        "headers": _HEADERS,
        "payload": _ref("schemas", kind.__name__),
    }


def _answer_message(name: str, reply: type[Message], result: type[Message] | None) -> dict[str, Any]:
    payload: dict[str, Any] = _ref("schemas", reply.__name__)
    if result is not None:
        brings = {"properties": {"result": {"anyOf": [_ref("schemas", result.__name__), {"type": "null"}]}}}
        payload = {"allOf": [payload, brings]}
    return {"name": name, "summary": _first_line(result or reply), "payload": payload}


def _first_line(kind: type) -> str:
    return (source.getdoc(kind) or kind.__name__).partition("\n")[0]


def _schemas(more: list[type]) -> dict[str, Any]:
    kinds = {route.message for route in ROUTES} | {Reply}
    kinds |= {route.reply for route in ROUTES if route.reply} | {route.result for route in ROUTES if route.result}
    ordered = sorted({*kinds, *more}, key=lambda kind: kind.__name__)
    _, found = msgspec.json.schema_components(ordered, schema_hook=_hook, ref_template=_SCHEMA)
    for schema in found.values():
        if "description" in schema:
            schema["description"] = source.cleandoc(schema["description"])
    return dict(found)


def _hook(kind: type) -> dict[str, Any]:
    """Return the schema of what msgspec does not know: money, numbers, instants, a setting's value."""
    if kind is units.UtcNs:
        return {"type": "string", "pattern": INSTANT, "description": "RFC 3339 in UTC, up to microseconds."}
    if kind is units.SettingValue:  # type: ignore[comparison-overlap]  # as above
        return {"type": ["string", "number", "boolean"], "description": "An exact number, a word or a switch."}
    is_positive = getattr(kind, "minimum", None) is not None
    number: dict[str, Any] = {"type": "number"} | ({"minimum": 0} if is_positive else {})
    return {
        "anyOf": [{"type": "string", "pattern": POSITIVE if is_positive else NUMBER}, number],
        "description": source.getdoc(kind) or "",
    }


def _shape_name(command: str) -> str:
    return "".join(word.capitalize() for word in command.replace("-", " ").split()) + "Document"


def _plain(shapes: Mapping[str, type | Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    return {command: shape for command, shape in shapes.items() if not isinstance(shape, type)}

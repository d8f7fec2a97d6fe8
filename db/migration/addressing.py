"""Whom an HTTP call reaches: the service whose name or port stands in its address, or the host outside."""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from db.migration.calling import service_of
from db.migration.project import Project
from db.migration.syntax import Scope

_HOST: Final = re.compile(r"^\w+://([^/:\s]*)(?::(\d+))?")
_PATH: Final = re.compile(r"^(?:\w+://[^/]*|\{(?:[^{}]|\{[^{}]*\})*\}|[^/]*)(/[^?#\s]*)?")
_HERE: Final = frozenset({"localhost", "127.0.0.1", "0.0.0.0", "::1", ""})  # noqa: S104  # to recognise it, not to listen there
_DEEP: Final = 4
"""A name of a name of a name: what stands farther off says little of this one call."""


@dataclass(frozen=True)
class Known:
    """The services that are there. ports: a port that is one service's alone, and whose."""

    names: frozenset[str]
    ports: Mapping[int, str] = field(default_factory=dict)

    def in_text(self, text: str) -> str | None:
        """Return the service that a text names: itself, or its port (`desk_port`)."""
        for one in (text, service_of(text), text.replace("-", "_")):
            if one in self.names:
                return one
        return None

    def of_address(self, url: str) -> str | None:
        """Return the service or host that an address tells by itself, or None."""
        match = _HOST.match(url)
        if match is None:
            return None
        host, port = match[1], int(match[2] or 0)
        if host in _HERE or host.startswith(("$", "{")):
            return self.ports.get(port)
        return self.in_text(host.partition(".")[0]) or (None if "{" in host or "$" in host else host)


def route(url: str) -> str:
    """Return the path of an address, `/` where it has none."""
    match = _PATH.match(url)
    return (match[1] if match else None) or "/"


def reached(url: ast.expr, scope: Scope, known: Known, project: Project) -> str | None:
    """Return the service or host of an address, by whatever stands nearest to the call."""
    machine = None
    for text in _told(url, scope, project):
        found = known.of_address(text) or known.in_text(text)
        if found in known.names or (found and "." in found):
            return found
        machine = machine or found
    return machine


def _told(url: ast.expr, scope: Scope, project: Project) -> Iterator[str]:
    """Yield the texts that take part in making an address: first those in the call, then those behind its names, and so on."""
    level: list[tuple[ast.AST, Scope]] = [(url, scope)]
    for _ in range(_DEEP):
        following: list[tuple[ast.AST, Scope]] = []
        names: list[str] = []
        for expression, around in level:
            for node in ast.walk(expression):
                match node:
                    case ast.Constant(value=str() as text):
                        yield text
                    case ast.Name(id=name):
                        names.append(name)
                        following += [one for one in project.values(name, around) if one[0] is not expression]
                    case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=name) if around.owner:
                        names.append(name)
                        following += [(one, around.owner) for one in around.owner.assigned.get(f"self.{name}", [])]
                    case ast.Call() if not node.args and (function := project.function(node, around)):
                        following += [(one, function) for one in function.returned()]
                    case _:
                        pass
        yield from names
        level = following

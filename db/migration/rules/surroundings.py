"""What programs expect around them: variables, ports, other programs, paths; and secrets that stand where everybody reads them."""

import ast
import re
from collections.abc import Iterator, Mapping
from typing import Final

from db.migration.reading import Reading
from db.migration.rules.finding import found, found_at
from db.migration.syntax import Scope
from db.migration.texts import ADDRESS
from db.migration.words import Finding, Inventory, Variable

USUAL: Final = frozenset(
    {"HOME", "PATH", "USER", "LOGNAME", "SHELL", "PWD", "LANG", "LC_ALL", "TZ", "TMPDIR", "TEMP", "TMP", "TERM", "HOSTNAME", "PYTHONPATH",
     "VIRTUAL_ENV", "EDITOR", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR"}
)  # fmt: skip
"""What a machine sets for everybody."""
_NAMES: Final = re.compile(r"(passwo?r?d|passwd|secret|token|api_?key|private_?key|access_?key)s?$", re.IGNORECASE)
_PRETENDED: Final = re.compile(r"your|xxx|change|example|placeholder|dummy|fake|test|\.\.\.|[\s<>{}$/]", re.IGNORECASE)
_KEY: Final = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----\s*\S")


def findings(reading: Reading, inventory: Inventory, files: Mapping[str, str]) -> Iterator[Finding]:
    """Yield what is wrong with the surroundings. files: each file that was read, and its kind."""
    yield from _not_passed(reading, inventory, files)
    yield from _set_twice(inventory, files)
    yield from _ports(inventory)
    yield from _missing(inventory, files)
    yield from _absolute(inventory, files)
    yield from _secrets(reading)
    for one in inventory.variables:
        if one.set_for and one.value == "***":
            yield found("secret-in-source", one, f"{one.name} has its value in the configuration", subject=one.name)


def _not_passed(reading: Reading, inventory: Inventory, files: Mapping[str, str]) -> Iterator[Finding]:
    if "supervisor" not in files.values():
        return
    passed = {
        one.name
        for one in inventory.variables
        if one.action == "sets" and files.get(one.file) in ("supervisor", "python")
    }
    loaded = {one.name for one in inventory.variables if one.action == "sets" and files.get(one.file) == "env"}
    loads = any(origin.startswith("dotenv") for scope in reading.project.scopes() for origin in scope.imports.values())
    told: set[tuple[str, str]] = set()
    for one in inventory.variables:
        known = one.name in passed or one.name in USUAL or (loads and one.name in loaded)
        if one.action != "uses" or files.get(one.file) != "python" or known or (one.file, one.name) in told:
            continue
        told.add((one.file, one.name))
        said = f"{one.name} is passed to no program" + (", so its default holds" if one.default else "")
        said += "; it stands in a file of variables, which nobody loads" if one.name in loaded else ""
        yield found("variable-not-passed", one, said, subject=one.name, severity="medium" if one.default else "high")


def _set_twice(inventory: Inventory, files: Mapping[str, str]) -> Iterator[Finding]:
    by_name: dict[str, list[Variable]] = {}
    for one in inventory.variables:
        if one.action == "sets" and one.value is not None and one.name not in USUAL and files.get(one.file) != "python":
            by_name.setdefault(one.name, []).append(one)
    for name, places in by_name.items():
        if len({one.value for one in places}) > 1:
            told = "; ".join(f"{one.value} in {one.file}:{one.line}" for one in places)
            yield found("variable-set-twice", places[-1], f"{name} is {told}", subject=name)


def _ports(inventory: Inventory) -> Iterator[Finding]:
    by_service: dict[str, dict[int, str]] = {}
    for one in inventory.ports:
        if one.service:
            by_service.setdefault(one.service, {}).setdefault(one.port, f"{one.file}:{one.line}")
    told: set[tuple[str, int, str]] = set()
    for one in inventory.ports:
        known = by_service.get(one.service or "", {})
        if len(known) > 1 and (one.service or "", one.port, one.file) not in told:
            told.add((one.service or "", one.port, one.file))
            others = ", ".join(f"{port} in {where}" for port, where in known.items() if port != one.port)
            yield found(
                "ports-disagree", one, f"{one.service} has port {one.port} here and {others}", subject=one.service or ""
            )


def _missing(inventory: Inventory, files: Mapping[str, str]) -> Iterator[Finding]:
    for one in inventory.paths:
        wanted = re.sub(r"%\([^)]*\)s/?", "", one.path).removeprefix("./").lstrip("/")
        there = any(
            file == wanted or file.endswith(f"/{wanted}") or f"/{wanted}".endswith(f"/{file}") for file in files
        )
        if one.kind == "program" and not there:
            yield found(
                "program-missing", one, f"{one.function} starts {one.path}, which is not here", subject=one.path
            )


def _absolute(inventory: Inventory, files: Mapping[str, str]) -> Iterator[Finding]:
    for one in inventory.paths:
        if files.get(one.file) == "python" and (one.kind == "absolute" or one.path.startswith(("/", "~"))):
            yield found("absolute-path", one, f"{one.path} is one machine's", subject=one.path)


def _secrets(reading: Reading) -> Iterator[Finding]:
    for node, scope in reading.nodes(ast.Assign, ast.keyword, ast.Dict, ast.Constant):
        match node:
            case ast.Assign(targets=[ast.Name(id=name) | ast.Attribute(attr=name)], value=value):
                yield from _secret(name, value, scope)
            case ast.keyword(arg=str() as name, value=value):
                yield from _secret(name, value, scope)
            case ast.Dict(keys=keys, values=values):
                for key, value in zip(keys, values, strict=True):
                    if isinstance(key, ast.Constant) and isinstance(key.value, str):
                        yield from _secret(key.value, value, scope)
            case ast.Constant(value=str() as text) if ADDRESS.search(text) or _KEY.search(text):
                yield found_at(
                    "secret-in-source", node, scope, "an address with its password, or a private key", subject="address"
                )
            case _:
                pass


def _secret(name: str, value: ast.expr, scope: Scope) -> Iterator[Finding]:
    if _NAMES.search(name) and (text := secret_value(value)):
        yield found_at("secret-in-source", value, scope, f"{name} has its value here", subject=f"{name} {len(text)}")


def secret_value(value: ast.expr) -> str | None:
    """Return a text that may be a real secret, or None: names of variables and examples are none."""
    text = value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else ""
    if len(text) < 6 or _PRETENDED.search(text) or re.fullmatch(r"[A-Z][A-Z_]+|[a-z]+(_[a-z]+)+", text) is not None:
        return None
    return text

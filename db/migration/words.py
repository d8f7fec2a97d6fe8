"""What an audit says: an inventory of what touches a database, and what breaks when it moves."""

from typing import Literal

import msgspec

Severity = Literal["high", "medium", "low"]


class Placed(msgspec.Struct, frozen=True, kw_only=True):
    """Something found in a file.

    file: relative to the audited folder, parts divided by `/`. line: from 1. function: qualified name, empty outside of functions.
    """

    file: str
    line: int
    function: str = ""


class Connection(Placed, frozen=True, kw_only=True):
    """A place where a connection is opened.

    how: `direct` as the library's own name, `aliased` under another one, `helper` through a function of the audited code, which
    `through` names. target: path or address as far as it can be told from source; what cannot stands as `{expression}`.
    """

    library: str
    how: Literal["direct", "aliased", "helper", "shell"]
    through: str | None = None
    target: str | None = None


class Statement(Placed, frozen=True, kw_only=True):
    """One SQL statement. sql: what cannot be told from source stands as `{expression}`.

    executed: whether it is given to a cursor or connection here; others are texts that read as SQL.
    placeholders: None where the statement is not whole in the source. parameters: how many are given, None where it cannot be told.
    postgres: as sqlglot translates it, None where it cannot.
    """

    operation: str
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    placeholders: int | None = None
    parameters: int | None = None
    executed: bool = True
    formatted: bool = False
    sql: str
    postgres: str | None = None


class Variable(Placed, frozen=True, kw_only=True):
    """An environment variable that is used or set. set_for: the supervisor's program. value: masked where it may be a secret."""

    name: str
    action: Literal["uses", "sets"]
    default: bool = False
    value: str | None = None
    set_for: str | None = None


class Port(Placed, frozen=True, kw_only=True):
    """A port number. service: whose, as far as a name stands beside it."""

    port: int
    service: str | None = None


class PathUse(Placed, frozen=True, kw_only=True):
    """A path that is written in the source, as far as it can be told from there."""

    path: str
    kind: Literal["database", "log", "program", "absolute"]


class HttpCall(Placed, frozen=True, kw_only=True):
    """A call of an HTTP service. url: None where nothing of it can be told."""

    method: str
    url: str | None
    timeout: bool


class Loop(Placed, frozen=True, kw_only=True):
    """A loop that sleeps between its rounds. does: what each round calls, each once, in order."""

    interval: str | None
    does: tuple[str, ...]


class Finding(Placed, frozen=True, kw_only=True):
    """Something that breaks, or hides a break, when the database moves.

    rule: stable, `run.py migrate audit --help` lists them. subject: what it is about, where a line has several. code: the lines
    around, from line `code_from` on, secrets masked. rewritten: the code or SQL as it may stand instead, where it can be given.
    """

    rule: str
    severity: Severity
    explanation: str
    subject: str = ""
    rewritten: str | None = None
    code_from: int = 0
    code: tuple[str, ...] = ()


class MatrixCell(msgspec.Struct, frozen=True, kw_only=True):
    """What one file does to one table: `r`, `w` or `rw`."""

    file: str
    table: str
    access: Literal["r", "w", "rw"]


class Unread(msgspec.Struct, frozen=True, kw_only=True):
    """A file or folder of which not everything was read, and why."""

    file: str
    reason: str


class Inventory(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that was found, in the order of files and lines."""

    connections: tuple[Connection, ...] = ()
    statements: tuple[Statement, ...] = ()
    variables: tuple[Variable, ...] = ()
    ports: tuple[Port, ...] = ()
    paths: tuple[PathUse, ...] = ()
    http_calls: tuple[HttpCall, ...] = ()
    loops: tuple[Loop, ...] = ()


class Audit(Inventory, frozen=True, kw_only=True):
    """One audit of one folder. known: findings left out, because a baseline has them."""

    root: str
    files: dict[str, int]
    lines: int
    matrix: tuple[MatrixCell, ...]
    findings: tuple[Finding, ...]
    known: int = 0
    unread: tuple[Unread, ...]

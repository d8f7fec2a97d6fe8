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
    """A path that is written in the source, as far as it can be told from there. options: each, where it may be one of several."""

    path: str
    kind: Literal["database", "log", "program", "absolute"]
    options: tuple[str, ...] = ()


class HttpCall(Placed, frozen=True, kw_only=True):
    """A call of an HTTP service. url: None where nothing of it can be told. to: a service of the audited code, or else a host."""

    method: str
    url: str | None
    timeout: bool
    to: str | None = None


class Attachment(Placed, frozen=True, kw_only=True):
    """An ATTACH: tables of the file `target` are used as `name.table` beside those of the connection's own file."""

    target: str
    name: str


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """A program of a supervisor's configuration, or somebody who has a port. program: the file that it runs, files: with all that this imports."""

    name: str
    program: str | None = None
    ports: tuple[int, ...] = ()
    files: tuple[str, ...] = ()


class Place(Placed, frozen=True, kw_only=True):
    """Where something stands. said: in a few words, what does."""

    said: str


class Edge(msgspec.Struct, frozen=True, kw_only=True):
    """One service calls another one. caller: a service, or a file that is no service's. callee: a service or a host. calls: where, and which route."""

    caller: str
    callee: str
    calls: tuple[Place, ...]


class Database(msgspec.Struct, frozen=True, kw_only=True):
    """One file of SQLite. path: from the audited folder on, as far as it can be told. spelled: each way in which it is written.

    copies: other files that may be the same database: of one name in several folders, or alike on the disk. there: whether the file is
    below the audited folder; tables: what it has then.
    """

    path: str
    spelled: tuple[str, ...] = ()
    places: tuple[Place, ...] = ()
    copies: tuple[str, ...] = ()
    there: bool = False
    tables: tuple[str, ...] = ()


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
    attachments: tuple[Attachment, ...] = ()


class Audit(Inventory, frozen=True, kw_only=True):
    """One audit of one folder. known: findings left out, because a baseline has them.

    calls: the graph of the HTTP calls between services; cycles: each way round in it, beginning with its first name.
    """

    root: str
    files: dict[str, int]
    lines: int
    matrix: tuple[MatrixCell, ...]
    databases: tuple[Database, ...] = ()
    services: tuple[Service, ...] = ()
    calls: tuple[Edge, ...] = ()
    cycles: tuple[tuple[str, ...], ...] = ()
    findings: tuple[Finding, ...] = ()
    known: int = 0
    unread: tuple[Unread, ...] = ()

"""Every rule: its stable id, how much it matters, and why. What was found in one place is said by the rule itself."""

from typing import Final

from db.migration.words import Severity

RULES: Final[dict[str, tuple[Severity, str]]] = {
    "direct-sqlite": ("high", "a program that opens an SQLite file itself is not moved by moving the data: it goes on with its own file"),
    "generator-as-connection": ("high", "a generator that is called gives a generator, no connection; the first use of it fails"),
    "connection-not-closed": ("medium", "a server has few connections; one that is left open by each error ends in none for anybody"),
    "connection-across-threads": ("medium", "two threads on one connection share one transaction: one commits what the other has half done"),
    "write-not-committed": ("high", "a connection that is closed without a commit takes back what it wrote"),
    "commit-in-loop": ("low", "each row is a transaction of its own: slow on a server, and half of them stand when one fails"),
    "cursor-reused": ("high", "a second statement on a cursor ends the first one's rows"),
    "connection-as-cursor": ("high", "rows are a cursor's to give: a connection has no such method, and this line fails whenever it runs"),
    "transaction-left-open": ("medium", "on PostgreSQL a query begins a transaction; one that is never ended holds back VACUUM and sees old rows in other levels"),
    "pool-exhausted": ("medium", "a server gives out few connections: whoever holds one while it waits for another can wait for ever"),
    "placeholders": ("medium", "psycopg takes %s and %(name)s; ? and :name are errors of syntax"),
    "sql-formatted": ("high", "SQL that is put together from values cannot be translated or prepared, and takes commands from its data"),
    "sqlite-only-sql": ("medium", "PostgreSQL refuses it or understands something else"),
    "sqlite-only-api": ("medium", "drivers of PostgreSQL do not have it or mean something else by it"),
    "like-collation": ("medium", "SQLite's LIKE knows no capitals and its order is that of bytes; PostgreSQL's LIKE knows them and its order is the locale's"),
    "type-affinity": ("medium", "SQLite keeps what it is given and compares as it comes; PostgreSQL has types, and refuses or means something else"),
    "group-by-lax": ("high", "PostgreSQL refuses a column that is neither grouped nor in an aggregate; SQLite takes it from some row"),
    "column-missing": ("high", "on a new database this fails: the table was once made otherwise"),
    "columns-mismatch": ("high", "the numbers of columns, values and parameters do not agree: it fails each time that it runs"),
    "database-copies": ("high", "whoever opens another copy goes on with other rows, and the move takes one of them"),
    "service-cycle": ("high", "each waits for the answer of the next: one that is slow makes all of them stand still"),
    "route-missing": ("high", "whoever asks for it gets a 404 each time, and mostly goes on as if that were an answer"),
    "polling-loop": ("medium", "each round asks whether something changed; on a server that is load from every process, and a change is seen late"),
    "logging-in-loop": ("low", "each round writes a line, whether anything happened or not: the log grows for ever and hides what matters"),
    "blocking-in-async": ("medium", "while it waits, nothing else in this event loop runs"),
    "variable-not-passed": ("high", "supervisor passes on what its configuration says; an address of a database that is not in it does not arrive"),
    "variable-set-twice": ("medium", "which value holds depends on who starts the program"),
    "ports-disagree": ("high", "one service has several ports written down: some who call it reach nobody, or somebody else"),
    "program-missing": ("high", "supervisor starts a program that is not there"),
    "secret-in-source": ("high", "whoever has the source has the secret; it cannot be changed without a release"),
    "absolute-path": ("low", "it exists on one machine; after a move two programs may mean two files by it"),
    "http-without-timeout": ("medium", "a service that does not answer stops its caller, too, for ever"),
    "swallowed-exception": ("medium", "whatever goes wrong here is never known: a failed write looks like a done one"),
}  # fmt: skip

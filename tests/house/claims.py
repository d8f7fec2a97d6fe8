"""What Watchkeeper must prove: each lesson, fault, kill point and invariant by its short title, and the order that brings it.

The titles are our own short words for the catalogues that the project began with; the orders are the order of work.
"""

from typing import Final

LESSONS: Final[dict[int, str]] = {
    1: "time to close from the venue's close time, at every hour",
    2: "guards are typed and named: age is not time to close",
    3: "15-minute, daily and hourly markets give the right time to close",
    4: "only a durable closing state with an accepted order ends a stop attempt",
    5: "after kill -9 a stop still fires exactly once",
    6: "a decision names its inputs, the newest seen",
    7: "thresholds have units, and are known to be reachable",
    8: "one decoder at the database boundary, the same suite on both back ends",
    9: "one schema of settings: unknown keys refused, nothing silently off",
    10: "a lost input raises unprotected and follows the fail-safe",
    11: "staleness by the source's timestamp and by a frozen value",
    12: "a probability is of that very ticker, else unknown",
    13: "a dead watcher is found and rebuilt",
    14: "tickers of open trades are pinned",
    15: "one exception never strands a trade",
    16: "who is watched is derived from the ledger, not from a hint",
    17: "health is a round trip through the actor",
    18: "health logic never disarms a stop or changes a person's settings",
    19: "glitches fire no stop; a true stop is delayed by at most k ticks",
    20: "entry gates never hold back a reduce-only order",
    21: "ids are unique, by constraint",
    22: "every write is keyed by trade id and expected version",
    23: "the intent is recorded before the order is sent",
    24: "deterministic order ids; a timeout is unknown and looked up",
    25: "any order, loss or duplication of fills, positions and reports ends closed",
    26: "average price, fees and remainder from the trade's own fills",
    27: "every branch of confirmation is covered",
    28: "a trade that closes at close time goes to expiry",
    29: "missing fees and prices are no crash",
    30: "a late fill is booked and watched again",
    31: "one owner for each trade; work is bounded",
    32: "closed lists of states; the unknown is quarantined",
    33: "taking a trade on twice has one effect",
    34: "only trades whose own market has closed expire",
    35: "settlement is an event and a timer, it never blocks",
    36: "each trade has its own settled PnL; sums agree with the venue",
    37: "closed trades are immutable",
    38: "nothing is deleted",
    39: "three formats of instants are parsed",
    40: "the outcome is the venue's result",
    41: "a fresh install works; one bad row does not abort a batch",
    42: "a cursor moves only after its message is out",
    43: "units are typed where they are decoded",
    44: "lists are paged to the end",
    45: "quantities are decimals end to end",
    46: "a glitch of the balance halts nothing",
    47: "no cycle of questions between actors",
    48: "the log's rate is bounded",
    49: "one owner of connections; no leak",
    50: "the pool survives exhaustion, broken connections and restarts",
    51: "a verification fails on each kind of difference",
    52: "every published endpoint has a contract test",
    53: "natural keys are unique; one DSN",
    54: "a reply carries its error; statements and parameters agree",
    55: "ready means an end-to-end probe",
    56: "a restart budget that survives restarts",
    57: "settings survive the round trip",
    58: "versioned compare-and-set",
    59: "the settings' version is stored on the trade",
    60: "an unknown mode places no order",
    61: "one database owner; deadlocks are tried again",
    62: "two trades on one ticker keep their own size and price",
    63: "exact money; one transaction for each transition",
    64: "thresholds are decimals; one scale",
    65: "an unknown service name is an error",
    66: "the configuration in force is shown and proven",
}

FAULTS: Final[dict[int, str]] = {
    1: "kill -9 before the commit", 2: "commit unknown", 3: "acknowledgement lost", 4: "kill -9 around the outbox",
    5: "kill -9 between trigger and intent", 6: "kill -9 around the venue's request", 7: "kill -9 around the fills",
    8: "kill -9 during recovery", 9: "NATS killed and restarted", 10: "NATS hung", 11: "exception in a callback",
    12: "client closed by the server", 13: "stream recreated", 14: "stream deleted or drifted", 15: "NATS disk full",
    16: "PostgreSQL restart", 17: "PostgreSQL failover", 18: "PostgreSQL disk full or read-only", 19: "network cut",
    20: "deadlock, serialization, lock wait", 21: "error swallowed in a transaction", 22: "pool exhausted",
    23: "poison message", 24: "duplicate x1,000", 25: "same id, different body", 26: "reorder", 27: "gap in fills",
    28: "late fill", 29: "partial fills, overfill", 30: "stale tick", 31: "impossible timestamp", 32: "one feed dead",
    33: "tick out of order, backlog", 34: "NaN, infinities, foreign digits", 35: "price as float", 36: "hostile JSON",
    37: "unknown schema version, extra field", 38: "wall clock jumps", 39: "slow consumer", 40: "mailbox flood",
    41: "actor raises", 42: "actor stuck", 43: "ask cycle", 44: "timed-out ask retried", 45: "two instances",
    46: "lease lost, process paused", 47: "supervisord killed", 48: "stop during commit", 49: "dependencies down at boot",
    50: "secret with odd characters", 51: "log disk full, pipe blocked", 52: "venue timeout, 5xx, garbage",
    53: "venue position differs at start", 54: "empty venue reply", 55: "manual close at the venue",
    56: "two close reasons in one tick", 57: "fat finger", 58: "replay while live", 59: "SQLite busy or changing",
    60: "SQLite corrupt or odd values", 61: "kill -9 in the migration", 62: "drift seeded", 63: "forged message",
    64: "hostile web client",
}  # fmt: skip

KILL_POINTS: Final[dict[int, str]] = {
    1: "received", 2: "BEGIN", 3: "inbox insert", 4: "state and outbox", 5: "COMMIT sent", 6: "COMMIT answered",
    7: "ack sent", 8: "ack confirmed", 9: "row read", 10: "publish sent", 11: "PubAck", 12: "marked",
    13: "trigger seen", 14: "intent committed", 15: "SENDING committed", 16: "venue request written", 17: "venue replied",
    18: "reply committed", 19: "fill committed", 20: "closed committed",
}  # fmt: skip

SAFETY: Final[dict[int, str]] = {
    1: "sum of fills = position", 2: "closed <= opened, one live close", 3: "every acknowledged input has its row",
    4: "no change without a cause; the chain unbroken", 5: "order ids one to one, durable first",
    6: "no order from another epoch", 7: "no decision on an old tick", 8: "unknown never becomes flat without evidence",
    9: "open quantity is covered", 10: "outbox = changes of state", 11: "limits hold", 12: "terminal states never leave",
    13: "the final state is a function of the accepted inputs", 14: "one writer of record in a migration",
}  # fmt: skip

LIVENESS: Final[dict[int, str]] = {
    1: "each crossing reaches a close", 2: "inbox lag and outbox reach 0", 3: "unknown is resolved or paged",
    4: "a dead actor returns or the process exits", 5: "no poison stops the queue", 6: "every alert is delivered",
    7: "a migration ends or rolls back",
}  # fmt: skip

OWED: Final[dict[int, tuple[tuple[int, ...], tuple[int, ...]]]] = {
    1: ((*range(1, 7), *range(9, 13), 16, *range(19, 25), *range(26, 31), *range(32, 35), *range(36, 39), 40, 45, 54, 57, 59, 60, 62, 63, 65), ()),
    2: ((*range(13, 16), 17, 25, 31, 35, 42, 44, 46, 47, 49, 50, 53, 58, 61), (*range(1, 50), *range(52, 58))),
    3: ((7,), (58,)),
    4: ((39, 51), (59, 60)),
    5: ((8,), (61, 62)),
    6: ((41, 43, 52), ()),
    7: ((18, 48, 55, 56, 64, 66), (50, 51)),
    8: ((), ()),
    9: ((), (63, 64)),
}  # fmt: skip
"""Order -> (lessons, faults) that it settles. Kill points and invariants come with order 2, S14 and L7 with order 5."""

SETTLED_ORDERS: Final = frozenset({1, 2, 3, 4})
"""Orders that owe nothing any more: a test fails when one of their lessons or faults has no test that names it."""


def order_of(kind: str, number: int) -> int:
    """Return the order that settles this claim. Raises: KeyError if none does."""
    if kind in ("Lesson", "Fault"):
        place = 0 if kind == "Lesson" else 1
        return next(order for order, claims in OWED.items() if number in claims[place])
    return 5 if (kind, number) in {("S", 14), ("L", 7)} else 2

"""`migrate copy`: from snapshots to a schema that nobody sees until it is whole.

The state stands in the target, in the schema that the plan names for quarantine, and changes in the same transaction as the rows:

1. `copy.py` looks at everything that could refuse, then lays out in one transaction: a schema of arrival, its empty tables, and a row
   of `pieces` for each piece of each table (`standing.py`).
2. `worker.py` takes piece after piece: one transaction copies its rows, quarantines what cannot come, and marks it done.
3. `finishing.py` adds keys, constraints and indexes, one transaction and one row of `steps` each; rows that a constraint refuses are
   quarantined. Then it counts, and moves all tables to where they belong, in one transaction.

So after kill -9 at any point, the next run finds what is done, and goes on. `lanes.py` is what is fast about it, `source.py` reads.
"""

"""`migrate verify`: whether the target is what the plan makes of the source. It has no code in common with what copied.

- `expected.py` makes of each source row the row that PostgreSQL must send for it, and proves on the way that each value, read back as
  a program would read it, gives the source back bit for bit. What it says is written by psycopg, not by `copying.lanes`. `short.py` and `hours.py` are what is fast about it.
- `rows.py` compares that with what PostgreSQL sends, row by row; `unmatched.py` pairs by key what is left, in bounded memory.
- `sums.py` counts and adds up columns, by SQL in the target.
- `shape.py` compares columns, keys, constraints, indexes, sequences and views with the plan.
- `asking.py` runs the SELECTs of an audit on both sides.

Empty is the only pass: a verifier that cannot fail was one of the reasons why the old moves failed.
"""

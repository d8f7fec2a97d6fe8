"""The move from SQLite to PostgreSQL. Nothing but run.py imports it.

`audit.py` reads source code. The rest moves data, and meets in these words:

- `snapshot.py` takes a consistent copy of a SQLite file, or says why not (`sqlite_files.SourceRefused`); `cells.py` reads its values
  exactly.
- `plan_words.py` is what a plan says, `plan_file.py` writes it to `plan.toml` and reads it back; `answered` refuses one that asks
  something yet. Everything after follows the file, never the source's schema.
- `conversions/` turns the cells of a row into one value of the target, and back. `conversions.moving.move` is the one door: a value
  that its inverse does not give back bit for bit comes with its original beside it, or is `Unconvertible`: quarantine.
"""

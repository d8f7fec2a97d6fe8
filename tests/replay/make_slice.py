"""Cuts the recording that is shipped out of the whole Polymarket day, the same bytes each time.

    python -m tests.replay.make_slice polymarket_quotes_2026-07-14.jsonl.gz

Kept: every event of each ticker that closes during the day, settled or not, and of every twelfth of the others, by name. Left out:
the field `category`, which nobody reads. The order and everything else stay as they were recorded.
"""

import gzip
import json
import sys
from pathlib import Path

SHIPPED = Path(__file__).with_name("polymarket_2026-07-14.jsonl.gz")
ONE_OTHER_IN = 12


def chosen_tickers(lines: list[dict[str, object]]) -> set[str]:
    """Return every ticker that closes, and each twelfth of the rest."""
    every = {str(line["ticker"]) for line in lines}
    closing = {str(line["ticker"]) for line in lines if line["kind"] == "lifecycle"}
    return closing | set(sorted(every - closing)[::ONE_OTHER_IN])


def cut(whole: Path, out: Path) -> int:
    """Write the slice of `whole` to `out`; returns how many events it has."""
    with gzip.open(whole, "rt") as file:
        lines = [json.loads(line) for line in file]
    tickers = chosen_tickers(lines)
    kept = [
        json.dumps({name: value for name, value in line.items() if name != "category"}, separators=(",", ":"))
        for line in lines
        if line["ticker"] in tickers
    ]
    # A time stamp in the header would make each run's bytes different.
    out.write_bytes(gzip.compress("".join(f"{line}\n" for line in kept).encode(), compresslevel=9, mtime=0))
    return len(kept)


if __name__ == "__main__":
    cut(Path(sys.argv[1]), SHIPPED)

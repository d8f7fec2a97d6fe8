"""`bench`: its servers and its load are for those alone who measure."""

import sys
from typing import Annotated, Final, get_args

from cyclopts import Parameter

from bus.messages.plain import to_json
from config.command_line import TEXT, Exit, ReportFlags, print_document
from config.pictures import show
from tests.bench.documents import Benchmarks, Figure

DOCUMENTS: Final[dict[str, type]] = {"bench": Benchmarks}


def bench(
    *,
    only: Annotated[tuple[Figure, ...], Parameter(help="Measure these alone; may be given several times.")] = (),
    flood_s: Annotated[float, Parameter(help="Seconds of flood in the figure of that name.")] = 600,
    migration_rows: Annotated[int, Parameter(help="Rows in the figure of that name.")] = 100_000,
    flags: ReportFlags = TEXT,
) -> Exit:
    """Measure what this machine gives, each figure beside a reference line of the same run; takes minutes, and servers of its own."""
    from tests.bench import report  # noqa: PLC0415  # its servers and its load are for those alone who measure

    measured = report.measure(
        only or get_args(Figure),
        lambda name: print(f"measuring {name} ...", file=sys.stderr),
        flood_s=flood_s,
        migration_rows=migration_rows,
    )
    if flags.json:
        print_document(to_json(measured))
    else:
        show(report.picture(measured))
    return Exit.DONE if measured.met else Exit.NO

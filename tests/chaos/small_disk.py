"""A disk that is soon full: a mount in memory, where the machine lets us."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from db.embedded import EmbeddedPostgres
from tests.fixtures.postgres import make_template


@contextmanager
def a_disk(megabytes: int) -> Iterator[Path]:
    """Mount a disk of that size; yields where. Raises: OSError, CalledProcessError where nobody lets us."""
    # Where PostgreSQL gets in, which does not run as root.
    folder = Path(tempfile.mkdtemp(prefix="watchkeeper-disk-", dir="/var/tmp"))
    try:
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)], check=True, capture_output=True
        )
        try:
            yield folder
        finally:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)
    finally:
        shutil.rmtree(folder)


@contextmanager
def postgres_on(disk: Path) -> Iterator[EmbeddedPostgres]:
    """Run a server there that holds the template."""
    with EmbeddedPostgres(disk, durable=False) as server:
        make_template(server)
        yield server

"""The snapshots that a plan is followed from. They are kept beside the plan, so that a copy which was interrupted goes on from them."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import msgspec

from db.migration.plan_words import Plan, Source
from db.migration.snapshot import Snapshot, digest_of_pages, refuse_copies, take_snapshot
from db.migration.sqlite_files import SourceRefused


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A snapshot on disk. digest: of what is stored (`Snapshot`)."""

    file: str
    digest: str

    @property
    def path(self) -> Path:
        """The file."""
        return Path(self.file)


def folder_of(plan: Path) -> Path:
    """Return where the snapshots of a plan's file are kept."""
    return plan.with_name(f"{plan.name}.snapshots")


def stand(plan: Plan, folder: Path, *, anew: bool, tell: Callable[[str], None]) -> dict[str, Kept]:
    """Return a snapshot of each source, by name, in the state that was planned from.

    anew: take them all now, so that a source which changed since is noticed; else those that are kept will do.
    Raises: SourceRefused, also where the state is another one than the plan's.
    """
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise SourceRefused(
            f"{folder}, where snapshots are kept, cannot be made ({error.strerror}): make room for it, or put the plan into a folder where this user may write"
        ) from error
    found: dict[str, Kept] = {}
    taken: list[Snapshot] = []
    for source in plan.sources:
        kept = None if anew else _kept(source, folder)
        if kept is None:
            tell(f"snapshot of {source.path}")
            kept, snapshot = _taken(source, folder)
            taken.append(snapshot)
        found[source.name] = kept
    refuse_copies(taken)
    return found


def _kept(source: Source, folder: Path) -> Kept | None:
    try:
        kept = msgspec.json.decode((folder / f"{_name(source)}.json").read_bytes(), type=Kept)
        fits = kept.digest == source.digest or not source.digest
        return kept if fits and digest_of_pages(kept.path) == kept.digest else None
    except (OSError, msgspec.DecodeError):
        return None


def _taken(source: Source, folder: Path) -> tuple[Kept, Snapshot]:
    taken = take_snapshot(Path(source.path), folder)
    if source.digest and taken.digest != source.digest:
        raise SourceRefused(
            f"{source.path} has changed since the plan was made: what the plan proves of its values may not hold any more; "
            "stop what writes to it, or make the plan anew (run.py migrate plan), and try again"
        )
    kept = Kept(file=str(taken.path), digest=taken.digest)
    (folder / f"{_name(source)}.json").write_bytes(msgspec.json.encode(kept))
    return kept, taken


def _name(source: Source) -> str:
    return hashlib.sha256(str(Path(source.path).absolute()).encode()).hexdigest()[:12]

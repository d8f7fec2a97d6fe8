from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from config.fields import mask
from config.layers import Source
from config.settings import ConfigurationError, load, required, retold

SECRET = 'p"a%s s/@w'


def a_file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "watchkeeper.toml"
    path.write_text(text)
    return path


def test_the_defaults_alone_make_settings() -> None:
    settings = load({})

    assert settings.nats.max_message_bytes == 65_536
    assert settings.venues["paper"].cutoff_s == Decimal(1)


def test_live_trading_is_off_until_a_person_sets_it() -> None:
    """Lesson 60"""
    assert load({}).trading.live_enabled is False


def test_stop_settings_are_seeded_exactly() -> None:
    """Lesson 64: a threshold keeps its decimals."""
    stops = load({}).stops

    assert stops["momentum.threshold_percent"] == Decimal("0.35")
    assert stops["probability.enabled"] is True
    assert stops["stale.policy"] == "alert"


def test_each_layer_wins_over_the_one_before(tmp_path: Path) -> None:
    file = a_file(tmp_path, '[nats]\nurl = "nats://file"\nprefix = "file"\nping_interval_s = 7\n')
    secret = tmp_path / "url"
    secret.write_text("nats://secret\n")
    environ = {
        "WATCHKEEPER_NATS_PREFIX": "env",
        "WATCHKEEPER_NATS_URL_FILE": str(secret),
        "WATCHKEEPER_NATS_URL": "nats://env",
    }

    settings = load(environ, file)

    assert settings.nats.url == "nats://secret"
    assert settings.nats.prefix == "env"
    assert settings.nats.ping_interval_s == 7
    assert settings.nats.reconnect_wait_ms == 250


def test_every_value_keeps_where_it_came_from(tmp_path: Path) -> None:
    """Lesson 57: what was given arrives, and its origin can be shown."""
    file = a_file(tmp_path, "[http]\nport = 0\n")

    origins = load({"WATCHKEEPER_LOG_LEVEL": "DEBUG"}, file).origins

    assert origins["http.port"].source is Source.FILE
    assert origins["log.level"].where == "WATCHKEEPER_LOG_LEVEL"
    assert origins["http.host"].source is Source.DEFAULTS


def test_every_setting_survives_the_round_through_a_file(tmp_path: Path) -> None:
    """Lesson 57: no loader drops a key."""
    before = load({})
    lines: list[str] = []
    for field, value, _ in before.values():
        section, _, name = field.key.rpartition(".")
        text = str(value).lower() if isinstance(value, bool) else value if isinstance(value, int) else f'"{value}"'
        lines.append(f"[{section}]\n{name} = {text}" if f"[{section}]" not in "\n".join(lines) else f"{name} = {text}")

    after = load({}, a_file(tmp_path, "\n".join(lines)))

    assert msgspec.structs.replace(after, origins={}) == msgspec.structs.replace(before, origins={})
    assert {origin.source for origin in after.origins.values()} == {Source.FILE}


def test_the_file_of_the_environment_is_read_when_no_flag_names_one(tmp_path: Path) -> None:
    file = a_file(tmp_path, "[http]\nport = 9001\n")

    assert load({"WATCHKEEPER_CONFIG": str(file)}).http.port == 9001


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[nats]\nurll = 'x'\n", "did you mean nats.url?"),
        ("[natz]\nurl = 'nats://x'\n", "natz.url"),
        ("[venues.kalshi]\nstile = 'sell'\n", "did you mean venues.kalshi.style?"),
        ("url = 'x'\n", "stands outside a section"),
        ("[stops]\n'probability.floor_percent' = '1'\n", "stop settings live in PostgreSQL"),
        ("[nats\n", "is not TOML"),
    ],
)
def test_an_unknown_key_in_the_file_is_refused(tmp_path: Path, text: str, says: str) -> None:
    """Lesson 9: a key that nobody reads is an error, never silently off."""
    file = a_file(tmp_path, text)

    with pytest.raises(ConfigurationError) as caught:
        load({}, file)

    assert says in str(caught.value)
    assert str(file) in str(caught.value)


def test_an_unknown_variable_is_refused_with_its_nearest_name() -> None:
    """Lesson 9, lesson 65"""
    with pytest.raises(ConfigurationError, match=r"WATCHKEEPER_NATS_ULR .*did you mean WATCHKEEPER_NATS_URL\?"):
        load({"WATCHKEEPER_NATS_ULR": "nats://x"})


@pytest.mark.parametrize("name", ["DATABASE_URL", "POSTGRES_HOST", "DB_HOST", "PGHOST", "NATS_URL"])
def test_there_is_no_second_spelling_of_an_address(name: str) -> None:
    """Lesson 53: a single DSN, so that two names cannot point to different databases."""
    settings = load({name: "elsewhere"})

    assert settings.postgres.dsn == ""
    assert settings.nats.url == ""


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("WATCHKEEPER_HTTP_PORT", "65536", "http.port = '65536' (from environment WATCHKEEPER_HTTP_PORT): must be a whole number from 0 to 65535"),
        ("WATCHKEEPER_HTTP_PORT", "0x10", "a whole number from 0 to 65535"),
        ("WATCHKEEPER_HTTP_PORT", " 1", "a whole number from 0 to 65535"),
        ("WATCHKEEPER_HTTP_PORT", "1_0", "a whole number from 0 to 65535"),
        ("WATCHKEEPER_HTTP_PORT", "", "a whole number from 0 to 65535"),
        ("WATCHKEEPER_TRADING_LIVE_ENABLED", "yes", "must be true or false"),
        ("WATCHKEEPER_PAPER_FEE_PERCENT", "NaN", "a number from 0 to 100"),
        ("WATCHKEEPER_PAPER_FEE_PERCENT", "1e1", "a number from 0 to 100"),
        ("WATCHKEEPER_PAPER_FEE_PERCENT", "100.000000000001", "a number from 0 to 100"),
        ("WATCHKEEPER_PAPER_FEE_MODEL", "free", "one of none, kalshi, percent"),
        ("WATCHKEEPER_VENUES_PAPER_STYLE", "buy", "one of sell, buy_opposite"),
        ("WATCHKEEPER_POSTGRES_SCHEMA", "a;drop", "1 to 63 of a-z"),
        ("WATCHKEEPER_NATS_PREFIX", "a b", "subject tokens"),
    ],
)  # fmt: skip
def test_a_value_outside_its_limits_names_key_value_origin_and_range(variable: str, value: str, says: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load({variable: value})

    assert says in str(caught.value)


@pytest.mark.parametrize("text", ["port = 65536", "port = true", "port = 1.5", "port = [1]", "port = 1979-05-27"])
def test_a_wrong_type_in_the_file_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigurationError, match="a whole number from 0 to 65535"):
        load({}, a_file(tmp_path, f"[http]\n{text}\n"))


def test_a_secret_with_odd_characters_arrives_exactly(tmp_path: Path) -> None:
    """Fault 50"""
    dsn = f"postgresql://user:{SECRET}@host/db"
    secret = tmp_path / "dsn"
    secret.write_text(dsn + "\n")

    from_file = load({"WATCHKEEPER_POSTGRES_DSN_FILE": str(secret)})
    from_variable = load({"WATCHKEEPER_POSTGRES_DSN": dsn})

    assert from_file.postgres.dsn == dsn
    assert from_variable.postgres.dsn == dsn


def test_a_malformed_secret_is_refused_with_its_name_only() -> None:
    """Fault 50"""
    with pytest.raises(ConfigurationError, match=r"postgres\.dsn = \*\*\*\*") as caught:
        load({"WATCHKEEPER_POSTGRES_DSN": SECRET})

    assert SECRET not in str(caught.value)


def test_a_missing_secret_file_is_named(tmp_path: Path) -> None:
    """Fault 50"""
    missing = tmp_path / "missing"

    with pytest.raises(ConfigurationError, match=r"WATCHKEEPER_NATS_URL_FILE: the file .*missing cannot be read"):
        load({"WATCHKEEPER_NATS_URL_FILE": str(missing)})


def test_log_file_is_a_setting_and_no_secret_file() -> None:
    assert load({"WATCHKEEPER_LOG_FILE": "/var/log/watchkeeper.log"}).log.file == "/var/log/watchkeeper.log"


def test_a_new_venue_must_give_everything() -> None:
    """Lesson 9: no default is guessed for somebody else's venue."""
    with pytest.raises(ConfigurationError, match=r"venues\.kalshi\.netting is not set: it must be true or false"):
        load({"WATCHKEEPER_VENUES_KALSHI_STYLE": "buy_opposite"})


def test_a_venue_can_come_from_the_file_and_be_changed_by_the_environment(tmp_path: Path) -> None:
    venue = "[venues.kalshi]\nstyle = 'buy_opposite'\nnetting = true\ncutoff_s = 1.5\nsettle_bound_s = '5'\n"

    settings = load({"WATCHKEEPER_VENUES_KALSHI_CUTOFF_S": "2.5"}, a_file(tmp_path, venue))

    assert settings.venues["kalshi"].netting is True
    assert settings.venues["kalshi"].cutoff_s == Decimal("2.5")
    assert set(settings.venues) == {"paper", "kalshi"}


def test_what_a_command_needs_is_asked_for_by_its_variable() -> None:
    with pytest.raises(ConfigurationError, match="set WATCHKEEPER_NATS_URL to a NATS address"):
        required(load({}), "nats.url")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://user:secret@host/db", "postgresql://user:****@host/db"),
        ("postgresql://user:se@cr/et@host/db", "postgresql://user:****@host/db"),
        ("postgresql://host/db?password=secret&x=1", "postgresql://host/db?password=****&x=1"),
        ("host=h password='se cr\\'et' dbname=d", "host=h password=**** dbname=d"),
        ("host=h password=secret", "host=h password=****"),
        ("nats://token@host:4222", "nats://****@host:4222"),
        ("nats://u:p,q@a,nats://u:p@b", "nats://u:****@b"),
        ("nats://127.0.0.1:4222", "nats://127.0.0.1:4222"),
    ],
)
def test_a_connection_text_is_shown_without_its_secret(text: str, shown: str) -> None:
    assert mask(text) == shown


def test_an_account_has_its_own_limits_and_for_the_rest_those_of_all(tmp_path: Path) -> None:
    file = a_file(tmp_path, '[limits]\nmax_same = 3\n[accounts."a.B-1"]\nmax_quantity = "7.5"\n')

    settings = load({"WATCHKEEPER_LIMITS_MAX_OPEN_TRADES": "9"}, file)

    own = settings.accounts["a.B-1"]
    assert (own.max_quantity, own.max_same, own.max_open_trades) == (Decimal("7.5"), 3, 9)
    assert settings.limits.max_quantity == 100_000


def test_the_environment_wins_for_an_account_that_a_file_names(tmp_path: Path) -> None:
    file = a_file(tmp_path, "[accounts.paper-1]\nmax_same = 3\n")

    settings = load({"WATCHKEEPER_ACCOUNTS_PAPER_1_MAX_QUANTITY": "5"}, file)

    assert settings.accounts["paper-1"].max_quantity == 5


@pytest.mark.parametrize(
    "text", ["[accounts.a]\nmax_qty = 1\n", "[accounts.a]\nall_per_second = 1\n", "[limits]\nmax_repeats = -1\n"]
)
def test_a_limit_that_cannot_be_is_refused(tmp_path: Path, text: str) -> None:
    """Lesson 9"""
    with pytest.raises(ConfigurationError):
        load({}, a_file(tmp_path, text))


@pytest.mark.parametrize(
    "url", ["nats://h:port", "nats://h:4222/x", "http://h", "nats://a,b", "nats:// h", "nats://h:123456"]
)
def test_an_address_of_nats_that_cannot_be_used_is_refused_at_once(url: str) -> None:
    """To wait for it would be to wait for ever."""
    with pytest.raises(ConfigurationError, match=r"nats\.url"):
        load({"WATCHKEEPER_NATS_URL": url})


@pytest.mark.parametrize(
    "url", ["nats://h", "tls://u:p%40ss@h.example:4222", "nats://[::1]:4222", "nats://a:1,nats://b:2"]
)
def test_an_address_of_nats_may_name_a_login_and_several_servers(url: str) -> None:
    assert load({"WATCHKEEPER_NATS_URL": url}).nats.url == url


def test_settings_that_were_told_are_the_same_again_but_for_secrets(tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text(
        '[venues.sim]\nstyle = "sell"\nnetting = false\ncutoff_s = 0\nsettle_bound_s = 60\n[accounts."a.b"]\nmax_open_trades = 3\n'
    )
    own = load(
        {"WATCHKEEPER_POSTGRES_DSN": "postgresql://me:secret@host/db", "WATCHKEEPER_PAPER_FEE_PERCENT": "0.07"}, file
    )

    again = retold(own.told())

    assert "secret" not in str(own.told())
    assert (again.venues, again.accounts, again.paper, again.actors) == (
        own.venues,
        own.accounts,
        own.paper,
        own.actors,
    )


def test_what_was_in_force_counts_though_nobody_would_allow_it_now() -> None:
    own = load({})
    told = own.told() | {"actors.beat_interval_ms": 3_600_000, "no_more.of_this": "x"}

    assert retold(told).actors.beat_interval_ms == 3_600_000

"""The front door: the command tree, and the one place that decides how a command's failure ends.

    python run.py COMMAND --help

Exit 0: done. 1: it ran, and the answer is no. 2: wrong use or configuration. 69: a server or an answer was missing, the outcome
is unknown. 70: internal fault.

A command lives in the room that does its work: what is asked over NATS in bus/commands, what touches the database in db/commands,
what runs actors in actors/commands, the move from SQLite in db/migration. The door opens no room but the one that was asked for: who
types `explain` waits neither for NATS nor for PostgreSQL to be imported. No room may import all the others, so where a command needs
two of them, its opener here introduces them to each other.
"""

import os
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cyclopts import App, CycloptsError, Parameter

from config.command_line import Common, Exit, NoAnswer, Refused, WrongUse, complain
from config.settings import ConfigurationError, Settings, load
from config.version import VERSION

if TYPE_CHECKING:
    from actors.commands.wires import Wires
    from actors.ports import StartingStore
    from bus.commands.importing import Lived, Words
    from bus.messages.envelope import Message
    from bus.messages.system import Reply
    from bus.recorder.filing import Filing

Command = App | Callable[..., Exit]
ELSEWHERE: Final = ("WATCHKEEPER_NATS_URL_FILE", "WATCHKEEPER_POSTGRES_DSN_FILE")
"""Files that tell of servers which are not the demo's."""


def _bench() -> Command:
    from tests.bench import commands

    return commands.bench


def _check() -> Command:
    from bus.commands import check
    from bus.commands.nats_checks import nats_answers
    from config.checks import this_machine
    from db.check import postgres_answers

    return check.command((this_machine, nats_answers, postgres_answers))


def _contract() -> Command:
    from bus.commands import contract

    return contract.command(documents)


def _db() -> Command:
    from db import commands

    return commands.app


def _demo() -> Command:
    from actors.commands import demo

    return demo.command(_wires(), with_servers)


def _events() -> Command:
    from bus.commands import events, importing

    def live_through(words: "Words", settings: Settings, recorder: "Filing") -> "Lived | None":
        from actors.replay import importing as lives

        return lives.live_through(words, settings, recorder)

    events.app.command(importing.command(live_through), name="import")
    return events.app


def _explain() -> Command:
    from actors.commands import replay

    def ask(flags: Common, subject: str, message: "Message") -> "Reply":
        from bus.commands.answers import asked

        return asked(flags, subject, message)

    return replay.explaining(ask)


def _migrate() -> Command:
    from db.migration import commands

    return commands.app


def _replay() -> Command:
    from actors.commands import replay

    return replay.replay


def _serve() -> Command:
    from actors.commands import serve

    return serve.command(_wires())


def _settings() -> Command:
    from bus.commands import settings

    return settings.app


def _stop() -> Command:
    from bus.commands import stop

    return stop.app


def _system() -> Command:
    from bus.commands import system

    return system.app


def _trade() -> Command:
    from bus.commands import trade, trade_export

    trade.app.command(trade_export.export)
    return trade.app


ROOMS: Final[dict[str, Callable[[], Command]]] = {
    "bench": _bench,
    "check": _check,
    "contract": _contract,
    "db": _db,
    "demo": _demo,
    "events": _events,
    "explain": _explain,
    "migrate": _migrate,
    "replay": _replay,
    "serve": _serve,
    "settings": _settings,
    "stop": _stop,
    "system": _system,
    "trade": _trade,
}
"""By the first word of a command, what opens its room."""


@cache
def room(name: str) -> Command:
    """Return the commands behind a first word."""
    return ROOMS[name]()


def tree(words: Sequence[str]) -> App:
    """Return the command tree as far as `words` need it: one room, or for the help and for words that name none, every room."""
    app = App(
        name="run.py",
        help="Watchkeeper keeps watch over open trades.",
        version=VERSION,
        default_parameter=Parameter(negative=()),
    )
    first = next(iter(words), "--help")
    for name in (first,) if first in ROOMS else () if first in app.version_flags else ROOMS:
        app.command(room(name), name=name)
    return app


def documents() -> dict[str, Any]:
    """Return by command what its `--json` prints: every command that reports has its document here, for `contract` to know it."""
    import db.commands
    import db.migration.commands
    from actors.commands import demo, replay
    from bus.commands import check, events, importing, settings, stop, system, trade, trade_export
    from tests.bench import commands as bench

    told = (check, db.commands, trade, stop, settings, system, events, db.migration.commands, trade_export, demo, bench, replay, importing)  # fmt: skip
    return {words: shape for each in told for words, shape in each.DOCUMENTS.items()}


def _wires() -> "Wires":
    from actors.commands.wires import Wires
    from bus.commands.client import NatsClient
    from bus.wire import NatsWire

    return Wires(nats=NatsWire, store=store_of, starting=starting, client=NatsClient)


def store_of(wanted: Settings, still_leads: Callable[[], bool | None]) -> "StartingStore":
    """Return the way into PostgreSQL. still_leads: see there."""
    from db.access import Access
    from db.commands import names_of
    from db.store import PostgresStore

    access = Access.from_settings(wanted.postgres, instance=wanted.trading.instance or "watchkeeper")
    return PostgresStore(replace(access, names=names_of(wanted.postgres)), still_leads=still_leads)


@contextmanager
def starting() -> Iterator[None]:
    """Say in words for people why a process cannot take its place."""
    from bus.errors import BusError
    from bus.errors import ServerUnavailable as NoNats
    from bus.messages.failures import LeadTaken, StoreUnavailable, StreamAlarm
    from db.errors import SchemaMismatch
    from db.errors import ServerUnavailable as NoPostgres

    try:
        yield
    except SchemaMismatch as error:
        raise WrongUse(str(error)) from error
    except (NoNats, NoPostgres, StoreUnavailable) as error:
        raise NoAnswer(f"{error}; `run.py check` says what to do") from error
    except (StreamAlarm, LeadTaken, BusError) as error:
        raise Refused(str(error)) from error


def with_servers(stack: ExitStack, folder: Path, flags: Common) -> Settings:
    """Start NATS and PostgreSQL for as long as `stack` stands, with a fresh database; return settings that lead to them."""
    from bus.embedded import EmbeddedServer
    from db import migrations
    from db.embedded import EmbeddedPostgres
    from db.names import DatabaseNames

    names = DatabaseNames()
    # Both are thrown away at the end, so neither waits for the disk.
    nats = stack.enter_context(EmbeddedServer(folder / "nats", durable=False))
    postgres = stack.enter_context(EmbeddedPostgres(durable=False))
    password = os.urandom(16).hex()
    migrations.create(postgres.admin_dsn, names, login_password=password)
    migrations.upgrade(migrations.for_database(postgres.admin_dsn, names.database), names)
    environment = {
        "WATCHKEEPER_NATS_URL": nats.url,
        "WATCHKEEPER_POSTGRES_DSN": postgres.dsn(names.login, password, database=names.database),
        "WATCHKEEPER_LOG_FILE": str(folder / "demo.log"),
    }
    # As for every command; but the demo has servers of its own, wherever those of `serve` may be.
    ours = {name: value for name, value in os.environ.items() if name not in ELSEWHERE}
    return load(ours | environment, flags.config)


def main(arguments: Sequence[str]) -> int:
    """Run one command; returns how it ended."""
    # Read by loguru when it is first imported, which not every command does: nothing below a warning, and no value of a variable.
    os.environ.update(LOGURU_LEVEL="WARNING", LOGURU_DIAGNOSE="NO")
    try:
        return int(tree(arguments)(arguments, exit_on_error=False, result_action="return_value") or Exit.DONE)
    except CycloptsError:
        return Exit.WRONG_USE
    except (ConfigurationError, WrongUse) as error:
        complain(str(error))
        return Exit.WRONG_USE
    except NoAnswer as error:
        complain(str(error))
        return Exit.NO_ANSWER
    except Refused as error:
        complain(str(error))
        return Exit.NO
    except KeyboardInterrupt:
        return Exit.DONE
    except Exception:  # noqa: BLE001  # the door: nothing passes it but an exit code
        from config.logging import mask_in_text

        complain(mask_in_text(traceback.format_exc()) + "This is a fault of Watchkeeper: please report it.")
        return Exit.INTERNAL_FAULT


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

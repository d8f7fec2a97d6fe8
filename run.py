"""The front door: the command tree, and the one place that decides how a command's failure ends.

    python run.py COMMAND --help

Exit 0: done. 1: it ran, and the answer is no. 2: wrong use or configuration. 69: a server or an answer was missing, the outcome
is unknown. 70: internal fault. What is asked over NATS lives in bus/commands, what touches the database in db/commands.
"""

import faulthandler
import gc
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Final, get_args

import msgspec
from cyclopts import App, CycloptsError, Parameter
from loguru import logger
from rich.live import Live

import db.commands as database
from actors.door import Door
from actors.outside.probes import Probes
from actors.outside.recorded_ranges import tell_ranges
from actors.outside.snapshot_file import LocalSnapshot
from actors.ports import Clock
from actors.replay import explain_screen, screen
from actors.replay.changes import read_changes, read_sweep
from actors.replay.importing import live_through
from actors.replay.process import Task, become, tells
from actors.replay.sidecar import Sidecar, read_sidecar, recording_name
from actors.replay.stage import Stage, demo_settings
from actors.rules.stops.explaining import told_by
from actors.serving import Serving, Wiring
from actors.standby import Standby
from actors.watchdog import Watchdog
from bus.commands import check, contract, events, settings, stop, system, trade, trade_export
from bus.commands.answers import asked
from bus.commands.client import NatsClient
from bus.commands.nats_checks import nats_answers
from bus.embedded import EmbeddedServer
from bus.errors import BusError
from bus.errors import ServerUnavailable as NoNats
from bus.messages.accounts import DRAWDOWN
from bus.messages.demo import DemoSummary
from bus.messages.explain import Capsule, CapsuleGet, Explained
from bus.messages.failures import LeadTaken, StoreUnavailable, StreamAlarm
from bus.messages.plain import from_json, instant_text, read_instant, to_json
from bus.messages.replay import Imported, Replayed, Stopped
from bus.messages.stops import Rule
from bus.messages.trades import TradeOpen
from bus.messages.units import NS_PER_S
from bus.messages.what_if import Sweep, WhatIf
from bus.recorded import Recording, instant_ns
from bus.recorded_feed import END, HORIZON, READY, EndOfRecording, Horizon
from bus.recorder.filing import Filing
from bus.recorder.lines import BadLines, LinesReader
from bus.recorder.recorder import Keep, Recorder
from bus.recorder.segments import segments
from bus.wire import NatsWire
from config.checks import this_machine
from config.command_line import (
    PLAIN,
    TEXT,
    Exit,
    Flags,
    NoAnswer,
    Refused,
    ReportFlags,
    Reporting,
    WrongUse,
    complain,
    print_document,
)
from config.logging import mask_in_text, set_up
from config.pictures import card, show
from config.settings import ConfigurationError, Settings, load, required
from config.version import VERSION
from db import migrations
from db.access import Access
from db.check import postgres_answers
from db.embedded import EmbeddedPostgres
from db.errors import SchemaMismatch
from db.errors import ServerUnavailable as NoPostgres
from db.migration import commands as migration
from db.names import DatabaseNames
from db.store import PostgresStore
from tests.bench.documents import Benchmarks, Figure

SHIPPED: Final = Path(__file__).parent / "tests/replay/polymarket_2026-07-14.jsonl.gz"
SWITCH_INTERVAL_S: Final = 1e-4
"""A busy thread lets others in after this; Python's own 5 ms would stand before an order."""
GARBAGE_WAITS: Final = 20_000
"""Objects before a collection; Python's own 700 are the work of a millisecond."""
MEGABYTE: Final = 1_000_000
ROUND_TRIPS: Final = 300
ELSEWHERE: Final = ("WATCHKEEPER_NATS_URL_FILE", "WATCHKEEPER_POSTGRES_DSN_FILE")
"""Files that tell of servers which are not the demo's."""
STOP_GRACE_S: Final = 3
"""Beyond the time allowed for a stop; supervisord waits for longer than both."""


app = App(
    name="run.py",
    help="Watchkeeper keeps watch over open trades.",
    version=VERSION,
    default_parameter=Parameter(negative=()),
)
ROOMS = (database, trade, stop, settings, system, events, migration)
for room in ROOMS:
    app.command(room.app)
app.command(check.command((this_machine, nats_answers, postgres_answers)), name="check")
# Every command with --json has its document here, so that `contract` knows it.
DOCUMENTS = {words: shape for room in (check, *ROOMS, trade_export) for words, shape in room.DOCUMENTS.items()}
DOCUMENTS |= {"demo": DemoSummary, "bench": Benchmarks, "explain": Explained}
DOCUMENTS |= {"replay": Replayed, "replay --step": Stopped, "replay --set": WhatIf, "replay --sweep": Sweep}
DOCUMENTS |= {"events import": Imported}
app.command(contract.command(DOCUMENTS), name="contract")


class WallClock:
    """Now, in whole microseconds: what the wire can carry."""

    def now_ns(self) -> int:
        """Return nanoseconds since the epoch, UTC."""
        return time.time_ns() // 1000 * 1000


@app.command
def serve(*, flags: Flags = PLAIN) -> Exit:
    """Watch open trades until it is stopped: the long-running process."""
    wanted = flags.settings()
    required(wanted, "nats.url", "postgres.dsn")
    let_go = set_up(wanted)
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    faulthandler.register(signal.SIGUSR1, all_threads=True)

    def end(code: int, reason: str) -> None:
        """End at once: a fault may have spoiled our state, and supervisord starts a clean process."""
        logger.bind(action="serve.end", code=code).critical("ending: {}", reason)
        let_go()
        os._exit(code)

    def fail(reason: str) -> None:
        end(Exit.INTERNAL_FAULT, reason)

    watchdog = Watchdog(wanted.actors.stuck_after_s, fail)
    door, clock = Door(), WallClock()
    wire = NatsWire(
        wanted.nats,
        clock=clock,
        say=door.hear,
        on_fenced=fail,
        on_fatal=fail,
        confirm_publish_ms=int(wanted.trading.confirm_publish_ms),
    )
    recorder = recorder_of(wanted, clock)
    wiring = Wiring(
        clock=clock,
        wire=wire,
        store=store_of(wanted, wire.still_leads),
        door=door,
        end=end,
        moves=watchdog.feed,
        snapshots=LocalSnapshot(Path(wanted.snapshot.file)) if wanted.snapshot.file else None,
        recorder=recorder,
    )
    serving = Serving(wanted, wiring)
    standby = Standby(serving, monotonic_ns=time.monotonic_ns)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: standby.stop())
    probes = Probes(wanted.http.host, wanted.http.port, lambda: serving.status(clock.now_ns()))
    probes.start()
    with starting():
        if standby.wait():
            rest_memory()
            if wanted.recorder.folder:
                tell_ranges(wanted.recorder.folder, clock, door.hear)
            if standby.stay():
                logger.bind(action="serve.again").warning("PostgreSQL is back: starting again from the record")
                let_go()
                # As after a kill -9, which loses nothing: what this process decided without the record stands in the streams.
                os.execv(sys.executable, sys.orig_argv)  # noqa: S606  # our own command, with the same words
    probes.stop()
    watchdog.extend(wanted.actors.stop_timeout_s + STOP_GRACE_S)
    drained = serving.stop()
    if recorder is not None:
        recorder.close(STOP_GRACE_S)
    if not drained:
        # An actor that did not end would keep the interpreter from ending.
        end(Exit.INTERNAL_FAULT, f"not everything was done within {wanted.actors.stop_timeout_s} s")
    watchdog.stop()
    logger.bind(action="serve.stopped", drained=drained).info("stopped")
    let_go()
    return Exit.DONE if drained else Exit.INTERNAL_FAULT


def recorder_of(wanted: Settings, clock: Clock) -> Recorder | None:
    """Return the flight recorder, if one is wanted."""
    if not (kept := wanted.recorder).folder:
        return None
    keep = Keep(
        segment_bytes=kept.segment_mb * MEGABYTE,
        total_bytes=kept.keep_mb * MEGABYTE,
        age_ns=kept.keep_days * 24 * 3600 * NS_PER_S,
    )
    return Recorder(Path(kept.folder), clock, keep)


def rest_memory() -> None:
    """Keep the garbage collector off what was recovered: it stays, and to walk it again and again would stand before ticks."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_WAITS, 20, 50)


@contextmanager
def starting() -> Iterator[None]:
    """Say in words for people why a process cannot take its place."""
    try:
        yield
    except SchemaMismatch as error:
        raise WrongUse(str(error)) from error
    except (NoNats, NoPostgres, StoreUnavailable) as error:
        raise NoAnswer(f"{error}; `run.py check` says what to do") from error
    except (StreamAlarm, LeadTaken, BusError) as error:
        raise Refused(str(error)) from error


def store_of(wanted: Settings, still_leads: Callable[[], bool | None]) -> PostgresStore:
    """Return the way into PostgreSQL. still_leads: see there."""
    access = Access.from_settings(wanted.postgres, instance=wanted.trading.instance or "watchkeeper")
    return PostgresStore(replace(access, names=database.names_of(wanted.postgres)), still_leads=still_leads)


@app.command
def demo(
    *,
    recording: Path = SHIPPED,
    speed: str = "max",
    duration: Annotated[float | None, Parameter(help="Recorded seconds to play; all of them unless given.")] = None,
    flags: ReportFlags = TEXT,
) -> Exit:
    """Play a recorded market day through everything, on this machine; nothing to install or configure.

    Parameters
    ----------
    recording
        A file of recorded events (JSON lines, gzipped or not).
    speed
        Recorded seconds in a real second, or max. The trades are the same at every speed.
    """
    if not recording.is_file():
        raise WrongUse(f"--recording {recording}: there is no such file")
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    sidecar = read_sidecar(recording)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="watchkeeper-demo-")))
        wanted = demo_settings(with_servers(stack, folder, flags), sidecar)
        stack.callback(set_up(wanted))
        if not flags.json:
            show(screen.opening(recording_name(recording), sidecar, sidecar.stops))
        started = time.monotonic()
        performance = Performance(stack, wanted, recording, sidecar)
        summary = performance.play(speed, duration, is_shown=not flags.json)
    if flags.json:
        print_document(to_json(summary))
    else:
        show(screen.closing(summary, time.monotonic() - started))
    return Exit.NO if summary.lost_messages or summary.duplicate_closes else Exit.DONE


def with_servers(stack: ExitStack, folder: Path, flags: Flags) -> Settings:
    """Start NATS and PostgreSQL for as long as `stack` stands, with a fresh database; return settings that lead to them."""
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


class Performance:
    """One demo between its servers: the stage, the feed's process, and two small connections that lead it."""

    def __init__(self, stack: ExitStack, wanted: Settings, recording: Path, sidecar: Sidecar) -> None:
        self._wanted = wanted
        self._recording = recording
        self._sidecar = sidecar
        self._asker = stack.enter_context(NatsClient(wanted.nats))
        first = next(iter(Recording(recording)), None)
        if first is None:
            raise WrongUse(f"{recording} holds no event that can be played")
        self._stage = Stage(
            wanted,
            recording,
            sidecar,
            start_ns=instant_ns(first.ts),
            ask=self._ask,
            horizon=self._tell_horizon,
            monotonic_ns=time.monotonic_ns,
        )
        self._wire = NatsWire(
            wanted.nats,
            clock=self._stage.clock,
            say=self._stage.hear,
            tap=self._stage.tap,
            on_fenced=self._give_up,
            on_fatal=self._give_up,
        )
        self._recorder = recorder_of(wanted, self._stage.clock)
        self._ended: EndOfRecording | None = None
        self._failure: BaseException | None = None
        self._over = threading.Event()

    def play(self, speed: str, duration_s: float | None, *, is_shown: bool) -> DemoSummary:
        """Play it all, showing the live table meanwhile; return what came of it."""
        with starting():
            self._stage.open(
                self._wire,
                store_of(self._wanted, self._wire.still_leads),
                lambda _, reason: self._give_up(reason),
                self._recorder,
            )
        listening = threading.Event()
        for work in (lambda: self._lead_feed(listening), self._run):
            threading.Thread(target=work, daemon=True).start()
        listening.wait()
        command = self._feed_command(speed, duration_s)
        feed = subprocess.Popen(command, env=os.environ | self._feed_environment())  # noqa: S603  # our own module
        try:
            self._wait(is_shown=is_shown)
            round_trips_ns = [self._round_trip_ns() for _ in range(ROUND_TRIPS)]
        finally:
            feed.terminate()
            feed.wait()
            self._stage.close()
            if self._recorder is not None:
                self._recorder.close(STOP_GRACE_S)
        if self._failure is not None:
            raise self._failure
        ended = self._ended
        begin_ns = read_instant(ended.first_ts) if ended and ended.first_ts else None
        end_ns = read_instant(ended.last_ts) if ended and ended.last_ts else None
        return self._stage.document(begin_ns, end_ns, round_trips_ns)

    def _wait(self, *, is_shown: bool) -> None:
        started = time.monotonic()

        def picture() -> object:
            stage = self._stage
            events = stage.clock.events
            return stage.table.render(instant_text(stage.clock.now_ns()), events, events / (time.monotonic() - started))

        try:
            if not is_shown:
                self._over.wait()
                return
            with Live(get_renderable=picture, refresh_per_second=4, transient=True):  # type: ignore[arg-type]  # rich says str
                self._over.wait()
        except KeyboardInterrupt:
            self._stage.clock.stop()
            self._over.wait()

    def _run(self) -> None:
        try:
            self._stage.play()
        except Exception as failure:  # noqa: BLE001  # carried to the thread that can tell it
            self._failure = failure
        finally:
            self._over.set()

    def _lead_feed(self, listening: threading.Event) -> None:
        """Tell the feed how far it may go once it listens, and hear how it ended."""
        with NatsClient(self._wanted.nats) as client:
            heard = client.listen([READY, END])
            listening.set()
            for message in heard:
                if message.subject == READY:
                    self._stage.clock.announce()
                else:
                    self._ended = msgspec.json.decode(message.body, type=EndOfRecording)
                    self._stage.clock.finish(self._ended.events)
                    return

    def _ask(self, request: TradeOpen) -> None:
        reply = self._asker.ask("trade.request.open", request)
        if not reply.ok:
            logger.bind(action="demo.refused", trade_id=request.trade_id).warning("refused: {}", reply.error)

    def _tell_horizon(self, line: int, now_ns: int) -> None:
        self._wire.tell(HORIZON, msgspec.json.encode(Horizon(line, instant_text(now_ns))))

    def _round_trip_ns(self) -> int:
        started_ns = time.monotonic_ns()
        self._asker.run(lambda client: client.flush())
        return time.monotonic_ns() - started_ns

    def _give_up(self, reason: str) -> None:
        self._failure = RuntimeError(reason)
        self._over.set()

    def _feed_command(self, speed: str, duration_s: float | None) -> list[str]:
        command = [sys.executable, "-m", "bus.recorded_feed", str(self._recording.resolve()), "--speed", speed]
        command += ["--source", self._sidecar.source] if self._sidecar.source else []
        return command + (["--duration", str(duration_s)] if duration_s is not None else [])

    def _feed_environment(self) -> dict[str, str]:
        return {"WATCHKEEPER_NATS_URL": self._wanted.nats.url, "PYTHONPATH": str(Path(__file__).parent)}


@app.command(name="replay")
def replay_command(
    recording: Annotated[
        Path | None, Parameter(help="A folder of segments or one of them; unless given, recorder.folder.")
    ] = None,
    *,
    since: Annotated[
        str | None, Parameter(name="--from", help="Compare from this instant on, such as 2026-07-14T12:00:00Z.")
    ] = None,
    until: Annotated[str | None, Parameter(name="--to", help="Stop at this instant.")] = None,
    trade_id: Annotated[str | None, Parameter(name="--trade", help="Compare what names this trade alone.")] = None,
    sets: Annotated[
        tuple[str, ...],
        Parameter(
            name="--set", help="What if: KEY=VALUE for every trade, such as probability.floor_percent=30; repeatable."
        ),
    ] = (),
    sweep: Annotated[
        str | None,
        Parameter(help="What if, for each value: KEY=A..B:STEP, such as probability.floor_percent=20..50:5."),
    ] = None,
    step: Annotated[
        bool,
        Parameter(
            help="Stop at each word and show the trades that it concerns before and after it; goes back as well."
        ),
    ] = False,
    stops_at: Annotated[
        str | None, Parameter(name="--break", help="Step, and stop only where this rule fires or is held back.")
    ] = None,
    report: Annotated[
        Path | None,
        Parameter(help="Draw the run, the trade or the sweep into this file of HTML, which needs no network."),
    ] = None,
    flags: ReportFlags = TEXT,
) -> Exit:
    """Let what decides hear a recording again, and compare what it says with what it said; reaches no server.

    With --set or --sweep: what would have become of its trades under other settings, all fills simulated anew.

    Exit 0: nothing is decided otherwise. 1: something is, and is shown, or nothing there could be compared. 2: no recording is there, or
    one of another program or version. A gap, such as a torn tail, a damaged block or two recordings in one folder, is said with what
    was skipped for it; what is left is compared, and decides how it ends.
    """
    steps = step or stops_at is not None
    if steps and (sets or sweep is not None):
        raise WrongUse("--step shows what was recorded, --set and --sweep what would have been: not both at once")
    if stops_at is not None and stops_at not in (*Rule, DRAWDOWN):
        raise WrongUse(f"--break {stops_at}: the rules are {', '.join((*Rule, DRAWDOWN))}")
    try:
        read_changes(sets)
        if sweep is not None:
            read_sweep(sweep)
    except ValueError as error:
        raise WrongUse(str(error)) from error
    if report is not None and steps:
        raise WrongUse("--report draws a run, or a what-if: leave --step and --break out")
    become(
        Task(
            place=_recording(recording, flags),
            since_ns=0 if since is None else _instant("--from", since),
            until_ns=2**63 - 1 if until is None else _instant("--to", until),
            trade_id=trade_id,
            json=flags.json,
            sets=sets,
            sweep=sweep,
            steps=steps,
            stops_at=stops_at,
            report=_report(report),
        )
    )


@app.command(name="explain")
def explain_command(
    trade_id: str,
    *,
    at: Annotated[str | None, Parameter(help="As things stood at this instant; at the end unless given.")] = None,
    recording: Annotated[Path | None, Parameter(help="As for replay.")] = None,
    report: Annotated[
        Path | None, Parameter(help="Draw the trade into this file of HTML, which needs no network.")
    ] = None,
    flags: ReportFlags = TEXT,
) -> Exit:
    """Say why a stop of a trade fired, or why it did not: each rule, how far away it was, and what it read.

    From the recording, by a process that reaches no server. Where that tells nothing of the trade, from what is kept of every trade
    that has ended: the nearest that each rule came, what was decided, when it was unprotected.
    """
    at_ns = None if at is None else _instant("--at", at)
    if recording is not None or flags.settings().recorder.folder or not flags.settings().nats.url:
        place = _recording(recording, flags)
        page = _report(report)
        ended = tells(Task(place=place, trade_id=trade_id, json=flags.json, explains=True, at_ns=at_ns, report=page))
        if ended is not None or not flags.settings().nats.url:
            return Exit.NO if ended is None else ended
    ended = _explain_from_capsule(trade_id, flags)
    if report is None:
        return ended
    raise Refused(f"{report} was not written: a picture is drawn from a recording")


def _explain_from_capsule(trade_id: str, flags: Reporting) -> Exit:
    reply = asked(flags, "history.request.capsule", CapsuleGet(trade_id=trade_id))
    if not reply.ok or reply.result is None:
        raise Refused(f"nothing is kept of {trade_id}: no such trade has been open and has ended")
    found = told_by(from_json(Capsule, to_json(reply.result)))
    if flags.json:
        print_document(to_json(found))
    else:
        show(explain_screen.render(found))
    return Exit.DONE


def _recording(given: Path | None, flags: Flags) -> str:
    return str(events.place_of(given, flags))


def _report(given: Path | None) -> str | None:
    if given is None:
        return None
    if not given.absolute().parent.is_dir() or given.is_dir():
        raise WrongUse(f"--report {given}: name a file in a folder that is there")
    return str(given.absolute())


def _instant(flag: str, text: str) -> int:
    return events.instant_of(flag, text)


@events.app.command(name="import")
def import_command(
    lines: Path,
    folder: Path,
    *,
    feed: Annotated[str, Parameter(help="The feed's name, for ticks of a recorded stream that carry none.")] = "",
    flags: ReportFlags = TEXT,
) -> Exit:
    """Make a recording of lines of JSON (gzipped or not): what `events export` writes, or a stream of recorded market data.

    The engines live through it once, in recorded time, under the process settings given; trades are those that its lines ask for.

    Parameters
    ----------
    folder
        Where the recording is made; it must hold none yet.
    """
    if not lines.is_file():
        raise WrongUse(f"{lines}: there is no such file")
    if segments(folder):
        raise Refused(f"{folder} holds a recording already")
    reader, filing = LinesReader(lines, feed), Filing(folder)
    try:
        life = live_through(reader.words(), flags.settings(), filing)
        filing.close()
    except (BadLines, OSError) as error:
        filing.discard()
        raise Refused(f"{error}; nothing of {lines} was taken") from error
    if life is None:
        filing.discard()
        raise Refused(f"{lines} holds nothing that is heard")
    made = Imported(
        place=str(folder.absolute()),
        begin=life.begin_ns,
        end=life.now_ns,
        lines=reader.lines,
        words=life.words,
        left_out=dict(reader.left_out),
        trades=len(life.trades),
    )
    if flags.json:
        print_document(to_json(made))
    else:
        show(card("Imported", {name: getattr(made, name) for name in ("place", "lines", "words", "trades")}))
        show(card("Left out", made.left_out))
    return Exit.DONE


@app.command
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


def main(arguments: Sequence[str]) -> int:
    """Run one command; returns how it ended."""
    logger.configure(handlers=[{"sink": sys.stderr, "level": "WARNING", "diagnose": False}])
    try:
        return int(app(arguments, exit_on_error=False, result_action="return_value") or Exit.DONE)
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
        complain(mask_in_text(traceback.format_exc()) + "This is a fault of Watchkeeper: please report it.")
        return Exit.INTERNAL_FAULT


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

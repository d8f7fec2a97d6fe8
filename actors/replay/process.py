"""The process of a replay: `run.py replay` and `explain` become this, and nothing of what reaches NATS, PostgreSQL or a venue comes along.

So a recording, whoever wrote it, has no effect outside: there is no wire here to say anything on. An import contract holds that.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NoReturn

import msgspec
from rich.console import RenderableType

from actors.replay import explain_screen, replay_screen, what_if_screen
from actors.replay.changes import read_change, read_changes, read_sweep
from actors.replay.conversation import asked, converse
from actors.replay.explaining import NothingRecordedError, explain
from actors.replay.replaying import Wanted, replay, replay_on_two
from actors.replay.reporting import NotWrittenError, RunReport, TradeReport, write_sweep
from actors.replay.stepping import Stepper
from actors.replay.stops import Watcher, stops
from actors.replay.what_if import sweep, what_if
from bus.messages.envelope import Message
from bus.messages.plain import to_json
from bus.messages.replay import Stopped
from bus.messages.what_if import Ground
from bus.recorder.reading import NoRecording
from config.command_line import Exit, complain, print_document
from config.pictures import show
from config.settings import retold

_OURS: Final = "WATCHKEEPER_"
_NOTHING_RECORDED: Final = 3
"""How the process of an explanation ends that another source may still give."""


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be replayed, as one argument of the process. Instants are nanoseconds. at_ns: of an explanation, None: the end.

    sets, sweep: of a what-if, as `actors.replay.changes` reads them. steps: stop at each word; stops_at: only where this rule decides.
    report: where a page with a picture goes.
    """

    place: str
    since_ns: int = 0
    until_ns: int = 2**63 - 1
    trade_id: str | None = None
    json: bool = False
    explains: bool = False
    sets: tuple[str, ...] = ()
    sweep: str | None = None
    steps: bool = False
    stops_at: str | None = None
    at_ns: int | None = None
    report: str | None = None


def become(task: Task) -> NoReturn:
    """Turn this process into one that replays: with an interpreter, an environment and a memory without secrets."""
    command, environment = _apart(task)
    os.execve(sys.executable, command, environment)  # noqa: S606  # our own module, with our own words


def tells(task: Task) -> Exit | None:
    """Let such a process work, and return how it ended; None if nothing is recorded there, which it has said."""
    command, environment = _apart(task)
    code = subprocess.run(command, env=environment, check=False).returncode  # noqa: S603  # as above
    if code == _NOTHING_RECORDED:
        return None
    return Exit(code) if code in set(Exit) else Exit.INTERNAL_FAULT


def _apart(task: Task) -> tuple[list[str], dict[str, str]]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    root = str(Path(__file__).parents[2])
    return [sys.executable, "-m", __name__, msgspec.json.encode(task).decode()], environment | {"PYTHONPATH": root}


def main(argument: str) -> int:
    """Replay or explain, and say what came of it."""
    task = msgspec.json.decode(argument, type=Task)
    try:
        if task.explains:
            return _explain(task)
        if task.steps:
            return _step(task)
        return _what_if(task) if task.sets or task.sweep else _replay(task)
    except NoRecording as error:
        complain(str(error))
        return _NOTHING_RECORDED if task.explains else Exit.WRONG_USE
    except NothingRecordedError as error:
        complain(str(error))
        return _NOTHING_RECORDED if task.explains else Exit.NO
    except NotWrittenError as error:
        complain(str(error))
        return Exit.NO


def _replay(task: Task) -> Exit:
    report = _report(task)
    if report is None and len(os.sched_getaffinity(0)) > 1:
        found = replay_on_two(Path(task.place), _wanted(task), retold)
    else:
        found = replay(Path(task.place), _wanted(task), retold, report)
    nothing = f"{task.place} holds nothing to compare there"
    if not found.compared and not found.gaps:
        raise NothingRecordedError(nothing)
    _print(task, found, replay_screen.render(found))
    _finish(report, found.gaps)
    if not found.compared:
        complain(nothing)
    return Exit.NO if found.different or not found.compared else Exit.DONE


def _step(task: Task) -> Exit:
    wanted = _wanted(task)

    def tell(watcher: Watcher) -> Iterator[Stopped]:
        return stops(Path(task.place), watcher, retold, task.until_ns)

    if not converse(Stepper(tell, lambda: Watcher(wanted, task.stops_at)), asked(), json=task.json):
        raise NothingRecordedError(f"{task.place} holds nothing to stop at there")
    return Exit.DONE


def _wanted(task: Task) -> Wanted:
    return Wanted(since_ns=task.since_ns, until_ns=task.until_ns, trade_id=task.trade_id)


def _what_if(task: Task) -> Exit:
    place, changes = Path(task.place), read_changes(task.sets)
    wanted = _wanted(task)
    if task.sweep is None:
        found = what_if(place, wanted, changes, retold)
        _require_life(place, found.ground)
        _print(task, found, what_if_screen.render(found))
        report = _report(task)
        if report is not None:
            # What was recorded is drawn below what would have been: another reading of it.
            replay(place, wanted, retold, report)
            report.compare(found)
            _finish(report, found.ground.gaps)
    else:
        key, values = read_sweep(task.sweep)
        swept = sweep(place, wanted, (key, [read_change(key, value) for value in values]), changes, retold)
        _require_life(place, swept.ground)
        _print(task, swept, what_if_screen.render_sweep(swept))
        if task.report is not None:
            sys.stderr.write(f"report: {write_sweep(swept, Path(task.report))}\n")
    return Exit.DONE


def _require_life(place: Path, ground: Ground) -> None:
    if not ground.lives:
        raise NothingRecordedError(f"{place} tells of no process's beginning there, and a what-if begins with one")


def _explain(task: Task) -> Exit:
    assert task.trade_id is not None
    report = _report(task)
    found = explain(Path(task.place), task.trade_id, task.at_ns, retold, report)
    _print(task, found, explain_screen.render(found))
    _finish(report, found.gaps)
    return Exit.DONE


def _report(task: Task) -> TradeReport | RunReport | None:
    if task.report is None:
        return None
    path = Path(task.report)
    if task.trade_id is not None:
        return TradeReport(task.trade_id, path)
    return RunReport(Path(task.place), task.since_ns, path)


def _finish(report: TradeReport | RunReport | None, gaps: tuple[str, ...]) -> None:
    if report is not None:
        sys.stderr.write(f"report: {report.write(tuple(f'gap: {gap}' for gap in gaps))}\n")


def _print(task: Task, document: Message, picture: RenderableType) -> None:
    if task.json:
        print_document(to_json(document))
    else:
        show(picture)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

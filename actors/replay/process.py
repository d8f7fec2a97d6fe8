"""The process of a replay: `run.py replay` and `explain` become this, and nothing of what reaches NATS, PostgreSQL or a venue comes along.

So a recording, whoever wrote it, has no effect outside: there is no wire here to say anything on. An import contract holds that.
"""

import gc
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from actors.replay.apart import NOTHING_RECORDED, Task
from actors.replay.endings import NothingRecordedError, NotWrittenError
from actors.replay.freezing import NotFrozenError
from bus.messages.envelope import Message
from bus.messages.plain import to_json
from bus.recorder.checkpoints import SUFFIX
from bus.recorder.reading import NoRecording
from config.background import step_back
from config.outcomes import Exit, complain, print_document
from config.settings import retold

if TYPE_CHECKING:
    from rich.console import RenderableType

    from actors.replay.replaying import Wanted
    from actors.replay.reporting import RunReport, TradeReport
    from actors.replay.stops import Watcher
    from bus.messages.replay import Stopped
    from bus.messages.what_if import Ground


_GARBAGE_WAITS: Final = 50_000
"""Words make no cycles: to look for some after each 700 of them takes a twentieth of a replay."""


def main(argument: str) -> int:
    """Replay or explain, and say what came of it."""
    gc.freeze()
    gc.set_threshold(_GARBAGE_WAITS)
    task = msgspec.json.decode(argument, type=Task)
    try:
        if task.checkpoint_every:
            return _make_checkpoints(task)
        if task.explains:
            return _explain(task)
        if task.steps:
            return _step(task)
        return _what_if(task) if task.sets or task.sweep else _replay(task)
    except NoRecording as error:
        complain(str(error))
        return NOTHING_RECORDED if task.explains else Exit.WRONG_USE
    except NothingRecordedError as error:
        complain(str(error))
        return NOTHING_RECORDED if task.explains else Exit.NO
    except NotFrozenError as error:
        complain(f"a checkpoint of {task.place} is not as it was made ({error}): remove its {SUFFIX} files")
        return Exit.NO
    except NotWrittenError as error:
        complain(str(error))
        return Exit.NO


def _replay(task: Task) -> Exit:
    from actors.replay.replaying import replay, replay_in_parts

    def picture() -> "RenderableType":
        from actors.replay import replay_screen

        return replay_screen.render(found)

    report = _report(task)
    if report is None and len(os.sched_getaffinity(0)) > 1:
        found = replay_in_parts(Path(task.place), _wanted(task), retold)
    else:
        found = replay(Path(task.place), _wanted(task), retold, report)
    nothing = f"{task.place} holds nothing to compare there"
    if not found.compared and not found.gaps:
        raise NothingRecordedError(nothing)
    _print(task, found, picture)
    _finish(report, found.gaps)
    if not found.compared:
        complain(nothing)
    return Exit.NO if found.different or not found.compared else Exit.DONE


def _step(task: Task) -> Exit:
    from actors.replay.conversation import asked, converse
    from actors.replay.stepping import Stepper
    from actors.replay.stops import Watcher, stops

    wanted = _wanted(task)

    def tell(watcher: "Watcher") -> "Iterator[Stopped]":
        return stops(Path(task.place), watcher, retold, task.until_ns)

    if not converse(Stepper(tell, lambda: Watcher(wanted, task.stops_at)), asked(), json=task.json):
        raise NothingRecordedError(f"{task.place} holds nothing to stop at there")
    return Exit.DONE


def _wanted(task: Task) -> "Wanted":
    from actors.replay.replaying import Wanted

    return Wanted(since_ns=task.since_ns, until_ns=task.until_ns, trade_id=task.trade_id)


def _what_if(task: Task) -> Exit:
    from actors.replay.changes import read_changes
    from actors.replay.replaying import replay
    from actors.replay.what_if import what_if

    def picture() -> "RenderableType":
        from actors.replay import what_if_screen

        return what_if_screen.render(found)

    if task.sweep is not None:
        return _sweep(task, task.sweep)
    place, wanted = Path(task.place), _wanted(task)
    found = what_if(place, wanted, read_changes(task.sets), retold)
    _require_life(place, found.ground)
    _print(task, found, picture)
    report = _report(task)
    if report is not None:
        # What was recorded is drawn below what would have been: another reading of it.
        replay(place, wanted, retold, report)
        report.compare(found)
        _finish(report, found.ground.gaps)
    return Exit.DONE


def _sweep(task: Task, words: str) -> Exit:
    from actors.replay.changes import read_change, read_changes, read_sweep
    from actors.replay.what_if import sweep

    def picture() -> "RenderableType":
        from actors.replay import what_if_screen

        return what_if_screen.render_sweep(swept)

    place, (key, values) = Path(task.place), read_sweep(words)
    changes = [read_change(key, value) for value in values]
    swept = sweep(place, _wanted(task), (key, changes), read_changes(task.sets), retold)
    _require_life(place, swept.ground)
    _print(task, swept, picture)
    if task.report is not None:
        from actors.replay.reporting import write_sweep

        sys.stderr.write(f"report: {write_sweep(swept, Path(task.report))}\n")
    return Exit.DONE


def _require_life(place: Path, ground: "Ground") -> None:
    if not ground.lives:
        raise NothingRecordedError(f"{place} tells of no process's beginning there, and a what-if begins with one")


def _make_checkpoints(task: Task) -> int:
    """Exit 1 with what is wrong if something was decided otherwise; `NOTHING_RECORDED` if there was nothing to make one of yet."""
    from actors.replay.checkpointing import make_checkpoints

    step_back()
    made = make_checkpoints(Path(task.place), task.checkpoint_every, retold)
    if made.different:
        complain(f"{made.different} words of {task.place} are decided otherwise when they are told again")
        return Exit.NO
    return Exit.DONE if made.checkpoints else NOTHING_RECORDED


def _explain(task: Task) -> Exit:
    from actors.replay.explaining import explain

    def picture() -> "RenderableType":
        from actors.replay import explain_screen

        return explain_screen.render(found)

    assert task.trade_id is not None
    report = _report(task)
    found = explain(Path(task.place), task.trade_id, task.at_ns, retold, report)
    _print(task, found, picture)
    _finish(report, found.gaps)
    return Exit.DONE


def _report(task: Task) -> "TradeReport | RunReport | None":
    if task.report is None:
        return None
    from actors.replay.reporting import RunReport, TradeReport

    path = Path(task.report)
    if task.trade_id is not None:
        return TradeReport(task.trade_id, path)
    return RunReport(Path(task.place), task.since_ns, path)


def _finish(report: "TradeReport | RunReport | None", gaps: tuple[str, ...]) -> None:
    if report is not None:
        sys.stderr.write(f"report: {report.write(tuple(f'gap: {gap}' for gap in gaps))}\n")


def _print(task: Task, document: Message, picture: "Callable[[], RenderableType]") -> None:
    """Print the document, or the picture, for which alone what draws is imported."""
    if task.json:
        print_document(to_json(document))
        return
    from config.pictures import show

    show(picture())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

"""`replay --step` talks: a line asks for a stop, a stop is shown. Lines come from a person or from a pipe."""

import sys
from collections.abc import Callable, Iterable, Iterator

from actors.replay import step_screen
from actors.replay.stepping import Stepper
from bus.messages.plain import to_json
from bus.messages.replay import Stopped
from config.command_line import complain, print_document
from config.pictures import show

_PROMPT = "[Enter] next  b back  NUMBER go there  w words  q quit > "


def asked() -> Iterator[str]:
    """Yield what is asked for: typed at a prompt, or read from a pipe; it ends where that ends."""
    if not sys.stdin.isatty():
        yield from sys.stdin
        return
    try:
        while True:
            yield input(_PROMPT)
    except (EOFError, KeyboardInterrupt):
        sys.stderr.write("\n")


def converse(stepper: Stepper, lines: Iterable[str], *, json: bool) -> bool:
    """Show the first stop, then what `lines` ask for. Returns whether there was one."""
    stop = stepper.forward()
    if stop is None:
        return False
    _show(stop, json=json)
    for line in lines:
        word = line.strip()
        if word in ("q", "quit"):
            break
        if word == "w" and not json:
            show(step_screen.render_whole(stop))
            continue
        move = _move(stepper, word)
        if move is None:
            complain(step_screen.HELP)
            continue
        found = move()
        if found is None:
            complain("the recording has no stop there")
            continue
        stop = found
        _show(stop, json=json)
    return True


def _move(stepper: Stepper, word: str) -> Callable[[], Stopped | None] | None:
    if word in ("", "n"):
        return stepper.forward
    if word == "b":
        return stepper.back
    digits = word.replace(",", "")
    if digits.isascii() and digits.isdigit():
        return lambda: stepper.go_to(int(digits))
    return None


def _show(stop: Stopped, *, json: bool) -> None:
    if json:
        print_document(to_json(stop))
    else:
        show(step_screen.render(stop))

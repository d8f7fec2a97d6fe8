"""How a recording and an instant in it are named on the command line."""

from pathlib import Path

from bus.messages.plain import read_instant
from config.command_line import Common, WrongUse


def instant_of(flag: str, text: str) -> int:
    """Return the instant that was typed. Raises: WrongUse."""
    try:
        return read_instant(text)
    except ValueError as error:
        raise WrongUse(f"{flag} {text}: {error}") from error


def place_of(recording: Path | None, flags: Common) -> Path:
    """Return where the recording is. Raises: WrongUse where there can be none."""
    place = recording or Path(flags.settings().recorder.folder)
    if place == Path():
        raise WrongUse("nothing is recorded here: name a recording, or set recorder.folder")
    return place.absolute()

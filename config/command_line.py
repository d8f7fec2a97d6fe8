"""What all commands share: their flags, their exit codes, and how they speak: one document on stdout, everything else on stderr."""

import os
import sys
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Annotated, Final

from cyclopts import Parameter

from config.settings import Settings, load


class Exit(IntEnum):
    """How a command ended (DESIGN section 6)."""

    DONE = 0
    NO = 1
    """It ran, and the answer is no."""
    WRONG_USE = 2
    NO_ANSWER = 69
    """A server or an answer was missing: the outcome is unknown."""
    INTERNAL_FAULT = 70


class WrongUse(Exception):  # noqa: N818  # what a person did, not a fault
    """The command line says something that cannot be meant; its text says what to write instead."""


class Refused(Exception):  # noqa: N818  # an outcome, not a fault
    """It ran, and the answer is no. Its text says why and what to do."""


class NoAnswer(Exception):  # noqa: N818  # a state of the world, not a fault
    """A server or an answer was missing: the outcome is unknown. Its text says what to do."""


@dataclass(frozen=True, kw_only=True)
class Common:
    """Flags of every command.

    Parameters
    ----------
    config
        A TOML file of settings; without it WATCHKEEPER_CONFIG names one, without that none is read.
    """

    config: Path | None = None

    def settings(self) -> Settings:
        """Return the settings of this process. Raises: ConfigurationError."""
        return load(os.environ, self.config)


@dataclass(frozen=True, kw_only=True)
class Reporting(Common):
    """Flags of every command that reports.

    Parameters
    ----------
    json
        Print one JSON document on stdout instead of text for people.
    """

    json: bool = False


Flags = Annotated[Common, Parameter(name="*")]
ReportFlags = Annotated[Reporting, Parameter(name="*")]
PLAIN: Final = Common()
TEXT: Final = Reporting()
"""Flags as they are when nobody gives any."""


def print_document(document: bytes) -> None:
    """Write one JSON document, whole, as a line of its own."""
    sys.stdout.buffer.write(document + b"\n")
    sys.stdout.buffer.flush()


def complain(text: str) -> None:
    """Say on stderr what went wrong and what to do."""
    sys.stderr.write(f"run.py: {text}\n")


def confirmed(question: str) -> bool:
    """Return whether the person at the terminal says yes. Nobody at one: a script knows what it says."""
    if not sys.stdin.isatty():
        return True
    sys.stderr.write(f"{question}? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")

"""How every command ends and speaks: exit codes, one document on stdout, everything else on stderr."""

import sys
from enum import IntEnum


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

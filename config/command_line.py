"""What all commands share: their flags, and of `config.outcomes` how they end and speak."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

from cyclopts import Parameter

from config.outcomes import Exit, NoAnswer, Refused, WrongUse, complain, confirmed, print_document
from config.settings import Settings, load

__all__ = [
    "PLAIN", "TEXT", "Common", "Exit", "Flags", "NoAnswer", "Refused", "ReportFlags", "Reporting", "WrongUse", "complain", "confirmed",
    "print_document",
]  # fmt: skip


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

"""One environment for the old services, made of what an audit found: a file of variables and an include for each program.

supervisord gives its children its own environment. Whoever loads the file before it is started reaches all of them, exactly: what
goes through `environment=` of its configuration is cut at a quote. So the includes keep of that only what every machine sets
(PATH, PYTHONPATH). Where two places say two things, both are listed, and nobody chooses.
"""

import configparser
import re
import shlex
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from db.migration.rules.surroundings import USUAL
from db.migration.services import environment_of, sections
from db.migration.sources import Source, sources
from db.migration.words import Audit, Variable

VARIABLES: Final = "old-services.env"
CONFLICTS: Final = "conflicts.md"
_PROGRAMS: Final = "programs"
_MADE: Final = re.compile(r"\$|`|%\(")
Values = dict[str, list[str]]
"""Each value of something, and where it stands."""


@dataclass(frozen=True)
class Emitted:
    """What was made. files: their texts by name. conflicts: what somebody has to choose."""

    files: dict[str, str]
    conflicts: tuple[str, ...]


def emit(found: Audit, root: Path) -> Emitted:
    """Return the files for the services of an audit of `root`; writes nothing."""
    programs, doubled = _programs(root)
    lines, unclear = _variables(found)
    conflicts = (*unclear, *doubled, *_others(found))
    files = {VARIABLES: "\n".join(lines) + "\n"}
    files |= {f"{_PROGRAMS}/{name}.conf": text for name, text in programs.items()}
    listed = conflicts or ("None.",)
    files[CONFLICTS] = "# To be chosen by somebody\n\n" + "".join(
        f"- {one}\n" if conflicts else f"{one}\n" for one in listed
    )
    return Emitted(files, conflicts)


def write(made: Emitted, folder: Path) -> None:
    """Write the files below a folder that is new or empty. Raises: FileExistsError, OSError."""
    if folder.exists() and any(folder.iterdir()):
        raise FileExistsError(f"{folder} is not empty")
    for name, text in made.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def _variables(found: Audit) -> tuple[list[str], list[str]]:
    """Return the lines of the file of variables, and what is unclear about them."""
    wanted = _wanted(found)
    lines = [
        "# The environment of the old services. Load it before supervisord is started:",
        f"#   set -a; . ./{VARIABLES}; set +a; exec supervisord -c supervisord.conf",
        f"# Includes for its configuration: {_PROGRAMS}/*.conf. What is commented out is to be filled in by somebody: {CONFLICTS}.",
        "",
    ]
    conflicts = []
    for name in sorted(wanted):
        values, secret = _values(name, found)
        uses = ", ".join(sorted(wanted[name])[:5])
        if secret:
            lines.append(f"# {name}=    a secret: it stands in {', '.join(secret)}; used in {uses}")
            conflicts.append(f"`{name}` is a secret and not copied: it stands in {', '.join(secret)}")
        elif len(values) == 1 and not _MADE.search(value := next(iter(values))):
            lines.append(f"{name}={shlex.quote(value)}")
        elif values:
            told = "; ".join(f"`{value}` in {', '.join(places)}" for value, places in values.items())
            lines.append(f"# {name}=    {told.replace('`', '')}")
            what = "is one of several" if len(values) > 1 else "is made by a shell"
            conflicts.append(f"`{name}` {what}: {told}")
        else:
            lines.append(f"# {name}=    no value was found; used in {uses}")
            conflicts.append(f"`{name}` has no value anywhere; used in {uses}")
    return lines, conflicts


def _wanted(found: Audit) -> dict[str, set[str]]:
    """Return the variables that the services use or are given, and where they are used."""
    theirs = {file for one in found.services for file in one.files}
    wanted: dict[str, set[str]] = defaultdict(set)
    for one in found.variables:
        if one.name in USUAL or "{" in one.name:
            continue
        if one.action == "uses" and one.file in theirs and not _sets_itself(one, found):
            wanted[one.name].add(f"{one.file}:{one.line}")
        elif one.set_for:
            wanted[one.name].add(f"the configuration of {one.set_for}")
    return wanted


def _sets_itself(use: Variable, found: Audit) -> bool:
    return any(one.action == "sets" and one.name == use.name and one.file == use.file for one in found.variables)


def _values(name: str, found: Audit) -> tuple[Values, list[str]]:
    values: Values = defaultdict(list)
    secret = []
    for one in found.variables:
        if one.name == name and one.action == "sets" and one.value is not None:
            place = f"{one.file}:{one.line}"
            if one.value == "***":
                secret.append(place)
            else:
                values[one.value].append(place)
    return dict(values), secret


def _programs(root: Path) -> tuple[dict[str, str], list[str]]:
    """Return an include for each program, and what two configurations say differently of one."""
    told: dict[str, dict[str, Values]] = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
    for source in sources(root):
        if isinstance(source, Source) and source.kind == "supervisor":
            for program, key, value in _keys(source):
                told[program][key][value].append(source.file)
    texts, conflicts = {}, []
    for program, keys in told.items():
        lines = [f"[program:{program}]"]
        for key, values in keys.items():
            if len(values) > 1:
                lines.append(f"; {key}: see {CONFLICTS}")
                both = "; ".join(f"`{value}` in {', '.join(places)}" for value, places in values.items())
                conflicts.append(f"program `{program}`, `{key}`: {both}")
            else:
                lines.append(f"{key}={next(iter(values))}".replace("\n", "\n  "))
        texts[program] = "\n".join(lines) + "\n"
    return texts, conflicts


def _keys(source: Source) -> Iterator[tuple[str, str, str]]:
    try:
        parser = sections(source.text)
    except configparser.Error:
        return  # the audit has told of it
    for section in parser.sections():
        if section.startswith("program:") and re.fullmatch(r"[\w.-]+", program := section.partition(":")[2]):
            for key, value in parser.items(section):
                if key != "environment":
                    yield program, key, value or ""
                elif kept := {name: given for name, given in environment_of(value or "").items() if name in USUAL}:
                    yield program, key, ",".join(f'{name}="{given}"' for name, given in sorted(kept.items()))


def _others(found: Audit) -> Iterator[str]:
    """Yield what the services disagree about besides variables."""
    ports = {
        (one.subject, one.explanation.partition(": ")[0]) for one in found.findings if one.rule == "ports-disagree"
    }
    yield from (f"port of `{service}`: {said}" for service, said in sorted(ports))
    for one in found.findings:
        if one.rule in ("program-missing", "database-copies"):
            yield f"{one.explanation.partition(': ')[0]} ({one.file}:{one.line})"

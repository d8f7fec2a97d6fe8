"""ATTACH: which other file of SQLite a connection takes in, and under which name its tables are used."""

import ast
import re
from collections.abc import Iterable, Iterator
from typing import Final

from db.migration.reading import Reading
from db.migration.words import Attachment, Statement

_ATTACH: Final = re.compile(
    r"^\s*ATTACH\s+(?:DATABASE\s+)?(?P<file>.+?)\s+AS\s+(?P<name>\S+?)\s*;?\s*$", re.IGNORECASE | re.DOTALL
)


def attachments(stated: Iterable[Statement], reading: Reading) -> Iterator[Attachment]:
    """Yield each ATTACH. Where its file is a parameter, that is followed."""
    given = {(site.scope.module.file, site.call.lineno): site for site in reading.sites if len(site.call.args) > 1}
    for one in stated:
        if match := _ATTACH.match(one.sql):
            file = match["file"].strip("\"'")
            site = given.get((one.file, one.line))
            if (
                file in ("?", "%s")
                and site
                and isinstance(site.call.args[1], ast.Tuple | ast.List)
                and site.call.args[1].elts
            ):
                file = reading.texts.of(site.call.args[1].elts[0], site.scope).shown
            name = match["name"].strip("\"'`[]")
            yield Attachment(file=one.file, line=one.line, function=one.function, target=file, name=name)

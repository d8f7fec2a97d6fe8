"""Writes TOML with comments; `tomllib` reads it. No library of the lock does that, and this is all that a plan needs."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Final

_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")
_ON_A_LINE_MAX: Final = 12
Comments = Mapping[str, str]


def written(document: Mapping[str, object], comments: Comments) -> str:
    """Return the document: values first, then tables.

    comments: by the dotted path of keys without numbers (`tables.columns`), lines that stand above the first of that name.
    """
    return "\n".join(_table(document, (), dict(comments))).lstrip("\n") + "\n"


def _table(table: Mapping[str, object], path: tuple[str, ...], comments: dict[str, str]) -> Iterator[str]:
    for key, value in table.items():
        if not _is_tables(value) and not _is_long(value):
            yield from _comment((*path, key), comments)
            yield f"{_key(key)} = {_value(value)}"
    for key, value in table.items():
        if _is_long(value):
            assert isinstance(value, Mapping)
            yield ""
            yield f"[{'.'.join(map(_key, (*path, key)))}]"
            yield from _table(value, (*path, key), comments)
        if _is_tables(value):
            assert isinstance(value, list | tuple)
            for one in value:
                yield ""
                yield from _comment((*path, key), comments)
                yield f"[[{'.'.join(map(_key, (*path, key)))}]]"
                yield from _table(one, (*path, key), comments)


def _is_tables(value: object) -> bool:
    return isinstance(value, list | tuple) and bool(value) and all(isinstance(one, Mapping) for one in value)


def _is_long(value: object) -> bool:
    """Whether it is a mapping that nobody could read on one line: it, or one in it, has many keys."""
    return isinstance(value, Mapping) and (len(value) > _ON_A_LINE_MAX or any(map(_is_long, value.values())))


def _comment(path: tuple[str, ...], comments: dict[str, str]) -> Iterator[str]:
    for line in comments.pop(".".join(path), "").splitlines():
        yield f"# {line}"


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else _text(key)


def _text(text: str) -> str:
    # JSON escapes what TOML must have escaped, but for DEL.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _value(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)
        case str():
            return _text(value)
        case Mapping():
            return (
                "{ " + ", ".join(f"{_key(key)} = {_value(inner)}" for key, inner in value.items()) + " }"
                if value
                else "{}"
            )
        case list() | tuple():
            return "[" + ", ".join(map(_value, value)) + "]"
        case _:
            raise TypeError(f"{type(value).__name__} does not stand in a plan")

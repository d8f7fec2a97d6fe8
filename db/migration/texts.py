"""What text an expression makes, as far as the source tells: constants, formatting, joined paths, functions that return one text.

What it does not tell stands in the text as a hole; nothing is guessed.
"""

import ast
import re
from dataclasses import dataclass, replace
from itertools import islice, product
from pathlib import PurePosixPath
from typing import Final

from db.migration.project import Project
from db.migration.syntax import Scope

_DEEP: Final = 25
_OPTIONS_MAX: Final = 12
_HOLE: Final = re.compile("\ue000([^\ue001]*)\ue001")
ADDRESS: Final = re.compile(r"(?P<before>\w+://[^/\s:@{}]*:)(?P<secret>[^@\s/{}$]+)(?P<after>@)")
"""An address with its password."""
_SAME: Final = frozenset(
    {"os.path.abspath", "os.path.realpath", "os.path.expanduser", "os.path.normpath", "pathlib.Path", "pathlib.PurePath", "str",
     "textwrap.dedent", "inspect.cleandoc", "sqlalchemy.text", "os.fspath"}
)  # fmt: skip


@dataclass(frozen=True)
class Text:
    """A text with holes. formatted: something that may change was put into it."""

    raw: str

    @property
    def shown(self) -> str:
        """For people: a hole as `{expression}`, a password in an address as stars."""
        return masked(_HOLE.sub(r"{\1}", self.raw))

    @property
    def formatted(self) -> bool:
        """Whether anything in it is not known from the source."""
        return bool(_HOLE.search(self.raw))

    def filled(self, name: str) -> str:
        """With every hole as this name and its number, so that it can be parsed."""
        holes = iter(range(1_000_000))
        return _HOLE.sub(lambda _: f"{name}{next(holes)}", self.raw)

    def holes(self) -> list[str]:
        """The expressions that are not known, in their order."""
        return _HOLE.findall(self.raw)


def masked(text: str) -> str:
    """Return a text with the passwords of its addresses as stars."""
    return ADDRESS.sub(r"\g<before>***\g<after>", text)


def hole(expression: ast.AST) -> Text:
    """Return a text of which nothing is known but what makes it."""
    try:
        source = ast.unparse(expression)
    except (RecursionError, ValueError, AttributeError):
        source = "..."
    return Text(f"\ue000{source[:80]}\ue001")


class Texts:
    """Reads expressions of one project."""

    def __init__(self, project: Project) -> None:
        self._project = project
        # Names that are made of each other would be followed round and round, twice as often at each turn.
        self._known: dict[tuple[Scope, str], Text | None] = {}
        self._options: dict[tuple[Scope, str], tuple[Text, ...] | None] = {}

    def every(self, expression: ast.expr, scope: Scope) -> list[Text]:
        """Return each text that a name may stand for; of anything else, the one it makes."""
        if isinstance(expression, ast.Name):
            values = self._project.values(expression.id, scope)
            grows = expression.id in scope.grows
            texts = [self.of(value, around, 1) for value, around in values if not _is_self(value, expression.id)]
            if texts:
                more = hole(expression).raw if grows else ""
                return [replace(text, raw=text.raw + more) for text in dict.fromkeys(texts)]
        if isinstance(expression, ast.IfExp):
            return [*self.every(expression.body, scope), *self.every(expression.orelse, scope)]
        return [self.of(expression, scope)]

    def options(self, expression: ast.expr, scope: Scope, deep: int = 0) -> tuple[Text, ...]:
        """Return every text that an expression may make: of functions that return one of several, and of names that are given several."""
        parts, between = _parts(
            expression, self._project.qualify(expression.func, scope) if isinstance(expression, ast.Call) else None
        )
        if parts and deep < _DEEP:
            each = [self.options(part, scope, deep + 1) for part in parts]
            made = [Text(between.join(text.raw for text in texts)) for texts in islice(product(*each), _OPTIONS_MAX)]
            return tuple(dict.fromkeys(made))
        values = self._alternatives(expression, scope)
        if not values or deep >= _DEEP or any(value is expression for value, _ in values):
            return (self.of(expression, scope),)
        key = (scope, ast.unparse(expression))
        if key not in self._options:
            self._options[key] = None
            found = (text for value, around in values for text in self.options(value, around, deep + 1))
            self._options[key] = tuple(islice(dict.fromkeys(found), _OPTIONS_MAX))
        return self._options[key] or (hole(expression),)

    def _alternatives(self, expression: ast.expr, scope: Scope) -> list[tuple[ast.expr, Scope]]:
        match expression:
            case ast.IfExp(body=one, orelse=other):
                return [(one, scope), (other, scope)]
            case ast.BoolOp(op=ast.Or(), values=values):
                return [(value, scope) for value in values]
            case ast.Name(id=name) if name not in scope.grows and name != "__file__":
                found = self._project.values(name, scope)
                return [] if any(_is_self(value, name) for value, _ in found) else found
            case ast.Call(args=[], keywords=[]) if function := self._project.function(expression, scope):
                return [(value, function) for value in function.returned()]
            case _:
                return []

    def of(self, expression: ast.expr, scope: Scope, deep: int = 0) -> Text:
        """Return the text that an expression makes."""
        if deep > _DEEP:
            return hole(expression)
        match expression:
            case ast.Constant(value=str() | int() | float() as value):
                # Half a pair of surrogates can stand in a source, and in no document.
                return Text(str(value).encode(errors="replace").decode())
            case ast.JoinedStr(values=parts):
                return self._joined(parts, "", scope, deep)
            case ast.FormattedValue(value=value):
                return self.of(value, scope, deep + 1)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return self._joined([left, right], "", scope, deep)
            case ast.BinOp(left=left, op=ast.Div(), right=right):
                return self._joined([left, right], "/", scope, deep)
            case ast.BinOp(left=left, op=ast.Mod(), right=right):
                return self._printed(self.of(left, scope, deep + 1), right)
            case ast.Name() | ast.Attribute():
                return self._once(expression, scope, deep)
            case ast.Call():
                return (
                    self._once(expression, scope, deep)
                    if not expression.args
                    else self._called(expression, scope, deep)
                )
            case _:
                return hole(expression)

    def _once(self, expression: ast.Name | ast.Attribute | ast.Call, scope: Scope, deep: int) -> Text:
        """Return what a name or a call without arguments makes, followed once; while it is being followed, nothing is known of it."""
        key = (scope, ast.unparse(expression))
        if key not in self._known:
            self._known[key] = None
            followed = self._called if isinstance(expression, ast.Call) else self._named
            self._known[key] = followed(expression, scope, deep)  # type: ignore[arg-type]  # each takes its own
        return self._known[key] or hole(expression)

    def _joined(self, parts: list[ast.expr], between: str, scope: Scope, deep: int) -> Text:
        return Text(between.join(self.of(part, scope, deep + 1).raw for part in parts))

    @staticmethod
    def _printed(template: Text, values: ast.expr) -> Text:
        each = iter(values.elts if isinstance(values, ast.Tuple) else [values])
        return Text(re.sub(r"%\(?\w*\)?[sdrfi]", lambda _: hole(next(each, values)).raw, template.raw))

    def _named(self, expression: ast.Name | ast.Attribute, scope: Scope, deep: int) -> Text:
        match expression:
            case ast.Name(id="__file__"):
                return Text(scope.module.file)
            case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=attr):
                owner = scope.owner
                given = owner.assigned.get(f"self.{attr}", owner.assigned.get(attr, [])) if owner else []
                found = [(value, owner or scope) for value in given]
            case ast.Attribute(attr="parent", value=value):
                return self._parent(self.of(value, scope, deep + 1), expression)
            case ast.Name(id=name):
                found = [] if name in scope.grows else self._project.values(name, scope)
            case _:
                found = self._project.constant(expression, scope)
        if any(_is_self(value, expression) for value, _ in found):
            return hole(expression)
        texts = {self.of(value, around, deep + 1) for value, around in found}
        return texts.pop() if len(texts) == 1 else hole(expression)

    def _called(self, call: ast.Call, scope: Scope, deep: int) -> Text:
        name = self._project.qualify(call.func, scope) or ""
        if name == "os.path.join":
            return self._joined(call.args, "/", scope, deep)
        if name in _SAME and call.args:
            return self._joined(call.args, "/", scope, deep)
        if name == "os.path.dirname" and call.args:
            return self._parent(self.of(call.args[0], scope, deep + 1), call)
        if isinstance(call.func, ast.Attribute):
            if call.func.attr in ("strip", "resolve", "absolute", "expanduser", "rstrip", "lstrip", "as_posix"):
                return self.of(call.func.value, scope, deep + 1)
            if call.func.attr == "format":
                return self._formatted(call, self.of(call.func.value, scope, deep + 1))
        function = self._project.function(call, scope)
        if function and not call.args and not call.keywords:
            texts = {self.of(value, function, deep + 1) for value in function.returned()}
            if len(texts) == 1:
                return texts.pop()
        return hole(call)

    @staticmethod
    def _formatted(call: ast.Call, template: Text) -> Text:
        each = iter(call.args)
        return Text(re.sub(r"\{[^{}]*\}", lambda _: hole(next(each, call)).raw, template.raw))

    @staticmethod
    def _parent(text: Text, expression: ast.AST) -> Text:
        if text.raw.endswith("\ue001") or not text.raw:
            return hole(expression)
        return Text(str(PurePosixPath(text.raw).parent))


def _parts(expression: ast.expr, called: str | None) -> tuple[list[ast.expr], str]:
    """Return of what an expression is put together, and what stands between; nothing where it is not put together."""
    match expression:
        case ast.JoinedStr(values=parts):
            return parts, ""
        case ast.FormattedValue(value=value):
            return [value], ""
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return [left, right], ""
        case ast.BinOp(left=left, op=ast.Div(), right=right):
            return [left, right], "/"
        case ast.Call(args=parts) if called == "os.path.join" or called in _SAME:
            return parts, "/"
        case _:
            return [], ""


def _is_self(value: ast.expr, name: str | ast.expr) -> bool:
    """Whether a value is the name itself: what a loop or an unpacking gives it cannot be told."""
    own = name.id if isinstance(name, ast.Name) else name
    return isinstance(value, ast.Name) and value.id == own

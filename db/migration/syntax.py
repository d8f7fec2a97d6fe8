"""One Python file as its syntax tree: what each scope imports, assigns and defines. Walked by a stack: no nesting is too deep."""

import ast
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(eq=False)
class Scope:
    """A module, class or function. assigned: each name with every value that it is given here."""

    module: "Module"
    node: ast.Module | ast.ClassDef | Function | ast.Lambda
    name: str
    parent: "Scope | None"
    imports: dict[str, str] = field(default_factory=dict)
    assigned: dict[str, list[ast.expr]] = field(default_factory=dict)
    grows: set[str] = field(default_factory=set)
    inner: dict[str, "Scope"] = field(default_factory=dict)
    nodes: list[ast.AST] = field(default_factory=list)

    @property
    def function(self) -> str:
        """The qualified name of the innermost function around, empty outside of any."""
        if isinstance(self.node, ast.Lambda) and self.parent:
            return self.parent.function
        return self.name if isinstance(self.node, Function) else ""

    @property
    def owner(self) -> "Scope | None":
        """The class whose method this is, or is in."""
        scope: Scope | None = self
        while scope and not isinstance(scope.node, ast.ClassDef):
            scope = scope.parent
        return scope

    def parameters(self) -> list[str]:
        """The names of a function's parameters, without self."""
        if not isinstance(self.node, Function | ast.Lambda):
            return []
        given = self.node.args
        names = [one.arg for one in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
        return names[1:] if names[:1] in (["self"], ["cls"]) else names

    def returned(self) -> list[ast.expr]:
        """What a function returns, each value."""
        return [node.value for node in self.nodes if isinstance(node, ast.Return) and node.value]

    def yielded(self) -> list[ast.expr]:
        """What a generator yields, each value."""
        return [node.value for node in self.nodes if isinstance(node, ast.Yield) and node.value]


@dataclass(eq=False)
class Module:
    """One file. dotted: its name as an import would say it, from the audited folder on."""

    file: str
    dotted: str
    lines: list[str]
    scopes: list[Scope] = field(default_factory=list)
    parents: dict[ast.AST, ast.AST] = field(default_factory=dict)

    @property
    def top(self) -> Scope:
        """The module's own scope."""
        return self.scopes[0]

    def above(self, node: ast.AST) -> Iterator[ast.AST]:
        """Yield what stands around a node, from inside out."""
        while (parent := self.parents.get(node)) is not None:
            yield parent
            node = parent


def read_module(file: str, text: str) -> Module:
    """Return a file's scopes. Raises: SyntaxError, ValueError, RecursionError, MemoryError: no Python that can be read."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree = ast.parse(text)
    path = PurePosixPath(file)
    parts = [*path.parent.parts, *([] if path.stem == "__init__" else [path.stem])]
    module = Module(file, ".".join(parts), text.split("\n"))
    module.scopes.append(Scope(module, tree, "", None))
    pending: list[tuple[ast.AST, Scope]] = [(child, module.top) for child in reversed(list(ast.iter_child_nodes(tree)))]
    module.parents |= {child: tree for child, _ in pending}
    while pending:
        node, scope = pending.pop()
        scope.nodes.append(node)
        _note(node, scope)
        inner = _inner(node, scope)
        for child in reversed(list(ast.iter_child_nodes(node))):
            module.parents[child] = node
            pending.append((child, inner))
    return module


def _inner(node: ast.AST, scope: Scope) -> Scope:
    if not isinstance(node, ast.ClassDef | Function | ast.Lambda):
        return scope
    own = getattr(node, "name", "<lambda>")
    made = Scope(scope.module, node, f"{scope.name}.{own}" if scope.name else own, scope)
    scope.inner.setdefault(own, made)
    scope.module.scopes.append(made)
    return made


def _note(node: ast.AST, scope: Scope) -> None:
    match node:
        case ast.Import() | ast.ImportFrom():
            scope.imports |= _imported(node, scope.module)
        case ast.Assign(targets=targets, value=value):
            for target in targets:
                _assign(target, value, scope)
        case ast.AnnAssign(target=target, value=ast.expr() as value) | ast.NamedExpr(target=target, value=value):
            _assign(target, value, scope)
        case ast.AugAssign(target=ast.Name(id=name)):
            scope.grows.add(name)
        case ast.withitem(context_expr=value, optional_vars=ast.expr() as target):
            _assign(target, value, scope)
        case ast.For(target=ast.Name(id=name)) | ast.AsyncFor(target=ast.Name(id=name)):
            scope.assigned.setdefault(name, []).append(ast.Name(id=name))
        case _:
            pass


def _imported(node: ast.Import | ast.ImportFrom, module: Module) -> dict[str, str]:
    if isinstance(node, ast.ImportFrom):
        return {alias.asname or alias.name: f"{_origin(node, module)}.{alias.name}" for alias in node.names}
    first = {alias.name.partition(".")[0] for alias in node.names if not alias.asname}
    return {name: name for name in first} | {alias.asname: alias.name for alias in node.names if alias.asname}


def _assign(target: ast.expr, value: ast.expr, scope: Scope) -> None:
    if isinstance(target, ast.Name):
        scope.assigned.setdefault(target.id, []).append(value)
    elif (
        isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and target.value.id in ("self", "cls")
    ):
        (scope.owner or scope).assigned.setdefault(f"self.{target.attr}", []).append(value)
    elif isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
        for one, its in zip(target.elts, value.elts, strict=True):
            _assign(one, its, scope)
    elif isinstance(target, ast.Tuple):
        for one in target.elts:
            if isinstance(one, ast.Name):
                scope.assigned.setdefault(one.id, []).append(ast.Name(id=one.id))


def _origin(node: ast.ImportFrom, module: Module) -> str:
    if not node.level:
        return node.module or ""
    package = module.dotted.split(".")
    if not module.file.endswith("__init__.py"):
        package = package[:-1]
    package = package[: len(package) - node.level + 1]
    return ".".join([*package, *([node.module] if node.module else [])])

"""What Python sources read from outside: environment variables, ports, paths, HTTP services; and the loops that sleep."""

import ast
import re
from collections.abc import Iterator
from typing import Final, Literal

from db.migration.reading import Reading, Site, place
from db.migration.syntax import Scope
from db.migration.words import HttpCall, Loop, PathUse, Port, Variable

_GETS: Final = frozenset({"os.getenv", "os.environ.get", "os.environ.pop", "environ.get", "getenv"})
_ABSOLUTE: Final = re.compile(r"(/(home|Users|tmp|var|etc|opt|usr|root|srv|mnt|private|Volumes)/|~/|[A-Za-z]:\\)\S")
_DATABASE: Final = re.compile(r"\S\.(db|sqlite3?|db3)$")
_LOG: Final = re.compile(r"\S\.log$")
_BRACES: Final = re.compile(r"\{[^{}]*\}")
_SPACED: Final = re.compile(r"[\s,;:<>|*?\"'()](?<!^\w:)")
_URL_PORT: Final = re.compile(r"^\w+://[^/:\s]+:(\d{2,5})")
_METHODS: Final = frozenset({"get", "post", "put", "delete", "patch", "head", "options", "request"})
_CLIENTS: Final = frozenset({"requests", "httpx", "aiohttp"})
_SESSIONS: Final = frozenset(
    {"requests.Session", "requests.session", "httpx.Client", "httpx.AsyncClient", "aiohttp.ClientSession"}
)
SLEEPS: Final = frozenset({"time.sleep", "asyncio.sleep", "gevent.sleep", "eventlet.sleep"})


def variables(reading: Reading) -> Iterator[Variable]:
    """Yield each use and each setting of an environment variable; functions that pass a name on are followed."""
    passed: dict[Scope, int] = {}
    for site in reading.sites:
        if not site.call.args:
            continue
        name = site.call.args[0]
        if site.name in _GETS and isinstance(name, ast.Name) and name.id in site.scope.parameters():
            passed[site.scope] = site.scope.parameters().index(name.id)
        elif site.name in _GETS:
            default = len(site.call.args) > 1 or bool(site.call.keywords)
            yield from _named(name, site, reading, default=default)
        elif site.name in ("os.environ.setdefault", "os.putenv"):
            yield from _named(name, site, reading, default=False, action="sets")
    for site in reading.sites if passed else ():
        function = reading.project.function(site.call, site.scope)
        if function in passed and len(site.call.args) > passed[function]:
            yield from _named(site.call.args[passed[function]], site, reading, default=True)
    for node, scope in reading.nodes(ast.Subscript):
        if reading.project.qualify(node.value, scope) == "os.environ":
            text = reading.texts.of(node.slice, scope)
            action = "uses" if isinstance(node.ctx, ast.Load) else "sets"
            yield Variable(**place(node, scope), name=text.shown, action=action)  # type: ignore[arg-type]


def _named(
    name: ast.expr, site: Site, reading: Reading, *, default: bool, action: Literal["uses", "sets"] = "uses"
) -> Iterator[Variable]:
    text = reading.texts.of(name, site.scope)
    if not text.formatted:
        yield Variable(**site.place, name=text.raw, action=action, default=default)  # type: ignore[arg-type]


def ports(reading: Reading) -> Iterator[Port]:
    """Yield each port number that a name, a key, a keyword or an address tells of."""
    for node, scope in reading.nodes(ast.Assign, ast.keyword, ast.Dict, ast.Constant):
        match node:
            case ast.Assign(targets=[ast.Name(id=name) | ast.Attribute(attr=name)], value=value) if (
                "port" in name.lower()
            ):
                yield from _ports_in(name, value, scope)
            case ast.keyword(arg=str() as name, value=ast.Constant() as value) if name.lower() == "port":
                yield from _port(name, value, scope)
            case ast.Dict(keys=keys, values=values):
                for key, value in zip(keys, values, strict=True):
                    yield from _keyed(key, value, scope)
            case ast.Constant(value=str() as text) if match := _URL_PORT.match(text):
                yield Port(**place(node, scope), port=int(match[1]))  # type: ignore[arg-type]
            case _:
                pass


def _ports_in(name: str, value: ast.expr, scope: Scope) -> Iterator[Port]:
    if isinstance(value, ast.Dict):
        for key, inner in zip(value.keys, value.values, strict=True):
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                yield from _port(key.value, inner, scope)
    else:
        yield from _port(name, value, scope)


def _keyed(key: ast.expr | None, value: ast.expr, scope: Scope) -> Iterator[Port]:
    match key, value:
        case ast.Constant(value="port"), ast.Constant():
            around = next((one for one in scope.module.above(key) if isinstance(one, ast.Dict)), None)
            above = scope.module.parents.get(around) if around else None
            names = [
                one.value
                for one, its in (zip(above.keys, above.values, strict=True) if isinstance(above, ast.Dict) else ())
                if its is around and isinstance(one, ast.Constant) and isinstance(one.value, str)
            ]
            yield from _port(names[0] if names else "port", value, scope)
        case ast.Constant(value=str() as name), ast.Constant() if name.lower().endswith("_port"):
            yield from _port(name, value, scope)
        case _:
            pass


def _port(name: str, value: ast.expr, scope: Scope) -> Iterator[Port]:
    if isinstance(value, ast.Constant) and type(value.value) is int and 0 < value.value < 1 << 16:
        yield Port(**place(value, scope), port=value.value, service=service_of(name))  # type: ignore[arg-type]


def service_of(name: str) -> str | None:
    """Return whose port a name speaks of, or None where it says no more than that it is one."""
    words = [
        word for word in re.split(r"[^a-z0-9]+", name.lower()) if word not in ("port", "ports", "default", "self", "")
    ]
    return "_".join(words) or None


def paths(reading: Reading) -> Iterator[PathUse]:
    """Yield each database, log and absolute path that a text or a joined path makes."""
    for node, scope in reading.nodes(ast.Constant, ast.JoinedStr, ast.Call, ast.BinOp):
        if _is_inner(node, scope):
            continue
        if isinstance(node, ast.Call) and reading.project.qualify(node.func, scope) not in (
            "os.path.join",
            "pathlib.Path",
        ):
            continue
        if isinstance(node, ast.Constant) and not isinstance(node.value, str):
            continue
        shown = reading.texts.of(node, scope).shown
        if "\n" not in shown and len(shown) < 300 and (kind := path_kind(shown)):
            options = tuple(text.shown for text in reading.texts.options(node, scope)) if kind == "database" else ()
            several = options if len(options) > 1 else ()
            yield PathUse(**place(node, scope), path=shown, kind=kind, options=several)  # type: ignore[arg-type]


def _is_inner(node: ast.AST, scope: Scope) -> bool:
    parent = scope.module.parents.get(node)
    if isinstance(parent, ast.Call):
        return ast.unparse(parent.func) in ("os.path.join", "Path") and node in parent.args
    return isinstance(parent, ast.JoinedStr | ast.FormattedValue | ast.BinOp | ast.Expr)


def path_kind(text: str) -> str | None:
    """Return what kind of path a text is, or None if it is none."""
    if _SPACED.search(_BRACES.sub("", text)) or "://" in text:
        return None
    if _DATABASE.search(text):
        return "database"
    if _LOG.search(text):
        return "log"
    return "absolute" if _ABSOLUTE.match(text) else None


def http_calls(reading: Reading) -> Iterator[tuple[HttpCall, ast.expr | None, Scope]]:
    """Yield each call of an HTTP service, through its library or a session of it, with the expression of its address."""
    for site in reading.sites:
        if site.name in ("urllib.request.urlopen", "urlopen"):
            yield *_http(site, "get", reading, timeout=len(site.call.args) > 2), site.scope
            continue
        origin, _, method = (site.name or "").rpartition(".")
        if method in _METHODS and (origin in _CLIENTS or _is_session(site, reading)):
            yield *_http(site, method, reading), site.scope


def _is_session(site: Site, reading: Reading) -> bool:
    value = site.call.func.value if isinstance(site.call.func, ast.Attribute) else None
    return value is not None and session_made(value, site.scope, reading) is not None


def session_made(value: ast.expr, scope: Scope, reading: Reading) -> ast.Call | None:
    """Return the call that made a session of HTTP, or None if an expression is no such session."""
    match value:
        case ast.Call():
            return value if reading.project.qualify(value.func, scope) in _SESSIONS else None
        case ast.Name(id=name):
            found = reading.project.values(name, scope)
        case ast.Attribute(value=ast.Name(id="self"), attr=attr) if scope.owner:
            owner = scope.owner
            found = [(one, owner) for one in owner.assigned.get(f"self.{attr}", [])]
        case _:
            return None
    made = (
        one
        for one, around in found
        if isinstance(one, ast.Call) and reading.project.qualify(one.func, around) in _SESSIONS
    )
    return next(made, None)


def _http(site: Site, method: str, reading: Reading, *, timeout: bool = False) -> tuple[HttpCall, ast.expr | None]:
    arguments = site.call.args[1:] if method == "request" else site.call.args
    url = site.keyword("url") or (arguments[0] if arguments else None)
    every = any(word.arg is None for word in site.call.keywords)
    session = (
        session_made(site.call.func.value, site.scope, reading) if isinstance(site.call.func, ast.Attribute) else None
    )
    # httpx has a time-out of 5 s of its own; aiohttp waits for 300 s, requests and urllib for ever.
    waits = bool(session and any(word.arg == "timeout" for word in session.keywords)) or (site.name or "").startswith(
        "httpx."
    )
    call = HttpCall(
        **site.place,  # type: ignore[arg-type]  # file, line and function
        method=method.upper(),
        url=None if url is None else reading.texts.of(url, site.scope).shown,
        timeout=timeout or waits or every or site.keyword("timeout") is not None,
    )
    return call, url


def loops(reading: Reading) -> Iterator[tuple[Loop, ast.While | ast.For, Scope]]:
    """Yield each `while` loop that sleeps, and each `for` loop over no end."""
    for node, scope in reading.nodes(ast.While):
        if (sleep := _sleep(node, scope, reading)) is not None:
            does = (ast.unparse(one.func) for one in in_body(node) if isinstance(one, ast.Call) and one is not sleep)
            named = tuple(dict.fromkeys(name for name in does if len(name) < 60))
            interval = reading.texts.of(sleep.args[0], scope).shown if sleep.args else None
            yield Loop(**place(node, scope), interval=interval, does=named), node, scope  # type: ignore[arg-type]


def _sleep(loop: ast.While, scope: Scope, reading: Reading) -> ast.Call | None:
    calls = (one for one in in_body(loop) if isinstance(one, ast.Call))
    return next((one for one in calls if reading.project.qualify(one.func, scope) in SLEEPS), None)


def in_body(loop: ast.While | ast.For) -> Iterator[ast.AST]:
    """Yield what stands in a loop's body, functions that are only defined there left out, in the order of lines."""
    pending: list[ast.AST] = list(reversed(loop.body))
    while pending:
        node = pending.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            pending.extend(reversed(list(ast.iter_child_nodes(node))))

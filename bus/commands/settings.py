"""`settings get|set|history`: the stop settings, which live in PostgreSQL, in layers and versions."""

from typing import Annotated, Final, Literal

from cyclopts import App, Parameter
from rich.console import Group, RenderableType

from bus.commands.answers import By, Reason, Result, asked, assignments, built, connected, report, requester
from bus.messages.settings import HistoryGet, SettingsGet, SettingsSet
from bus.messages.system import Reply
from config.command_line import TEXT, Exit, ReportFlags, WrongUse
from config.pictures import plain, table

app = App(
    name="settings",
    help="Look at stop settings and change them, by layer: defaults < strategy < account < symbol < trade.",
)
DOCUMENTS: Final[dict[str, type]] = dict.fromkeys(("settings get", "settings set", "settings history"), Reply)

_MANY: Final = 8

_Layer = Literal["defaults", "strategy", "account", "symbol", "trade"]
_LayerFlag = Annotated[
    _Layer, Parameter(help="Whose settings: for all trades, or a strategy's, account's, symbol's, trade's.")
]
_NameFlag = Annotated[str | None, Parameter(help="Which strategy, account, symbol or trade.")]


@app.command(name="get")
def get_settings(*, layer: _Layer | None = None, name: _NameFlag = None, flags: ReportFlags = TEXT) -> Exit:
    """Show the settings in force, with their version."""
    message = built(SettingsGet, {"layer": layer, "name": name})
    return report(asked(flags, "settings.request.get", message), flags, _picture)


@app.command(name="set")
def set_settings(
    *changes: str,
    layer: _LayerFlag = "defaults",
    name: _NameFlag = None,
    expected_version: Annotated[
        int | None,
        Parameter(help="Change them only if this is still the version; what `settings get` says now unless given."),
    ] = None,
    reason: Reason,
    by: By = None,
    flags: ReportFlags = TEXT,
) -> Exit:
    """Change settings: `settings set probability.floor_percent=30 --reason ...`. `KEY=` removes a key from its layer."""
    if not changes:
        raise WrongUse("say what to change: KEY=VALUE")
    if (layer == "defaults") is not (name is None):
        raise WrongUse("--name goes with every layer but defaults")
    said = {"layer": layer, "name": name, "reason": reason, "requested_by": requester(by)}
    typed = assignments(changes, removable=True)
    with connected(flags) as client:
        version = expected_version
        if version is None:
            current = client.ask("settings.request.get", SettingsGet())
            if not current.ok:
                return report(current, flags, _picture)
            version = current.result["version"]
        message = built(SettingsSet, {**said, "changes": typed, "expected_version": version})
        return report(client.ask("settings.request.set", message), flags, _change_picture)


@app.command
def history(
    *,
    limit: Annotated[int, Parameter(help="At most this many changes, newest first, 1 to 1000.")] = 50,
    after: Annotated[str | None, Parameter(help="Where the page begins: `next` of the page before.")] = None,
    flags: ReportFlags = TEXT,
) -> Exit:
    """Show who changed what, when and why."""
    message = built(HistoryGet, {"limit": limit, "after": after})
    return report(asked(flags, "history.request.settings", message), flags, _history_picture)


def _picture(result: Result) -> RenderableType:
    rows = [
        (layer["layer"], layer["name"], key, value)
        for layer in result["layers"]
        for key, value in sorted(layer["values"].items())
    ]
    return Group(table("Stop settings", ("layer", "name", "setting", "value"), rows), f"Version {result['version']}.")


def _change_picture(result: Result) -> RenderableType:
    return table("Changed", ("version", "layer", "name", "changes"), [_change_row(result)])


def _history_picture(result: Result) -> RenderableType:
    columns = ("when", "by", "why", "version", "layer", "name", "changes")
    rows = [(c.get("ts"), c.get("requested_by"), c.get("reason"), *_change_row(c)) for c in result["changes"]]
    changes = table("Changes of settings", columns, rows)
    return Group(changes, f"More: --after {result['next']}") if result.get("next") else changes


def _change_row(change: Result) -> tuple[object, ...]:
    return change.get("version"), change.get("layer"), change.get("name"), _changes(change)


def _changes(change: Result) -> str:
    """Return each key with what it was and what it is; of many, only how many there are."""
    before, after = change.get("before", {}), change.get("after", {})
    keys = sorted({**before, **after})
    if len(keys) > _MANY:
        return f"{len(keys)} settings; --json lists them"
    return ", ".join(f"{key} {_value(before, key)} -> {_value(after, key)}" for key in keys)


def _value(values: Result, key: str) -> str:
    return plain(values.get(key)) or "unset"

"""`check`: every setting with its origin, then everything that `serve` needs, each line OK or what to do."""

from collections.abc import Callable, Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from bus.messages.plain import to_json
from config.checks import Finding, Probe, Verdict
from config.command_line import TEXT, Exit, ReportFlags, print_document
from config.pictures import show, table
from config.settings import Settings

_STYLES = {Verdict.OK: "green", Verdict.NOTE: "yellow", Verdict.FAIL: "bold red"}


def command(probes: Sequence[Probe]) -> Callable[..., Exit]:
    """Return the command that runs `probes`, in order."""

    def check(*, flags: ReportFlags = TEXT) -> Exit:
        """Show each setting and where it comes from, and test everything that `serve` needs."""
        settings = flags.settings()
        findings = [finding for probe in probes for finding in probe(settings)]
        passed = all(finding.verdict is not Verdict.FAIL for finding in findings)
        if flags.json:
            print_document(to_json(_document(settings, findings, passed=passed)))
        else:
            show(_settings_table(settings))
            show(_findings_picture(findings))
        return Exit.DONE if passed else Exit.NO

    return check


def _document(settings: Settings, findings: list[Finding], *, passed: bool) -> dict[str, object]:
    return {
        "ok": passed,
        "settings": {
            field.key: {"value": field.shown(value), "origin": str(origin)}
            for field, value, origin in settings.values()
        },
        "findings": [
            {"what": finding.what, "verdict": str(finding.verdict), "says": finding.says} for finding in findings
        ],
    }


def _settings_table(settings: Settings) -> RenderableType:
    rows = [(field.key, field.shown(value), origin) for field, value, origin in settings.values()]
    return table("Settings", ("setting", "value", "from"), rows)


def _findings_picture(findings: list[Finding]) -> RenderableType:
    lines = [
        Text.assemble((f"{finding.verdict:<5}", _STYLES[finding.verdict]), f"{finding.what:<14}", finding.says)
        for finding in findings
    ]
    return Group(*lines)

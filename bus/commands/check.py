"""`check`: every setting with its origin, then everything that `serve` needs, or a venue's adapter: each line OK or what to do."""

from collections.abc import Callable, Sequence
from typing import Final

import msgspec
from rich.console import Group, RenderableType
from rich.text import Text

from bus.commands.check_venue import NO_VENUE, VenueCheck, VenueFlags, venue_findings, warning
from bus.messages.plain import to_json
from config.checks import Finding, Probe, Verdict
from config.command_line import TEXT, Exit, Refused, ReportFlags, WrongUse, complain, confirmed, print_document
from config.pictures import show, table
from config.settings import Settings, required


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A setting's value, secrets masked, and where it came from."""

    value: str
    origin: str


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a check. says: how it stands; where `verdict` is FAIL, what to do."""

    what: str
    verdict: Verdict
    says: str


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """What `check --json` prints; settings by key."""

    ok: bool
    settings: dict[str, Shown]
    findings: tuple[Found, ...]


DOCUMENTS: Final[dict[str, type]] = {"check": Checked}
_STYLES = {Verdict.OK: "green", Verdict.NOTE: "yellow", Verdict.FAIL: "bold red"}


def command(probes: Sequence[Probe]) -> Callable[..., Exit]:
    """Return the command that runs `probes`, in order."""

    def check(*, venue: VenueCheck = NO_VENUE, flags: ReportFlags = TEXT) -> Exit:
        """Show each setting and where it comes from, and test everything that `serve` needs; or a venue's adapter."""
        settings = flags.settings()
        tested = probes if venue.venue is None else (_venue_probe(settings, venue),)
        findings = [finding for probe in tested for finding in probe(settings)]
        passed = all(finding.verdict is not Verdict.FAIL for finding in findings)
        if flags.json:
            print_document(to_json(_document(settings, findings, passed=passed)))
        else:
            if venue.venue is None:
                show(_settings_table(settings))
            show(_findings_picture(findings))
        return Exit.DONE if passed else Exit.NO

    return check


def _venue_probe(settings: Settings, flags: VenueFlags) -> Probe:
    """Return the test of one adapter, once whoever asks for it has said yes. Raises: WrongUse, Refused."""
    known = settings.venues.get(flags.venue or "")
    if known is None:
        raise WrongUse(f"--venue {flags.venue}: there is no section [venues.{flags.venue}] in the settings")
    required(settings, "nats.url")
    ground = flags.ground(known.style)
    complain(warning(flags, ground))
    if not flags.yes and not confirmed("Place them"):
        raise Refused("nothing was sent")
    return lambda wanted: venue_findings(wanted, flags, ground)


def _document(settings: Settings, findings: list[Finding], *, passed: bool) -> Checked:
    return Checked(
        ok=passed,
        settings={
            field.key: Shown(value=field.shown(value), origin=str(origin)) for field, value, origin in settings.values()
        },
        findings=tuple(Found(what=each.what, verdict=each.verdict, says=each.says) for each in findings),
    )


def _settings_table(settings: Settings) -> RenderableType:
    rows = [(field.key, field.shown(value), origin) for field, value, origin in settings.values()]
    return table("Settings", ("setting", "value", "from"), rows)


def _findings_picture(findings: list[Finding]) -> RenderableType:
    lines = [
        Text.assemble((f"{finding.verdict:<5}", _STYLES[finding.verdict]), f"{finding.what:<14}", finding.says)
        for finding in findings
    ]
    return Group(*lines)

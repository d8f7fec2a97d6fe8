"""The words for people about NATS and its streams."""

from typing import Final

from bus.messages.lead import WireDown
from bus.messages.notices import Notice, Severity
from bus.messages.units import NS_PER_S

_DOING: Final = {
    "loss": "Messages are lost, and others than ours may rely on them. New trades are halted, every account is compared with its venue; "
    "stops and closes go on as far as the stream takes them. A start refuses this stream until a person has looked: README, "
    "`A stream was lost`. Type: python run.py check",
    "drift": "Nothing is changed by itself. Set it back, or stop Watchkeeper and look. Type: python run.py check",
    "silence": "The server answers, and its streams do not: what is published into them is tried again until it is stored, and closes "
    "that cannot leave are told by themselves. Look at the server's log and its disk. Type: python run.py check",
    "fill": "It refuses what does not fit any more: closes are then tried again, and their trades unprotected. Give it more room "
    "(nats.*_max_mb, and the stream's own limit) or shorten what it keeps. Type: python run.py check",
}


def away(down: WireDown, now_ns: int) -> Notice:
    """NATS has been away for a while."""
    return Notice(
        notice_id=f"nats_away:{down.now_ns}",
        kind="nats_away",
        severity=Severity.CRITICAL,
        title="NATS is away",
        body=f"{down.why[:1000].rstrip('.')}. Nothing is heard and no order leaves: closes that are due wait, and are sent under the "
        "same ids when it returns, if they are still valid then. Type: python run.py check",
        dedupe_key="nats_away",
        ts=now_ns,
    )


def back(down: WireDown, now_ns: int) -> Notice:
    """NATS is there again."""
    return Notice(
        notice_id=f"nats_back:{down.now_ns}",
        kind="nats_back",
        severity=Severity.INFO,
        title="NATS is back",
        body=f"It was away for {(now_ns - down.now_ns) // NS_PER_S} s. What waited is published, in order, under the same ids.",
        dedupe_key="nats_back",
        ts=now_ns,
    )


def alarm(name: str, kind: str, why: str, now_ns: int) -> Notice:
    """A stream, or all of JetStream, is not as it should be. kind: loss, drift, fill or silence."""
    return Notice(
        notice_id=f"stream_alarm:{name}:{kind}:{now_ns}",
        kind="stream_alarm",
        severity=Severity.CRITICAL,
        title=f"{name} needs a person",
        body=f"{why[:1].upper()}{why[1:1000]}. {_DOING[kind]}",
        dedupe_key=f"stream_alarm:{name}:{kind}",
        ts=now_ns,
    )


def well(name: str, kind: str, why: str, now_ns: int) -> Notice:
    """What an alarm said of a stream is over. why: its words."""
    return Notice(
        notice_id=f"stream_well:{name}:{kind}:{now_ns}",
        kind="stream_well",
        severity=Severity.INFO,
        title=f"{name} is as it should be again",
        body=f"It is over: {why[:1000]}.",
        dedupe_key=f"stream_well:{name}:{kind}",
        ts=now_ns,
    )

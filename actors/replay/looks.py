"""How each role of a picture is drawn; its colours stand in page.css, for light and for dark."""

from typing import Final, NamedTuple

from actors.rules.pictures.drawn import Role


class Look(NamedTuple):
    """How a role is drawn: its name in the legend, the shape and size of its marks, the width and dash of its lines."""

    name: str
    symbol: str = "circle"
    size: int = 9
    width: int = 2
    dash: str = "solid"


LOOKS: Final = {
    Role.EXIT: Look("exit price"),
    Role.ASK: Look("ask", width=1),
    Role.BOUND: Look("exit price at best", width=1, dash="dot"),
    Role.ENTRY: Look("entry price", width=1, dash="dot"),
    Role.STOP: Look("stop level", dash="dash"),
    Role.TRAIL: Look("trailing stop", dash="dash"),
    Role.PROFIT: Look("profit level", dash="dash"),
    Role.FED: Look("probability feed"),
    Role.QUOTED: Look("probability by the quote", width=1),
    Role.VALUE: Look("value"),
    Role.GAIN: Look("gain"),
    Role.LOSS: Look("loss"),
    Role.LEVEL: Look("neither"),
    Role.OPEN: Look("open"),
    Role.ARMED: Look("armed"),
    Role.CLOSING: Look("closing"),
    Role.WAIVED: Look("waived"),
    Role.UNPROTECTED: Look("unprotected", symbol="square"),
    Role.STATE: Look("ended"),
    Role.FIRED: Look("stop fired", symbol="star", size=14),
    Role.HELD: Look("held by a guard", symbol="diamond-open", size=10),
    Role.ENTRY_ORDER: Look("entry order", symbol="triangle-right-open"),
    Role.CLOSE_ORDER: Look("close order", symbol="triangle-left-open"),
    Role.REPORT: Look("report, cancel", symbol="circle-open", size=8),
    Role.BOUGHT: Look("entry fill", symbol="triangle-up", size=12),
    Role.CLOSED: Look("close fill", symbol="triangle-down", size=12),
    Role.INFO: Look("notice", symbol="circle", size=7),
    Role.WARNING: Look("warning", symbol="diamond", size=10),
    Role.CRITICAL: Look("critical notice", symbol="hexagram", size=12),
    Role.UNCLEAR: Look("price not known"),
    Role.MARKET: Look("market", symbol="square-open", size=8),
    Role.PERSON: Look("request", symbol="pentagon-open"),
    Role.SYSTEM: Look("system", symbol="x-thin-open"),
    Role.DIFFERENCE: Look("difference", symbol="x", size=11),
    Role.OTHER_RUN: Look("what if", symbol="bowtie", size=11),
}

"""docs/notices.md: each notice, when it is said, and its words. `python -m tests.house.generate` (`make docs`) writes it."""

from typing import Final

from tests.house.notice_examples import Example, examples
from tests.house.source import ROOT

DOCUMENT: Final = ROOT / "docs" / "notices.md"
HEAD: Final = """# Notices

What Watchkeeper tells people, published as `notice.<severity>.<kind>`: each kind, when it is said, and an example of its words.
Those that are critical say what Watchkeeper is doing about it and what to type. The last line of an example is its id, which
is a function of its cause, and the key under which a storm is folded: of one key one notice is delivered in 60 s, a critical
one in 10 s, and the next one says how many were folded into it. `make docs` writes this page from the code.
"""


def shown(example: Example) -> str:
    """Return an example as Markdown, without the words of when it is said."""
    notice = example.notice
    about = f", trade `{notice.trade_id}`" if notice.trade_id else ""
    return "\n>\n".join(
        [
            f"> **{notice.severity}: {notice.title}**",
            f"> {notice.body}",
            f"> `{notice.notice_id}`, folded by `{notice.dedupe_key}`{about}\n",
        ]
    )


def document() -> str:
    """Return docs/notices.md."""
    parts = [HEAD]
    before = ("", "")
    for example in examples():
        kind, when = example.notice.kind, example.when
        if kind != before[0]:
            parts.append(f"## {kind}\n")
        parts.append(f"{when}\n" if (kind, when) != before else "<!-- -->\n")
        parts.append(shown(example))
        before = (kind, when)
    return "\n".join(parts)

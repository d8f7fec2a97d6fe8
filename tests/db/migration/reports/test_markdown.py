"""The audit as Markdown: everything is there, and what the audited files hold stays text."""

import re
from pathlib import Path

from db.migration.audit import audit
from db.migration.reports import markdown
from tests.db.migration.reports.trees import HOSTILE, a_tree


def test_it_has_the_matrix_the_graph_and_each_finding(tmp_path: Path) -> None:
    found = a_tree(tmp_path)

    text = markdown.document(found).decode()

    assert "| door.py | r |" in text
    assert re.search(r'n(\d)\["desk"\]\n  n(\d)\["door"\]', text)
    assert "desk -\\> door -\\> desk" in text
    assert text.count("\n**") == len(found.findings)


def test_no_code_ends_its_block_and_no_text_becomes_a_tag(tmp_path: Path) -> None:
    text = markdown.document(a_tree(tmp_path)).decode()

    # Blocks of code are between two fences of the same length; what is left has no tag.
    outside = re.sub(r"^(`{3,})\w*\n.*?^\1$", "", text, flags=re.DOTALL | re.MULTILINE)
    assert HOSTILE in text
    assert "<" not in outside.replace("\\<", "")


def test_an_audit_of_nothing_is_a_document_too(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")

    text = markdown.document(audit(tmp_path)).decode()

    assert text.startswith("# Audit of")
    assert "None." in text

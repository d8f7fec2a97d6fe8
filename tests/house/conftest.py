import pytest

from tests.house.source import sizes_of_the_house


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Report the sizes, which no test fails for until they are far out. Not with `--no-summary`: to read the house takes seconds."""
    if not terminalreporter.no_summary:
        terminalreporter.write_line(f"The house: {sizes_of_the_house()}.")

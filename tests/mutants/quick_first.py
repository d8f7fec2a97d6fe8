"""pytest: tests with one example run before those with many, so that most mutants die in a moment."""

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let hypothesis wait."""
    items.sort(key=lambda item: item.get_closest_marker("hypothesis") is not None)

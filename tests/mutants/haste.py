"""pytest: what makes a mutant die sooner. Each is tried in a fork of a process that has everything in memory already."""

import gc

import hypothesis
import pytest


def pytest_configure() -> None:
    """Collect no garbage: to look at everything in memory would copy it into each fork. And let no test fail for being slow."""
    hypothesis.settings.register_profile("mutants", deadline=None)
    hypothesis.settings.load_profile("mutants")
    gc.freeze()
    gc.disable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the tests with one example go before those with many."""
    items.sort(key=lambda item: item.get_closest_marker("hypothesis") is not None)

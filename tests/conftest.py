"""Fixtures that every test may use: real servers on free ports, started once for each worker and stopped by their id."""

pytest_plugins = ["tests.fixtures.browser", "tests.fixtures.nats", "tests.fixtures.postgres", "tests.fixtures.proxy"]

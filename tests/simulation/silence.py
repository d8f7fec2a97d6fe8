"""Nobody logs in a simulated world: what happens there is told by its history, and half of it is meant to go wrong."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from loguru import logger


@contextmanager
def silence() -> Iterator[None]:
    """Let nobody log within the block."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    logger.disable("")
    try:
        yield
    finally:
        logger.enable("")
        logging.disable(before)

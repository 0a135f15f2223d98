"""Logs of processes that are ours alone: one line an event that matters, to standard error."""

from __future__ import annotations

import logging

LEVELS = ("debug", "info", "warning", "error", "critical")


def check_level(level: str) -> None:
    """Check the name of a level.

    Raises
    ------
    ValueError
        There is no such level.
    """
    if level.lower() not in LEVELS:
        raise ValueError(f"there is no log level {level!r}; there are {', '.join(LEVELS)}")


def log_to_stderr(level: str) -> None:
    """Write what restride logs from a level on; what tasks log is the user's own to configure."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(name)s %(levelname)s %(message)s"))
    logger = logging.getLogger("restride")
    logger.handlers = [handler]
    logger.setLevel(level.upper())
    logger.propagate = False


def log_errors_only() -> None:
    """Log no more than errors: others that end at the same moment are missed, and that is no news."""
    logging.getLogger("restride").setLevel(logging.ERROR)

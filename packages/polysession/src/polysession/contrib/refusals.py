"""The answer to an error, for each adapter; what the app's operator should know of it goes into the log."""

from __future__ import annotations

import logging

from ..core import http
from ..core.errors import PolysessionError, TooLarge

_log = logging.getLogger("polysession")


def problem_of(error: PolysessionError) -> http.Problem | None:
    """As the core's. A 413 is logged, for the client is told neither size nor setting."""
    if isinstance(error, TooLarge):
        _log.warning("answered 413: %s", error)
    return http.problem_of(error)

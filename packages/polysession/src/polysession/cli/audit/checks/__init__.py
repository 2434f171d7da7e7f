"""Every check, in the order of the report."""

from __future__ import annotations

from dataclasses import replace

from ..check import Check
from . import by_hand, cookie, ending, races, request, sign_in, storage, telemetry, token

_GROUPS = (
    ("The cookie", cookie.CHECKS),
    ("The token", token.CHECKS),
    ("Sign-in", sign_in.CHECKS),
    ("Sign-out and timeouts", ending.CHECKS),
    ("Parallel requests", races.CHECKS),
    ("Requests and answers", request.CHECKS),
    ("The store", storage.CHECKS),
    ("Traces and logs", telemetry.CHECKS),
    ("What the owner must answer", by_hand.CHECKS),
)
CHECKS: tuple[Check, ...] = tuple(replace(one, group=group) for group, checks in _GROUPS for one in checks)

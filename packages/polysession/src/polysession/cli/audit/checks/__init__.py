"""Every check, in the order of the report."""

from __future__ import annotations

from ..check import Check
from . import by_hand, cookie, ending, races, request, sign_in, storage, telemetry, token

CHECKS: tuple[Check, ...] = (
    *cookie.CHECKS,
    *token.CHECKS,
    *sign_in.CHECKS,
    *ending.CHECKS,
    *races.CHECKS,
    *request.CHECKS,
    *storage.CHECKS,
    *telemetry.CHECKS,
    *by_hand.CHECKS,
)

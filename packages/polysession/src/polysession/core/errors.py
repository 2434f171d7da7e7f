"""Every error of the library. This module imports nothing.

PolysessionError
├── InvalidSettings      settings or key files are wrong; every fault in one message
├── InvalidToken         the cookie is malformed or forged: no session, no round trip
├── StoreUnavailable     *unknown*: the store gave no answer in time. Never means "no session"
├── SessionEnded         the session ended, with its reason, while this request worked on it
├── Conflict             attributes were changed by another request and the policy is ``raise``
├── TooLarge             an attribute or session exceeds its limit; nothing was sent
├── InvalidAttribute     a name or value that cannot be stored and come back as its type
├── Unreadable           stored bytes that this release cannot read: sealed without the key, newer, or damaged
├── GenerationOutdated   every session of the principal was ended while it signed in
├── TooManySessions      the principal has its limit of sessions, and the policy refuses one more
└── ReadOnly             a write to a session that a ``session_optional`` view got without its store
"""

from __future__ import annotations


class PolysessionError(Exception):
    """Base of all errors of the library."""


class InvalidSettings(PolysessionError, ValueError):
    """``faults``: one sentence each, none holds a value."""

    def __init__(self, faults: tuple[str, ...]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


class InvalidToken(PolysessionError):
    """``reason``: ``malformed`` or ``forged``. Never holds the token."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"session token is {reason}")
        self.reason = reason


class StoreUnavailable(PolysessionError):
    """The store gave no answer: time-out, CLUSTERDOWN, LOADING, out of memory.

    Whether a write took effect is unknown. The adapters answer 503 with ``Retry-After`` and leave the cookie
    alone.
    """

    def __init__(self, operation: str, cause: str, *, retry_after: int = 2) -> None:
        super().__init__(f"session store gave no answer to {operation}: {cause}")
        self.operation = operation
        self.cause = cause
        self.retry_after = retry_after


class LedgerUnavailable(StoreUnavailable):
    """The ledger's database gave no answer, or too many ask it at once. The store may well be there."""


class SessionEnded(PolysessionError):
    """``reason`` is one of the end reasons of ``record.EndReason``."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"session has ended: {reason}")
        self.reason = reason


class Conflict(PolysessionError):
    """``names``: the attributes that another request changed since they were read."""

    def __init__(self, names: tuple[str, ...]) -> None:
        super().__init__(f"attributes changed by another request: {', '.join(names)}")
        self.names = names


class TooLarge(PolysessionError):
    """``what`` with its size and limit, in bytes or in attributes. ``setting``: of ``SessionSettings``, that limits it."""

    def __init__(self, what: str, size: int, limit: int, *, setting: str) -> None:
        unit = " bytes" if setting.endswith("_bytes") else ""
        super().__init__(f"{what} is {size}{unit}, the limit is {limit}{unit}: SessionSettings.{setting}")
        self.what = what
        self.size = size
        self.limit = limit


class InvalidAttribute(PolysessionError, TypeError):
    """A name or a value that cannot be stored."""


class Unreadable(PolysessionError):
    """What the store holds is of a later release, sealed, or damaged. Nothing was changed. Never holds the
    bytes.
    """

    def __init__(self, what: str) -> None:
        super().__init__(f"stored session cannot be read: {what}")
        self.what = what


class GenerationOutdated(PolysessionError):
    """The generation that a sign-in brought is older than the principal's."""

    def __init__(self, given: int, current: int) -> None:
        super().__init__(f"generation {given} is older than {current}")
        self.given = given
        self.current = current


class TooManySessions(PolysessionError):
    """A sign-in above the limit of sessions a principal, where the policy is ``refuse``. The old session goes on."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"the principal has {limit} sessions, the limit")
        self.limit = limit


class ReadOnly(PolysessionError):
    """The store was away when this view read its session, so it cannot be written."""

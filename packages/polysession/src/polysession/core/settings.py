"""The library's settings: one typed object; every fault in one message."""

from __future__ import annotations

from dataclasses import dataclass

from .errors import InvalidSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionSettings:
    """Times in seconds. Defaults: OWASP Session Management Cheat Sheet's ranges, NIST SP 800-63B's AAL1 and AAL2 bounds.

    ``secure``: ``__Host-`` name prefix and ``Secure``; ``False`` only for plain-HTTP loopback in development.
    """

    idle: int = 30 * 60
    absolute: int = 12 * 3600
    anonymous_idle: int = 24 * 3600
    anonymous_absolute: int = 7 * 24 * 3600
    anonymous_unreturned: int = 3600  # until the cookie came back once
    touch_fraction: int = 20  # a touch is due after idle / 20
    rotation_refusal: int = 30  # after a privilege change the old secret is refused without alarm
    tombstone: int = 3600
    commit_deadline_ms: int = 1000  # merges are retried until then
    attribute_bytes: int = 64 * 1024
    session_bytes: int = 256 * 1024
    attributes: int = 128
    cookie_name: str = "session"
    csrf_cookie_name: str = "csrf"
    secure: bool = True

    def __post_init__(self) -> None:
        faults = tuple(self._faults())
        if faults:
            raise InvalidSettings(faults)

    def _faults(self):  # type: ignore[no-untyped-def]
        raise NotImplementedError

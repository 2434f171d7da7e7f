"""The library's settings: one typed object; every fault in one message."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import get_args

from .errors import InvalidSettings
from .schema import Declaration, Schema, declarations
from .store import LimitPolicy

# RFC 6265 takes a cookie's name from RFC 9110's token.
_COOKIE_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", re.ASCII)
_POSITIVE = (
    "idle",
    "absolute",
    "anonymous_idle",
    "anonymous_absolute",
    "anonymous_unreturned",
    "touch_fraction",
    "rotation_grace",
    "rotation_refusal",
    "sessions_a_principal",
    "tombstone",
    "commit_deadline_ms",
    "attribute_bytes",
    "session_bytes",
    "attributes",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionSettings:
    """Times in seconds. Defaults: OWASP Session Management Cheat Sheet's ranges, NIST SP 800-63B's AAL1 and
    AAL2 bounds.

    ``secure``: ``__Host-`` name prefix and ``Secure``; ``False`` only for plain-HTTP loopback in development.
    """

    idle: int = 30 * 60
    absolute: int = 12 * 3600
    anonymous_idle: int = 24 * 3600
    anonymous_absolute: int = 7 * 24 * 3600
    anonymous_unreturned: int = 3600  # until the cookie came back once
    # "Remember me": the most that ``Session.set_timeouts`` may ask for, from a session's start; 0: no more than above.
    # NIST SP 800-63B, 4.1.3: at least once in 30 days, whatever the activity.
    remember: int = 30 * 24 * 3600
    touch_fraction: int = 20  # a touch is due after idle / 20
    rotate_after: int = 3600  # a signed-in session gets a new secret; 0: never
    rotation_grace: int = (
        30  # from the new secret's first use the old one still works; later it ends the session
    )
    rotation_refusal: int = 30  # after a privilege change the old secret is refused without alarm
    tombstone: int = 3600
    sessions_a_principal: int = (
        100  # ASVS 5.0, 7.1.2: a limit on sessions at once; a principal is on one node
    )
    limit_policy: LimitPolicy = (
        "replace"  # the least recently seen ends; or "refuse": no sign-in above the limit
    )
    commit_deadline_ms: int = 1000  # merges are retried until then
    attribute_bytes: int = 64 * 1024
    session_bytes: int = 256 * 1024
    attributes: int = 128
    cookie_name: str = "session"
    csrf_cookie_name: str = "csrf"
    secure: bool = True
    schema: Schema | None = field(default=None, hash=False)  # what the app declares of its attributes
    declared: Mapping[str, Declaration] = field(init=False, repr=False, compare=False)  # made of ``schema``

    def __post_init__(self) -> None:
        faults = list(self._faults())
        try:
            object.__setattr__(self, "declared", declarations(self.schema))  # frozen for everybody else
        except InvalidSettings as error:
            faults.extend(error.faults)
        if faults:
            raise InvalidSettings(tuple(faults))

    def _faults(self) -> Iterator[str]:
        wrong = {
            name for name in _POSITIVE if type(getattr(self, name)) is not int or getattr(self, name) <= 0
        }
        for name in _POSITIVE:
            if name in wrong:
                yield f"{name} must be a whole number above 0"
        if type(self.rotate_after) is not int or self.rotate_after < 0:
            yield "rotate_after must be a whole number, 0 for never"
        if type(self.remember) is not int or self.remember < 0:
            yield "remember must be a whole number, 0 for none"
        for shorter, longer in (
            ("idle", "absolute"),
            ("anonymous_idle", "anonymous_absolute"),
            ("rotation_refusal", "tombstone"),
            ("attribute_bytes", "session_bytes"),
        ):
            if not wrong & {shorter, longer} and getattr(self, shorter) > getattr(self, longer):
                yield f"{shorter} must not be more than {longer}"
        for name in ("cookie_name", "csrf_cookie_name"):
            given = getattr(self, name)
            if not isinstance(given, str) or not _COOKIE_NAME.fullmatch(given):
                yield f"{name} must be a cookie name without a prefix (RFC 6265)"
            elif given.lower().startswith(("__host-", "__secure-")):
                yield f'{name} must be without a prefix, such as "session": secure puts __Host- before it'
        if type(self.secure) is not bool:
            yield f"secure must be True or False, not {type(self.secure).__name__}"
        if self.limit_policy not in get_args(LimitPolicy):
            yield f"limit_policy must be one of {', '.join(get_args(LimitPolicy))}"
        if self.cookie_name == self.csrf_cookie_name:
            yield "cookie_name and csrf_cookie_name must differ"

"""What an app sees: a mapping that knows its delta. Made by ``manager.SessionManager.open``, one a request.
"""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import Any, Callable, TYPE_CHECKING

from .record import Device, EndReason, Kind

if TYPE_CHECKING:
    from .cookie import Cookie
    from .manager import SessionManager


class Session(MutableMapping[str, Any]):
    """Lazy: nothing is asked of the store before first use of a value, ``principal``, ``end_reason`` or
    ``exists``.

    Not shared between threads: one request, one object. First use raises ``StoreUnavailable`` when the store
    gives no answer; a session that is absent, ended or expired reads as an empty one without a principal.
    Mutable values (dict, list, set) that were read are encoded again at ``commit`` and compared with the
    bytes read, so a nested change is found. Names and values are checked at assignment where possible:
    ``InvalidAttribute``, ``TooLarge``.
    """

    # --- known from the cookie, once its MAC is checked, before the store is asked
    @property
    def id(self) -> str | None:
        """The session ID: of the token, or of the session that this request created. ``None`` without either.
        """
        raise NotImplementedError

    @property
    def token(self) -> str | None:
        """The token's text, for adapters (Django's ``session_key``). Never log it."""
        raise NotImplementedError

    @property
    def kind(self) -> Kind | None: raise NotImplementedError

    # --- asks the store at first use
    @property
    def exists(self) -> bool:
        """A live record stands behind this request's token."""
        raise NotImplementedError

    @property
    def principal(self) -> str | None: raise NotImplementedError

    @property
    def end_reason(self) -> EndReason | None:
        """Why the session that the cookie named has ended; ``None`` when it is live or nothing is known of
        it.
        """
        raise NotImplementedError

    @property
    def created_at(self) -> int: raise NotImplementedError
    @property
    def last_seen_at(self) -> int: raise NotImplementedError
    @property
    def authenticated_at(self) -> int: raise NotImplementedError

    @property
    def idle_expires_at(self) -> int:
        """Milliseconds; as far as this request knows, its own due touch included. 0 when there is no session.
        """
        raise NotImplementedError

    @property
    def absolute_expires_at(self) -> int: raise NotImplementedError

    # --- mapping: __getitem__, __setitem__, __delitem__, __iter__, __len__ (attributes only; the principal is not one)

    @property
    def accessed(self) -> bool:
        """Something of the session was used: answers vary on the cookie."""
        raise NotImplementedError

    @property
    def modified(self) -> bool:
        """There is a delta (nested changes included) that ``commit`` would write."""
        raise NotImplementedError

    @property
    def read_only(self) -> bool: raise NotImplementedError

    def update_attribute(self, name: str, function: Callable[[Any], Any], default: Any = None) -> Any:
        """At commit ``function`` is run on the newest value, again after each conflict; it must be pure.
        Returns the value now seen.
        """
        raise NotImplementedError

    def set_policy(self, name: str, policy: str) -> None:
        """``merge`` (default: mappings merge by key at any depth, last write wins on a leaf) or ``raise``
        (``Conflict``).
        """
        raise NotImplementedError

    def sign_in(self, principal: str, *, generation: int) -> None:
        """At ``commit``: a new session with a new ID and secret and these attributes, and the end of this
        one.

        Also for a session that is signed in already (as the same principal: re-authentication; as another:
        the old attributes are left behind). No grace: a token planted before never reaches what follows it
        (fixation). Raises ``GenerationOutdated`` at commit.
        """
        raise NotImplementedError

    def rotate(self) -> None:
        """At ``commit``: a new secret for the same session (privilege change). The old one is refused at
        once.
        """
        raise NotImplementedError

    def end(self, reason: EndReason = "logout") -> None:
        """At once: the session ends, the cookie is to be cleared, this object is empty and without a
        principal.
        """
        raise NotImplementedError

    def commit(self) -> None:
        """Writes the delta, the due touch, sign-in or rotation; retries merges until the deadline.
        Idempotent.

        Nothing to write: no call. Raises ``StoreUnavailable``, ``Conflict``, ``TooLarge``,
        ``InvalidAttribute``, ``GenerationOutdated``, ``SessionEnded`` (only when there was something to write
        and the session ended meanwhile). Adapters call it before the response's headers leave; a view calls
        it before side effects that need the outcome.
        """
        raise NotImplementedError

    @property
    def cookie(self) -> Cookie | None:
        """After ``commit``: what to put on the response. ``None``: leave the browser's alone. Set at
        creation, sign-in and rotation; clear after ``end``. See ``stale``.
        """
        raise NotImplementedError

    @property
    def stale(self) -> bool:
        """The cookie names nothing that is live (absent, ended or forged): a page navigation may clear it, no
        other answer.
        """
        raise NotImplementedError

    # --- CSRF, the same in every framework
    def csrf_token(self, csrf_cookie: str | None) -> tuple[str, str | None]:
        """A masked token, and a new value for the CSRF cookie where there is neither a session nor a valid
        ``csrf_cookie``. Bound to the session if one is live (asks the store), else to the cookie. Creates no
        session.
        """
        raise NotImplementedError

    def check_csrf(self, csrf_cookie: str | None, given: str | None) -> bool:
        """``given`` fits the live session, or the cookie where there is no live session."""
        raise NotImplementedError

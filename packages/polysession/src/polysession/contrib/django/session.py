"""``request.session``: the core's session, with the methods and names that Django expects."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, MutableMapping
from types import MappingProxyType
from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import CreateError, UpdateError
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import CommandError
from django.http import HttpRequest
from django.middleware.csrf import CSRF_SECRET_LENGTH, CSRF_SESSION_KEY, _unmask_cipher_token  # type: ignore[attr-defined]

from polysession.core.cookie import csrf_cookie_name, find
from polysession.core.errors import SessionEnded, StoreUnavailable
from polysession.core.merge import Policy
from polysession.core.migration import Predecessor
from polysession.core.record import Device
from polysession.core.session import Session

from .asynchronous import AsynchronousNames
from .expiry import SessionExpiry
from .manager import get_manager

_log = logging.getLogger(__name__)

MESSAGES = "_messages"  # what django.contrib.messages calls it; a list with our ``MessageStorage``
NO_META: Mapping[str, Any] = MappingProxyType({})  # of no request

_POLICIES: Mapping[str, Policy] = MappingProxyType({MESSAGES: "list"})


class SessionGone(UpdateError, SessionEnded):
    """``save()`` met a session that has ended: by Django's name and by the library's."""


class NotCleared(CommandError, StoreUnavailable):
    """``clearsessions`` met a store that gave no answer."""

    def __init__(self, cause: StoreUnavailable) -> None:
        StoreUnavailable.__init__(self, cause.operation, cause.cause)
        self.returncode = 1


class SessionStore(AsynchronousNames, SessionExpiry):
    """A request's session, as Django sees it. Not shared between threads.

    Any use may raise `StoreUnavailable`: `SessionMiddleware` makes 503 of it and leaves the cookie alone.
    """

    def __init__(
        self,
        session_key: str | None = None,
        *,
        passive: bool = False,
        optional: bool = False,
        meta: Mapping[str, Any] = NO_META,
        predecessor: Predecessor | None = None,
    ) -> None:
        """``meta``: the request's headers, as Django names them."""
        # Not Django's: it would make a serializer, and validate the key by rules of its own.
        self._given, self._meta = session_key, meta
        self.passive: bool = passive
        self.optional: bool = optional
        self.predecessor = predecessor  # an old session, of one of Django's own engines
        self.csrf_binding: str | None = None  # a new value for that cookie
        self.accessed: bool = False
        self.modified: bool = False
        self.renews: bool = False  # a commit will change the token: sign-in or rotation
        self.refused: bool = (
            False  # the last commit failed: what it left is not to be saved by the middleware
        )
        self.failure: StoreUnavailable | None = None
        self._opened: Session | None = None

    @property
    def session(self) -> Session:
        """The core's session: its ``id`` (for logs), ``end_reason``, ``update``, ``set_policy``."""
        if self._opened is None:
            self._opened = get_manager().open(
                self._given,
                passive=self.passive,
                optional=self.optional,
                device=Device(self._meta.get("HTTP_USER_AGENT", ""), self._meta.get("REMOTE_ADDR", "")),
                predecessor=self.predecessor,
                policies=_POLICIES,
            )
        return self._opened

    @property
    def csrf_cookie(self) -> str | None:
        """What the browser sent: it binds CSRF tokens before a session."""
        return find(self._meta.get("HTTP_COOKIE", ""), csrf_cookie_name(get_manager().settings))

    def mark(self, name: str) -> None:
        """``passive`` or ``optional``, for what the store is asked from now on."""
        setattr(self, name, True)
        if not self.accessed:
            self._opened = None

    @property
    def session_key(self) -> str | None:
        """The session token. Never log it: ``session.id`` is the name for that."""
        return self.session.token

    _session_key = session_key  # pyright: ignore[reportIncompatibleMethodOverride]  # a property in the stubs

    def ask(self) -> Session:
        """The one place where a request first asks the store; `failure` remembers that it gave no answer."""
        self.accessed = True
        session = self.session
        try:
            _ = session.exists
        except StoreUnavailable as error:
            self.failure = error
            raise
        return session

    def _get_session(self, no_load: bool = False) -> MutableMapping[str, Any]:  # noqa: ARG002 - Django's name
        self.ask()
        return _Attributes(self)

    _session = property(_get_session)

    def get(self, key: str, default: Any = None) -> Any:
        return CsrfSecret(self) if key == CSRF_SESSION_KEY else super().get(key, default)

    def __getitem__(self, key: str) -> Any:
        self.accessed = True
        session = self.session
        try:
            value = session.principal if key == SESSION_KEY else session[key]
        except StoreUnavailable as error:
            self.failure = error
            raise
        if value is None and key == SESSION_KEY:
            raise KeyError(key)
        return value

    def __setitem__(self, key: str, value: Any) -> None:
        # A CSRF secret that Django drew at random is not kept: ours is derived.
        if key == CSRF_SESSION_KEY:
            return
        self.accessed = True
        session = self.session
        try:
            if key == SESSION_KEY:
                self.sign_in(str(value))
            else:
                session[key] = value
        except StoreUnavailable as error:
            self.failure = error
            raise
        self.modified = True

    def update(self, *arguments: Any, **values: Any) -> Any:
        """The core's: ``request.session.update("visits", lambda visits: visits + 1, default=0)``, or a mapping's."""
        self.ask()
        if len(arguments) > 1:
            return self.session.update(*arguments, **values)
        _Attributes(self).update(*arguments, **values)
        self.modified = True  # as Django's says; what is written is found by itself
        return None

    def draft(self, name: str, default: Any) -> Any:
        """For a ``SessionSchema`` over ``request.session``."""
        self.ask()
        return self.session.draft(name, default)

    def sign_in(self, principal: str, *, generation: int = 0) -> None:
        """At save. A session of somebody else leaves its attributes behind."""
        self.renews = True
        self.session.sign_in(principal, generation=generation)

    def drop_principal(self) -> None:
        """Signs out at once and keeps the attributes, in a new session."""
        if self.session.principal is not None:
            kept = dict(self.session)
            self.session.end("logout")
            self.session.update(kept)

    def clear(self) -> None:
        self.ask()
        self.modified = True
        self.session.clear()
        self.drop_principal()

    def is_empty(self) -> bool:
        return not self.session.exists and not len(_Attributes(self))

    def cycle_key(self) -> None:
        """At save: a new secret (privilege change), or all that a sign-in does, if there is one."""
        self.ask()
        self.renews = self.modified = True
        self.session.rotate()  # a sign-in that follows takes its place

    def flush(self) -> None:
        """At once: the session ends as ``logout``; what is set afterwards begins a new one."""
        self.ask()
        self.modified = True
        self.renews = False
        self.session.end("logout")

    def commit(self) -> None:
        """Save what there is to save; creates no session that would be empty. Errors: `Session.commit`."""
        self.refused = True
        if self._opened is not None:
            self._opened.commit()
        self.renews = self.refused = False

    def csrf_token(self) -> str:
        """A masked token, bound to the session, else to a cookie of its own. A sign-in or rotation under way is
        committed first: the token belongs to what follows it.
        """
        self.ask()
        if self.renews:
            self.commit()
        token, binding = self.session.csrf_token(self.csrf_binding or self.csrf_cookie)
        self.csrf_binding = binding or self.csrf_binding
        return token

    def check_csrf(self, given: str | None) -> bool:
        self.accessed = True
        try:
            return self.session.check_csrf(self.csrf_cookie, given)
        except StoreUnavailable as error:
            self.failure = error
            raise

    def save(self, must_create: bool = False) -> None:
        """`commit`; and a session that does not exist yet is created even if it is empty, as Django promises."""
        if must_create and self.session.exists:
            raise CreateError
        try:
            self.commit()
        except SessionEnded as error:
            raise SessionGone(error.reason) from error
        if self.session.token is None:
            # Only a write creates: Django's test client saves an empty session to learn its key.
            self.session["_created"] = True
            self.session.commit()
            del self.session["_created"]
            self.session.commit()

    def create(self) -> None:
        self._opened, self._given = None, None
        self.save(must_create=True)

    def exists(self, session_key: str) -> bool:
        return get_manager().open(session_key, passive=True).exists

    def delete(self, session_key: str | None = None) -> None:
        if session_key is None or session_key == self.session_key:
            self.flush()
        else:
            get_manager().open(session_key, passive=True).end("logout")

    def load(self) -> dict[str, Any]:
        return dict(self._session)

    @classmethod
    def clear_expired(cls) -> None:
        """Ends what is due (`SessionManager.end_due`); a keeper leaves nothing to do. Raises `NotCleared` where a part of
        the store gives no answer: ``clearsessions`` then fails with a sentence.
        """
        try:
            ended = get_manager().end_due()
        except StoreUnavailable as error:
            raise NotCleared(error) from error
        _log.info("sessions that were due have ended: %d", ended)


class _Attributes(MutableMapping[str, Any]):
    """The attributes, and the principal under the name that Django has for it."""

    def __init__(self, store: SessionStore) -> None:
        self._store = store

    def __getitem__(self, name: str) -> Any:
        if name != SESSION_KEY:
            return self._store.session[name]
        if self._store.session.principal is None:
            raise KeyError(name)
        return self._store.session.principal

    def __setitem__(self, name: str, value: Any) -> None:
        if name == SESSION_KEY:
            self._store.sign_in(str(value))
        else:
            self._store.session[name] = value

    def __delitem__(self, name: str) -> None:
        if name != SESSION_KEY:
            del self._store.session[name]
        elif self._store.session.principal is None:
            raise KeyError(name)
        else:
            self._store.drop_principal()

    def __iter__(self) -> Iterator[str]:
        yield from self._store.session
        if self._store.session.principal is not None:
            yield SESSION_KEY

    def __len__(self) -> int:
        return len(self._store.session) + (self._store.session.principal is not None)


class CsrfSecret:
    """What Django's CSRF code takes for the 32 characters of its secret: the store is asked when it reads them."""

    def __init__(self, store: SessionStore) -> None:
        self._store = store

    def __len__(self) -> int:
        return CSRF_SECRET_LENGTH

    def __iter__(self) -> Iterator[str]:
        return iter(str(self))

    def __str__(self) -> str:
        return str(_unmask_cipher_token(self._store.csrf_token()))


def store_of(request: HttpRequest) -> SessionStore:
    """The request's session. Raises `ImproperlyConfigured` where another engine or none has opened it."""
    store = getattr(request, "session", None)
    if not isinstance(store, SessionStore):
        raise ImproperlyConfigured("Put polysession.contrib.django.SessionMiddleware first into MIDDLEWARE.")
    return store

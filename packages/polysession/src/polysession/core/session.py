"""What an app sees: a mapping that knows its delta. Made by ``manager.SessionManager.open``, one a request."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from typing import Any, overload

from . import commit, cookie, csrf, timeouts
from .ending import check_reason, end_read, end_unread
from .errors import ReadOnly, StoreUnavailable
from .load import follow, load
from .merge import Policy
from .record import Address, EndReason, Kind, Timeouts
from .state import Context, SignIn, State
from .timeouts import Wish, grant, longest, timeouts_of
from .token import check_principal

NOT_WRITABLE = "the session store gave no answer, so this session cannot be written"


class Session(MutableMapping[str, Any]):
    """Lazy: nothing is asked of the store before first use of a value, ``principal``, ``end_reason`` or
    ``exists``.

    Not shared between threads: one request, one object. First use raises ``StoreUnavailable`` when the store
    gives no answer; a session that is absent, ended or expired reads as an empty one without a principal.
    Mutable values (dict, list, set) that were read are encoded again at ``commit`` and compared with the bytes
    read, so a nested change is found. Names and values are checked at assignment where possible:
    ``InvalidAttribute``, ``TooLarge``.

    A token that sign-in or a rotation replaced within the last ``rotation_refusal`` seconds is *late*: it reads as
    no session, a write raises ``SessionEnded``, and the cookie, which may be the newer one by now, is left alone.
    """

    def __init__(self, context: Context, state: State, *, optional: bool) -> None:
        self._context = context
        self._state = state
        self._optional = optional

    def __repr__(self) -> str:
        return f"<Session {self.id}>"

    # --- known from the cookie, once its MAC is checked, before the store is asked

    @property
    def id(self) -> str | None:
        """The session ID: of the token, or of the session that this request created. ``None`` without either."""
        token = self._state.token
        return token.address.session_id if token else None

    @property
    def address(self) -> Address | None:
        """For a background job that will ``peek_at`` this session: session ID and partition, no secret. ``None`` as
        ``id``.
        """
        token = self._state.token
        return token.address if token else None

    @property
    def token(self) -> str | None:
        """The token's text, for adapters (Django's ``session_key``). Never log it. ``None`` after ``end``."""
        token = self._state.token
        return token.text if token and not self._state.ended else None

    @property
    def kind(self) -> Kind | None:
        token = self._state.token
        return token.kind if token and not self._state.ended else None

    # --- asks the store at first use

    @property
    def exists(self) -> bool:
        """A live record stands behind this request's token."""
        state = self._state
        return (state if state.loaded else self._load()).header is not None

    @property
    def principal(self) -> str | None:
        """Of a sign-in that ``commit`` will carry out, too."""
        state = self._load()
        if state.sign_in is not None:
            return state.sign_in.principal
        return state.header.principal if state.header else None

    @property
    def end_reason(self) -> EndReason | None:
        """Why the session that the cookie named has ended; ``None`` when it is live or nothing is known of it."""
        return self._load().end_reason

    @property
    def created_at(self) -> int:
        """Milliseconds; 0 when there is no session. So are the following."""
        header = self._load().header
        return header.created_at if header else 0

    @property
    def last_seen_at(self) -> int:
        header = self._load().header
        return header.last_seen_at if header else 0

    @property
    def authenticated_at(self) -> int:
        header = self._load().header
        return header.authenticated_at if header else 0

    def authenticated_within(self, seconds: int) -> bool:
        """The principal proved who it is so lately; one that ``commit`` will sign in or re-authenticate does now."""
        state, now = self._load(), self._context.store.now()
        at = now if state.sign_in or state.reauthenticated else self.authenticated_at
        return self.principal is not None and now - at <= seconds * 1000

    @property
    def idle_expires_at(self) -> int:
        """As far as this request knows, its own due touch included. 0 when there is no session."""
        state = self._load()
        if state.header is None:
            return 0
        due = state.touch_due(self._context)
        header = timeouts.touched(state.header, self._context.store.now()) if due else state.header
        return timeouts.expires_at(header, unreturned=self._context.unreturned)

    @property
    def absolute_expires_at(self) -> int:
        header = self._load().header
        return header.absolute_at if header else 0

    @property
    def timeouts(self) -> Timeouts:
        """As ``commit`` will leave them; of the session that a first write would create, where there is none."""
        state, context = self._load(), self._context
        old = state.header if state.sign_in is None else None
        if old is not None and state.wish is None:
            return timeouts_of(old)
        kind = Kind.SIGNED_IN if state.sign_in else old.kind if old else Kind.ANONYMOUS
        began = old.created_at if old else context.store.now()
        return grant(state.wish or Wish(), context.settings, kind, began=began)

    @property
    def keeps_cookie(self) -> bool:
        """The cookie outlives the browser, until the absolute timeout."""
        state, keep = self._load(), self.timeouts.keep
        signed_in = state.sign_in is not None or (
            state.header is not None and bool(state.header.principal_key)
        )
        return not signed_in if keep is None else keep

    # --- mapping: attributes only, the principal is not one

    def __getitem__(self, name: str) -> Any:
        state = self._state
        return (state if state.loaded else self._load()).attributes.get(name)

    def __setitem__(self, name: str, value: Any) -> None:
        self._writable().attributes.set(name, value)

    def __delitem__(self, name: str) -> None:
        self._writable().attributes.delete(name)

    def __contains__(self, name: object) -> bool:
        return name in self._load().attributes

    def __iter__(self) -> Iterator[str]:
        return iter(self._load().attributes)

    def __len__(self) -> int:
        return sum(1 for _ in self._load().attributes)

    @property
    def accessed(self) -> bool:
        """Something of the session was used: answers vary on the cookie."""
        return self._state.accessed

    @property
    def modified(self) -> bool:
        """There is something (nested changes included) that ``commit`` would write, other than a touch."""
        state = self._state
        retimes = (
            state.wish is not None and state.header is not None and self.timeouts != timeouts_of(state.header)
        )
        return bool(state.sign_in or state.creation or state.rotate or state.attributes.changed or retimes)

    @property
    def read_only(self) -> bool:
        """The store gave no answer to a ``session_optional`` request. Does not ask it."""
        return self._state.unknown

    @overload  # type: ignore[override]  # narrower: the values of names are given once, by a mapping or by keywords
    def update(self, name: str, function: Callable[[Any], Any], /, default: Any = None) -> Any: ...

    @overload
    def update(self, other: Mapping[str, Any] | Iterable[tuple[str, Any]], /, **values: Any) -> None: ...

    @overload
    def update(self, **values: Any) -> None: ...

    def update(self, *arguments: Any, **values: Any) -> Any:  # type: ignore[misc]  # mypy: a positional `other`
        """``update(name, function, default=…)``: at commit ``function`` is run on the newest value, again after each
        conflict; it must be pure. Returns the value now seen. (On an attribute that this request assigned before,
        it runs once, like an assignment.) Without a function: a mapping's ``update``.
        """
        if len(arguments) < 2:
            super().update(*arguments, **values)
            return None
        return self._update(*arguments, **values)

    def _update(self, name: str, function: Callable[[Any], Any], default: Any = None) -> Any:
        return self._writable().attributes.update(name, function, default)

    def draft(self, name: str, default: Any) -> Any:
        """The value; else ``default``, which is stored only if it is changed inside: so reading creates no session.
        Its type is a mutable one, or it stays what it is.
        """
        return self._load().attributes.draft(name, default)

    def mark_passive(self) -> None:
        """This request is no activity: ``commit`` will not touch."""
        self._state.passive = True

    def set_policy(self, name: str, policy: Policy) -> None:
        """How changes of an attribute merge, for this request; goes before the schema. See ``merge`` for the
        policies. ``raise``: ``Conflict``; what this request changed is dropped and the newer values are seen.
        """
        self._state.attributes.set_policy(name, policy)

    def sign_in(self, principal: str, *, generation: int) -> None:
        """At ``commit``: a new session with a new ID and secret and these attributes, and the end of this one.

        Also for a session that is signed in already (as the same principal: re-authentication; as another: the
        old attributes are left behind, and are gone from here at once). No grace: a token planted before never
        reaches what follows it (fixation). Where a sign-in of the same principal has ended the cookie's session
        already, its attributes come along too (asks the store). Raises ``GenerationOutdated`` at commit.
        """
        check_principal(principal)
        if type(generation) is not int or not 0 <= generation < 2**32:
            raise ValueError("generation must be a whole number, 0 to 2**32 - 1")
        state = self._writable()
        follow(self._context, state, principal)
        carry = self.principal in (None, principal)
        old = state.sign_in or SignIn(
            principal, generation, carry, state.header, state.token, state.attributes.base
        )
        if not carry:
            state.attributes = state.attributes.renewed({})
        state.sign_in = SignIn(
            principal, generation, carry and old.carry, old.old, old.old_token, old.old_attributes
        )
        state.rotate = False

    def set_timeouts(
        self, *, idle: int | None = None, absolute: float | None = None, keep: bool | None = None
    ) -> None:
        """At ``commit``: other timeouts of this session ("remember me"), or of the one that the same commit creates;
        what is ``None`` is as the settings say. ``idle``: seconds. ``absolute``: seconds from now; without it, an
        ``idle`` beyond the settings' absolute timeout lasts as long as any may. ``keep``: the cookie outlives the
        browser. None of it goes beyond ``SessionSettings.remember`` from the session's start: more is a ``ValueError``
        here; an ``absolute`` that goes beyond it because the session is old is cut. Counts as activity, also
        in a passive request. A sign-in begins anew with the settings', unless it is in the same commit. The cookie of
        a session that exists gets its new lifetime by its next rotation; an anonymous one's stays as it was set.
        """
        state, now = self._writable(), self._context.store.now()
        most = longest(self._context.settings)
        for name, seconds in (("idle", idle), ("absolute", absolute)):
            if seconds is not None and not 0 < seconds <= most:
                raise ValueError(
                    f"{name} must be more than 0 and at most {most} seconds (SessionSettings.remember), "
                    f"not {seconds:g}; end() ends a session"
                )
        state.wish = Wish(idle, None if absolute is None else now + round(absolute * 1000), keep)

    def reauthenticate(self) -> None:
        """At ``commit``: the principal has proved again who it is. ``authenticated_at`` is now, and the secret another,
        without a grace. ``Conflict`` where another request changed the secret meanwhile. Raises ``ValueError`` where
        nobody is signed in.
        """
        state = self._writable()
        if state.sign_in is not None:
            return
        if state.header is None or state.header.principal is None:
            raise ValueError("nobody is signed in: call sign_in()")
        state.rotate = state.reauthenticated = True

    def rotate(self) -> None:
        """At ``commit``: a new secret for the same session (privilege change). The old one is refused at once.
        Without a live session there is nothing to do.
        """
        state = self._writable()
        state.rotate = state.header is not None and state.sign_in is None

    def end(self, reason: EndReason = "logout") -> None:
        """At once: the session ends, the cookie is to be cleared, this object is empty and without a principal.

        Raises ``StoreUnavailable``: neither store nor ledger has it; nothing has changed here and the cookie stays, to
        try again. A later write in the same request makes a new anonymous session.
        """
        check_reason(reason)
        try:
            self._writable()
        except (StoreUnavailable, ReadOnly):
            if not end_unread(self._context, self._state, reason):
                raise
        end_read(self._context, self._state, reason)

    @property
    def end_confirmed(self) -> bool:
        """After ``end``: a replica of the store has it, or there was nothing to end (answer 204). ``False``: it is
        pending until the keeper has repeated it (answer 202).
        """
        return self._state.end_confirmed

    def commit(self) -> None:
        """Writes the delta, the due touch, sign-in or rotation; retries merges until the deadline. Idempotent.

        Nothing to write: no call. Raises ``StoreUnavailable``, ``Conflict``, ``TooLarge``, ``InvalidAttribute``,
        ``GenerationOutdated``, ``SessionEnded`` (only when there was something to write and the session ended
        meanwhile). Adapters call it before the response's headers leave; a view calls it before side effects that
        need the outcome. A merged value is a new object: read it from the session again.
        """
        if self._state.unknown and self._state.attributes.changed:  # inside a draft
            raise ReadOnly(NOT_WRITABLE)
        commit.commit(self._context, self._state)

    @property
    def cookie(self) -> cookie.Cookie | None:
        """After ``commit``: what to put on the response. ``None``: leave the browser's alone. Set at creation,
        sign-in and rotation; clear after ``end``. See ``stale``.
        """
        return self._state.cookie

    @property
    def stale(self) -> bool:
        """The cookie names nothing that is live (absent, ended or forged): a page navigation may clear it, no
        other answer. Does not ask the store: ``False`` while nothing was used.
        """
        state = self._state
        if state.header is not None or state.cookie is not None:
            return False
        gone = state.loaded and state.token is not None and not state.unknown and not state.late
        return state.forged or gone

    # --- CSRF, the same in every framework

    def csrf_token(self, csrf_cookie: str | None) -> tuple[str, str | None]:
        """A masked token, and a new value for the CSRF cookie where there is neither a session nor a valid
        ``csrf_cookie``. Bound to the session if one is live (asks the store), else to the cookie. Creates no
        session. After ``sign_in``, ``commit`` first: the token is bound to what is live now.
        """
        keys, now = self._context.keys, self._context.clock.now()
        session_id = self._csrf_session_id()
        if session_id is not None:
            return csrf.mint(keys, session_id, now, random=self._context.random), None
        if csrf_cookie is not None and csrf.is_binding(csrf_cookie):
            return csrf.mint(keys, csrf_cookie, now, random=self._context.random), None
        binding = csrf.new_binding(self._context.random)
        return csrf.mint(keys, binding, now, random=self._context.random), binding

    def check_csrf(self, csrf_cookie: str | None, given: str | None) -> bool:
        """``given`` fits the live session, or the cookie where nobody is signed in: a form that was rendered before
        the first write of an anonymous session stays good after it. Once signed in, only the session counts. While
        the store gives no answer, one that fits the token's own session ID is good: a sign-out can reach the ledger.
        """
        keys = self._context.keys
        try:
            session_id = self._csrf_session_id()
        except StoreUnavailable:
            if csrf.check(keys, str(self.id), given):
                return True
            raise
        if session_id is not None and csrf.check(keys, session_id, given):
            return True
        if self.kind is Kind.SIGNED_IN and session_id is not None:
            return False
        return csrf.is_binding(csrf_cookie) and csrf.check(keys, csrf_cookie, given)

    def _csrf_session_id(self) -> str | None:
        """Of the live session; of the token's while the store gives no answer (``session_optional``)."""
        state = self._load()
        return self.id if state.header is not None or state.unknown else None

    # --- inside

    def _load(self) -> State:
        state = self._state
        state.accessed = True
        if not state.loaded:
            load(self._context, state, optional=self._optional)
        return state

    def _writable(self) -> State:
        state = self._load()
        if state.unknown:
            raise ReadOnly(NOT_WRITABLE)
        return state

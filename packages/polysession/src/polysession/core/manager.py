"""Where token, record, timeouts, merge and store meet. One a process; thread-safe if its store is."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from .attributes import NO_POLICIES, Attributes
from .clock import Clock, SystemClock
from .ending import Ending, check_reason, end_due, end_one
from .errors import InvalidSettings, InvalidToken
from .events import Events
from .ledger import Ledger, Restorer
from .merge import Policy
from .migration import Predecessor
from .peek import EndedSession, LiveSession, peek_at, peek_of
from .record import Address, Device, EndReason
from .seal import Cipher, Sealer, seal_store
from .session import Session
from .settings import SessionSettings
from .state import Context, State, silent
from .store import Ended, Store
from .token import Keys, KeySource, is_session_id, parse, place, pseudonym

FORGED_MS = 60_000


@dataclass(frozen=True, slots=True)
class SessionInfo:
    """One of a principal's live sessions, for "where you are signed in". Times in milliseconds."""

    id: str
    created_at: int
    last_seen_at: int
    device: Device


def check_manager(given: object) -> SessionManager:
    """What an adapter was given. Raises ``InvalidSettings``, without the value: an address may hold a password."""
    if not isinstance(given, SessionManager):
        raise InvalidSettings((f"{type(given).__name__} is no manager: polysession.connect(…) makes one",))
    return given


class SessionManager:
    """``keys``: what they are for good, or what gives those of this moment: each request keeps the ones that it
    began with. ``cipher`` seals attributes where the ring ``seal`` has a key; ``None``: they are stored plain.
    ``warn``: the log's, for what somebody should mend.
    """

    def __init__(
        self,
        store: Store,
        keys: Keys | KeySource,
        *,
        settings: SessionSettings | None = None,
        clock: Clock | None = None,
        random: Callable[[int], bytes] | None = None,  # secrets.token_bytes
        events: Events | None = None,
        ledger: Ledger | None = None,
        restorer: Restorer | None = None,  # the ledger itself, where there is one
        cipher: Cipher | None = None,
        warn: Callable[[str], None] = silent,
    ) -> None:
        self._store, self._cipher = store, cipher
        self._source: KeySource | None = None if isinstance(keys, Keys) else keys
        context = Context(
            store=store,
            keys=keys if isinstance(keys, Keys) else keys(),
            settings=settings or SessionSettings(),
            clock=clock or SystemClock(),
            random=random or secrets.token_bytes,
            events=events or Events(),
            ledger=ledger,
            restorer=restorer or ledger,
            warn=warn,
        )
        self._shared = self._with_keys(context, context.keys)
        self._warned_at, self._unwarned = float("-inf"), 0  # of other keys: milliseconds, and how often since

    @property
    def _context(self) -> Context:
        """With the keys of this moment."""
        if self._source is not None and (keys := self._source()) is not self._shared.keys:
            self._shared = self._with_keys(self._shared, keys)
        return self._shared

    def _with_keys(self, context: Context, keys: Keys) -> Context:
        sealer = Sealer(keys.seal, self._cipher, context.clock, context.random)
        return replace(context, keys=keys, store=seal_store(self._store, sealer))

    @property
    def context(self) -> Context:
        """What every request shares: for a ledger that restores on behalf of another service."""
        return self._context

    @property
    def settings(self) -> SessionSettings:
        return self._shared.settings

    @property
    def keys(self) -> Keys:
        return self._context.keys

    @property
    def asynchronous(self) -> bool:
        """Its store never blocks an event loop: ``core.bridge.run`` may run what asks it."""
        return bool(getattr(self._store, "asynchronous", False))

    @property
    def events(self) -> Events:
        return self._shared.events

    def open(
        self,
        token: str | None,
        *,
        passive: bool = False,
        optional: bool = False,
        device: Device | None = None,
        predecessor: Predecessor | None = None,
        policies: Mapping[str, Policy] = NO_POLICIES,
    ) -> Session:
        """No IO. A malformed or forged ``token`` opens as none (counted ``invalid``). ``passive``: never touches.
        ``optional``: an unknown store gives an empty read-only session instead of ``StoreUnavailable``. ``device``
        is kept when this request creates a session. ``predecessor``: an old session of another library, where there is
        no ``token``. ``policies``: of attributes that neither the schema nor ``set_policy`` declares.
        """
        context = self._shared if self._source is None else self._context
        parsed, forged = None, False
        if token:
            try:
                parsed, predecessor = parse(context.keys, token), None
            except InvalidToken as error:
                context.events.validated("invalid")
                forged, predecessor = True, None
                if error.reason == "forged":
                    self._warn_of_other_keys(context)
        state = State(
            parsed,
            Attributes({}, context.settings, policies),
            passive=passive,
            device=device,
            forged=forged,
            predecessor=predecessor,
        )
        return Session(context, state, optional=optional)

    def sessions(self, principal: str) -> tuple[SessionInfo, ...]:
        """The principal's live sessions, most recently seen first."""
        partition, principal_key = place(self._context.keys, principal)
        listed, due = self._context.store.list(partition, principal_key)
        self._count_ended(due)
        return tuple(
            SessionInfo(one.session_id, one.header.created_at, one.header.last_seen_at, one.header.device)
            for one in listed
        )

    def peek(self, session_id: str, *, principal: str) -> LiveSession | EndedSession | None:
        """For background jobs: the principal's session as it is now, read-only. Nothing is touched or ended, and it is
        not counted as validated. ``None``: there is none, or it is somebody else's. It may end while the job works:
        whoever acts on it looks again before what cannot be taken back. Raises ``StoreUnavailable``, ``Unreadable``.
        """
        return peek_of(self._context, session_id, principal=principal)

    def peek_at(self, address: Address) -> LiveSession | EndedSession | None:
        """The same for who keeps the address (``Session.address``): an anonymous session's partition is random."""
        return peek_at(self._context, address)

    def end_session(self, principal: str, session_id: str, *, reason: EndReason = "revoked") -> Ending:
        """False: no such live session of this principal. One that had ended before may still be
        ``confirmed``.
        """
        check_reason(reason)
        if not is_session_id(session_id):
            return Ending(0, confirmed=False)
        partition, principal_key = place(self._context.keys, principal)
        # The store compares the principal: partitions are shared, and a session ID is no secret.
        address = Address(partition, session_id)
        return end_one(
            self._context, address, reason, principal=principal, principal_key=principal_key
        ).ending

    def end_principal(
        self, principal: str, *, generation: int, keep: str | None = None, reason: EndReason = "revoked"
    ) -> Ending:
        """``generation``: already raised in the account's database; see ``Store.end_principal``."""
        check_reason(reason)
        partition, principal_key = place(self._context.keys, principal)
        outcome = self._context.store.end_principal(
            partition, principal_key, reason, generation=generation, keep=keep
        )
        self._count_ended(outcome.ended)
        return Ending(len(outcome.ended), outcome.confirmed)

    def record_end(
        self, principal: str, *, generation: int, keep: str | None = None, reason: EndReason = "revoked"
    ) -> bool:
        """In the ledger, if there is one (``False``: there is none). Call it in the transaction that raises the
        generation, and ``end_principal`` after it: should the store then give no answer, the keeper ends them.
        """
        check_reason(reason)
        ledger = self._context.ledger
        if ledger is None:
            return False
        ledger.end_principal(
            principal, reason, generation=generation, at=self._context.store.now(), keep=keep
        )
        return True

    def end_due(self) -> int:
        """Ends what is due now, each session once, and tells how many: what a keeper does each second. At most 1,024 in
        each of the 4,096 partitions. Raises ``StoreUnavailable`` where a part of the store gives no answer.
        """
        self.ping()
        return end_due(self._context.store, self._context.events)

    def count(self) -> int:
        """Unexpired sessions: exact in each partition, no snapshot of the whole."""
        return self._context.store.count()

    def ping(self) -> None:
        """Raises ``StoreUnavailable`` unless the whole store answers."""
        self._context.store.ping()

    def pseudonym(self, principal: str) -> str:
        """``enduser.pseudo.id`` for traces and baggage."""
        return pseudonym(self._context.keys, principal)

    def close(self) -> None:
        self._context.store.close()

    def _warn_of_other_keys(self, context: Context) -> None:
        """Once a minute: the MAC cannot tell who forges from a service that reads other keys. A race costs a line more."""
        now = context.clock.now()
        if abs(now - self._warned_at) < FORGED_MS:
            self._unwarned += 1
            return
        more = f" ({self._unwarned} more since the last line)" if self._unwarned else ""
        self._warned_at, self._unwarned = now, 0
        context.warn(
            f"a session token that none of these keys made{more}: do all services read the same keys? "
            "(It may be forged.)"
        )

    def _count_ended(self, ended: tuple[Ended, ...]) -> None:
        for one in ended:
            self._context.events.ended(one.reason)

"""Old sessions of another library, read once, so that a switch signs nobody out.

The first request that comes with an old cookie and without ours: the old session becomes a new one, in this order, which
makes a crash harmless and parallel requests one: (1) the new session, (2) a claim on the old cookie, (3) the end of the old
session. ID and secret of the new one are HMACs of the old cookie by the placement key, so whoever repeats (1) makes no
second session and gets the same token; a token from before never opens it, and only the keys make it. For ``JOIN``
seconds after (2) other requests that were under way with the old cookie join in; later it is used up. The claim is in the
store, and of a signed-in session in the ledger, too, where there is one: so a store that loses everything makes no cookie
good again.

Who plants an old cookie of their own plants no more than that: a sign-in gives another token, as ever.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol

from . import base64url, timeouts, values
from .attributes import Attributes
from .commit import adopt
from .creation import anonymous_header, signed_in_header
from .errors import GenerationOutdated, InvalidAttribute, InvalidSettings, TooLarge
from .record import TAG_BYTES, Address, Attribute, Header, Record, alter
from .state import Context, Creation, SignIn, State
from .store import Created, Full, Limit
from .timeouts import Wish
from .token import PARTITIONS, check_principal, hash_secret, place

JOIN = 30  # seconds, as the grace of a rotation
PRINCIPAL = "principal"


@dataclass(frozen=True, slots=True)
class OldSession:
    """``generation``: the one that accounts begin with, for an old session has none: so an end of all, which raised it,
    reaches the old ones. ``identity``: attributes without which it would not be the same sign-in (Django's
    ``_auth_user_backend``).
    """

    principal: str | None
    generation: int = 0
    identity: Mapping[str, object] = field(default_factory=dict)
    attributes: Mapping[str, object] = field(default_factory=dict)
    wish: Wish | None = None  # timeouts of its own

    def __post_init__(self) -> None:
        """Raises ``TypeError``, ``ValueError`` for a principal that is none."""
        if self.principal is not None:
            check_principal(self.principal)


class OldSessions(Protocol):
    """``name``: of the old library. ``lasts``: seconds that an old cookie would still be good after ``delete``, which
    cannot take it back where the session is in the cookie itself.
    """

    name: str
    lasts: int

    def read(self, cookie: str) -> OldSession | None:
        """``None``: there is none, or it is not to be taken over. Raises ``StoreUnavailable`` where nobody can tell."""
        ...

    def delete(self, cookie: str) -> None:
        """May be repeated."""
        ...


def check_until(given: object) -> date:
    """From that day on (UTC) no old session is read. Raises ``InvalidSettings``: a datetime is compared with no day."""
    if not isinstance(given, date) or isinstance(given, datetime):
        kind = type(given).__name__
        raise InvalidSettings((f"until must be a datetime.date, such as date(2027, 3, 1), not {kind}",))
    return given


class Predecessor:
    """Of one request. ``exchanged``: there is a new session in place of the old; its cookie may go. ``left``: names of
    attributes that could not come along.
    """

    def __init__(self, old: OldSessions, cookie: str) -> None:
        self._old = old
        self._cookie = cookie
        self.exchanged: bool = False
        self.left: tuple[str, ...] = ()

    def __call__(self, context: Context, state: State) -> None:
        """Once a request, at first use of its session. Raises ``StoreUnavailable``."""
        claim = self._claim(context)
        if not self._join(context, state, claim):
            old = self._old.read(self._cookie)
            if old is None:
                self._join(context, state, claim)  # another request may have been quicker
            elif not self._is_used_up(context, claim, old.principal) and self._create(context, state, old):
                self._exchange(context, claim, old.principal)
                self._old.delete(self._cookie)
                self._adopt(context, state, old.principal)
                context.events.migrated("partly" if self.left else "whole")
        if not self.exchanged:
            context.events.migrated("refused")

    def _join(self, context: Context, state: State, claim: Address) -> bool:
        """``True``: the old cookie is used up; the new session is this request's, too, if that was a moment ago."""
        found = context.store.read(claim)
        if found is None:
            return False
        self._old.delete(self._cookie)  # again: whoever put the claim may have died before, and a claim ends
        if isinstance(found, Record) and context.store.now() < found.header.created_at + JOIN * 1000:
            principal = found.attributes.get(PRINCIPAL)
            self._adopt(context, state, values.decode(principal.value) if principal else None)
        return True

    def _is_used_up(self, context: Context, claim: Address, principal: str | None) -> bool:
        """By the ledger, after the store has lost the claim. The store gets it again: the next use asks no ledger."""
        if context.ledger is None or principal is None:
            return False
        at = context.ledger.exchanged_at(self._address(context, principal))
        if at is None or context.store.now() < at + JOIN * 1000:
            return False
        self._put_claim(context, claim, principal, at=at)
        self._old.delete(self._cookie)
        return True

    def _exchange(self, context: Context, claim: Address, principal: str | None) -> None:
        now = context.store.now()
        if context.ledger is not None and principal is not None:
            context.ledger.exchange(self._address(context, principal), at=now)
        self._put_claim(context, claim, principal, at=now)

    def _create(self, context: Context, state: State, old: OldSession) -> bool:
        state.wish = old.wish
        attributes = self._attributes(context, state, old)
        address, secret = self._address(context, old.principal), self._secret(context)
        if old.principal is None:
            header, limit = anonymous_header(context, state), None
        else:
            sign_in = SignIn(old.principal, old.generation, carry=False)
            header = signed_in_header(context, state, sign_in, place(context.keys, old.principal)[1])
            limit = Limit(context.settings.sessions_a_principal, context.settings.limit_policy)
        state.wish = None
        record = Record(self._hashed(context, header, secret), attributes)
        if context.ledger is not None and old.principal is not None:
            try:
                context.ledger.sign_in(address, record.header)
            except GenerationOutdated:
                return False
        outcome = context.store.create(address, record, limit=limit)
        if isinstance(outcome, Full) and context.ledger is not None:
            context.ledger.end(address, "revoked", at=context.store.now(), principal=old.principal)
        if isinstance(outcome, Created):
            context.events.created(header.kind)
            for ended in outcome.due:
                context.events.ended(ended.reason)
        return isinstance(outcome, Created)

    def _attributes(self, context: Context, state: State, old: OldSession) -> Mapping[str, Attribute]:
        attributes = state.attributes.renewed({})
        left = []
        for name, value in {**old.attributes, **old.identity}.items():
            try:
                attributes.set(name, value)
            except (InvalidAttribute, TooLarge):
                left.append(str(name))
        self.left = tuple(left)
        try:
            return attributes.all(context.random)
        except TooLarge:  # all together: who is signed in stays so
            self.left = tuple(str(name) for name in old.attributes)
            return _only(state.attributes.renewed({}), old.identity).all(context.random)

    def _put_claim(self, context: Context, claim: Address, principal: str | None, *, at: int) -> None:
        lasts = max(2 * JOIN, self._old.lasts) * 1000
        header = Header(b"", "", at, at, idle=lasts, absolute_at=at + lasts, returned=True, claim=True)
        attribute = Attribute(context.random(TAG_BYTES), values.encode(principal))
        hashed = self._hashed(context, header, self._secret(context))
        context.store.create(claim, Record(hashed, {PRINCIPAL: attribute}))

    def _adopt(self, context: Context, state: State, principal: str | None) -> None:
        """What the store has: another request may have made it, and changed it since."""
        address, secret = self._address(context, principal), self._secret(context)
        found = context.store.read(address)
        if not isinstance(found, Record) or not self._opens(context, found.header, secret):
            return
        self.exchanged = True
        adopt(context, state, Creation(address, secret, found), found.header)
        state.attributes = state.attributes.renewed(found.attributes)

    def _opens(self, context: Context, header: Header, secret: str) -> bool:
        now = context.store.now()
        live = timeouts.expiry(header, now, unreturned=context.unreturned) is None
        given = hash_secret(context.keys, secret, header.pepper_id)
        return live and hmac.compare_digest(given, header.secret_hash)

    def _hashed(self, context: Context, header: Header, secret: str) -> Header:
        pepper = context.keys.pepper.signing(context.clock.now())
        return alter(header, secret_hash=hash_secret(context.keys, secret, pepper.id), pepper_id=pepper.id)

    def _address(self, context: Context, principal: str | None) -> Address:
        partition = (
            _partition(self._derive(context, "new"))
            if principal is None
            else place(context.keys, principal)[0]
        )
        return Address(partition, base64url.encode(self._derive(context, "new")[2:14]))

    def _claim(self, context: Context) -> Address:
        derived = self._derive(context, "claim")
        return Address(_partition(derived), base64url.encode(derived[2:14]))

    def _secret(self, context: Context) -> str:
        return base64url.encode(self._derive(context, "secret")[:24])

    def _derive(self, context: Context, what: str) -> bytes:
        message = f"migration\0{what}\0{self._old.name}\0{self._cookie}".encode()
        return hmac.digest(context.keys.placement, message, "sha256")


def is_canonical(signed: str) -> bool:
    """The signature after the last dot (itsdangerous') is written in the one way that its bytes have. Base64 has spare
    bits in its last character, and its decoders skip what is none of its alphabet: one signed cookie would be many, each
    with a claim of its own, so that a used-up one would be good again.
    """
    given = signed.rpartition(".")[2]
    try:
        decoded = base64url.decode(given)
    except ValueError:
        return False
    return base64url.encode(decoded) == given


def _only(attributes: Attributes, given: Mapping[str, object]) -> Attributes:
    for name, value in given.items():
        attributes.set(name, value)
    return attributes


def _partition(derived: bytes) -> int:
    return int.from_bytes(derived[:2], "big") % PARTITIONS

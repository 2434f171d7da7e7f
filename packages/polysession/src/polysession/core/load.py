"""A request's token, judged by what the store has: one read, no write but the end of what has expired."""

from __future__ import annotations

import hmac

from . import timeouts
from .attributes import Attributes
from .errors import InvalidToken, StoreUnavailable
from .record import Address, Header, Record, Tombstone
from .state import Context, State
from .store import Conflicted, Ended
from .token import Token, hash_secret, place


def load(context: Context, state: State, *, optional: bool) -> None:
    """At first use. Raises ``StoreUnavailable``, unless ``optional``; then the session is empty and read-only.

    Compares the secret in constant time before anything of the record is used. Judged by the store's clock.
    """
    token = state.token
    if token is None:
        state.loaded = True
        return
    try:
        _judge(context, state, token)
    except StoreUnavailable:
        context.events.validated("unknown")
        if not optional:
            raise
        state.unknown = True
    state.loaded = True


def _judge(context: Context, state: State, token: Token) -> None:
    found = context.store.read(token.address)
    if isinstance(found, Record) and _fits(context, state, token, found.header):
        found = _end_if_expired(context, token, found)
    elif isinstance(found, Record):
        found = None
    if isinstance(found, Record):
        state.header = found.header
        state.attributes = Attributes(found.attributes, context.settings)
        context.events.validated("live")
    elif isinstance(found, Tombstone):
        state.end_reason = found.reason
        state.late = found.reason == "rotated-away" and _is_recent(context, found)
        state.successor = found.successor
        context.events.validated("ended")
    else:
        context.events.validated("absent")


def follow(context: Context, state: State, principal: str) -> None:
    """The cookie's session was ended by a sign-in whose answer the browser did not have when it sent this one (it got
    none, or is in another tab). If it was the same principal's, this sign-in begins with what that one took along,
    under what was set since. That session is left as it is: either answer may reach the browser last.
    """
    if not state.successor:
        return
    partition, principal_key = place(context.keys, principal)
    found = context.store.read(Address(partition, state.successor))
    state.successor = ""  # answered: once is enough
    if not isinstance(found, Record) or found.header.principal_key != principal_key:
        return
    if timeouts.expiry(found.header, context.store.now(), unreturned=context.unreturned) is None:
        since = state.attributes
        state.attributes = Attributes(found.attributes, context.settings)
        for name in since:
            state.attributes.set(name, since.get(name))


def _fits(context: Context, state: State, token: Token, header: Header) -> bool:
    """The token's secret is the record's. Sets ``state.late`` where the browser has, or may have, a newer token."""
    try:
        given = hash_secret(context.keys, token.secret, header.pepper_id)
    except InvalidToken:
        return False  # the pepper is gone: nobody can tell any more whose secret it is
    if hmac.compare_digest(given, header.secret_hash):
        return True
    replaced = hmac.compare_digest(given, header.previous_hash)
    # A count ahead of the record: Redis lost a rotation. The right token looks wrong, so it is not cleared.
    lost_rotation = token.rotation_count > header.rotation_count
    state.late = lost_rotation or (replaced and context.store.now() < header.previous_until)
    return False


def _is_recent(context: Context, tombstone: Tombstone) -> bool:
    """Sign-in put it there so lately that this request may have been under way with the old token."""
    return context.store.now() < tombstone.ended_at + context.settings.rotation_refusal * 1000


def _end_if_expired(context: Context, token: Token, record: Record) -> Record | Tombstone | None:
    """Until there is a keeper, the read that meets an expired record ends it."""
    now = context.store.now()
    reason = timeouts.expiry(record.header, now, unreturned=context.unreturned)
    if reason is None:
        return record
    try:
        outcome = context.store.end(token.address, reason, principal_key=record.header.principal_key)
    except StoreUnavailable:
        return Tombstone(reason, now)  # the read was answered and it has expired: that is known
    if isinstance(outcome, Ended):
        context.events.ended(outcome.reason)
        return Tombstone(outcome.reason, now)
    if isinstance(outcome, Conflicted):
        return _read_again(context, token, record)
    return outcome if isinstance(outcome, Tombstone) else None


def _read_again(context: Context, token: Token, record: Record) -> Record | Tombstone | None:
    """By the store it has not expired: touched meanwhile by a parallel request, or its clock is behind ours."""
    found = context.store.read(token.address)
    if isinstance(found, Record) and found.header.secret_hash != record.header.secret_hash:
        return None
    return found

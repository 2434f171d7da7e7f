"""A request's token, judged by what the store has: one read, no write but the end of what has expired."""

from __future__ import annotations

import hmac

from . import timeouts
from .errors import InvalidToken, StoreUnavailable
from .record import Header, Kind, Record, Tombstone
from .state import Context, State
from .store import Conflicted, Ended
from .token import Token, hash_secret


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
    restorer = context.restorer if found is None and token.kind is Kind.SIGNED_IN else None
    if restorer is not None and restorer.restore(context, token):
        found = context.store.read(token.address)
    if isinstance(found, Record) and _fits(context, state, token, found.header):
        found = _end_if_expired(context, token, found)
    elif isinstance(found, Record):
        found = None
    if isinstance(found, Record):
        state.header = found.header
        state.attributes = state.attributes.renewed(found.attributes)
        context.events.validated("live")
    elif isinstance(found, Tombstone):
        state.end_reason = found.reason
        state.late = found.reason == "rotated-away" and _is_recent(context, found)
        context.events.validated("ended")
    else:
        context.events.validated("absent")


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

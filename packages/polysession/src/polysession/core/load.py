"""A request's token, judged by what the store has: one read, no write but the end of what has expired or
was stolen.
"""

from __future__ import annotations

from . import timeouts
from .errors import StoreUnavailable
from .record import Address, Kind, Record, Tombstone
from .rotation import Standing, judge
from .state import Context, State
from .store import Conflicted, Ended, Written
from .token import Token, place


def load(context: Context, state: State, *, optional: bool) -> None:
    """At first use. Raises ``StoreUnavailable``, unless ``optional``; then the session is empty and read-only.

    Compares the secret in constant time before anything of the record is used. Judged by the store's clock.
    """
    try:
        if state.token is not None:
            _judge(context, state, state.token)
        elif state.predecessor is not None:
            state.predecessor(context, state)
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
    if isinstance(found, Record):
        found = _admit(context, state, token, found)
    if isinstance(found, Record):
        state.header = found.header
        state.attributes.begin(found.attributes)
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
        state.attributes = since.renewed(found.attributes)
        for name in since:
            state.attributes.set(name, since.get(name))


def _admit(context: Context, state: State, token: Token, record: Record) -> Record | Tombstone | None:
    """The record, if the token's secret opens it and it has not expired. Sets what ``commit`` and the cookie rules
    need to know of the token's standing.
    """
    now, header = context.store.now(), record.header
    standing = judge(context.keys, token, header, now=now)
    if standing is Standing.CURRENT:  # as nearly always
        if timeouts.expiry(header, now, unreturned=context.unreturned) is None:
            return record
        return _end_if_expired(context, state, token, record)
    if standing is not Standing.STOLEN:
        state.standing, state.late = standing, standing.spares_cookie
        return _end_if_expired(context, state, token, record) if standing.opens else None
    found = _end_if_expired(context, state, token, record)
    return _end_stolen(context, state, token, found) if isinstance(found, Record) else found


def _end_stolen(context: Context, state: State, token: Token, record: Record) -> Record | Tombstone | None:
    """Ends the session for both who hold its tokens: nobody can tell the thief. Judged again after a script's
    answer, which corrects our clock: one that is ahead must not take a grace for its end.
    """
    key = record.header.principal_key
    try:
        outcome = context.store.write(token.address, {})
        standing = judge(context.keys, token, record.header, now=context.store.now())
        if isinstance(outcome, Written) and standing is not Standing.STOLEN:
            state.standing, state.late = standing, standing.spares_cookie
            return record if standing.opens else None
        ended = context.store.end(token.address, "theft", principal_key=key)
    except StoreUnavailable:
        state.late = True  # refused; the next use is judged again
        return None
    if isinstance(ended, Ended):
        context.events.ended(ended.reason)
        return Tombstone(ended.reason, context.store.now())
    return ended if isinstance(ended, Tombstone) else None


def _is_recent(context: Context, tombstone: Tombstone) -> bool:
    """Sign-in put it there so lately that this request may have been under way with the old token."""
    return context.store.now() < tombstone.ended_at + context.settings.rotation_refusal * 1000


def _end_if_expired(
    context: Context, state: State, token: Token, record: Record
) -> Record | Tombstone | None:
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
        return _read_again(context, state, token)
    return outcome if isinstance(outcome, Tombstone) else None


def _read_again(context: Context, state: State, token: Token) -> Record | Tombstone | None:
    """By the store it has not expired: touched meanwhile by a parallel request, or its clock is behind ours."""
    found = context.store.read(token.address)
    if not isinstance(found, Record):
        return found
    standing = judge(context.keys, token, found.header, now=context.store.now())
    state.standing, state.late = standing, standing.spares_cookie
    return found if standing.opens else None

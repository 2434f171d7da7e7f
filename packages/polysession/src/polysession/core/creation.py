"""What a new session begins with: header, session ID, secret."""

from __future__ import annotations

from .record import MAX_USER_AGENT, Address, Device, Header, Kind, Record, Tail, alter, alter_tail
from .state import Context, Creation, SignIn, State
from .timeouts import Wish, grant
from .token import hash_secret, new_secret, new_session_id


def _begin(context: Context, state: State, kind: Kind, device: Device | None) -> Header:
    now = context.store.now()
    granted = grant(state.wish or Wish(), context.settings, kind, began=now)
    return Header(
        secret_hash=b"",
        pepper_id="",
        created_at=now,
        last_seen_at=now,
        idle=granted.idle,
        absolute_at=granted.absolute_at,
        keep=granted.keep,
        tail=Tail(device=Device(device.user_agent[:MAX_USER_AGENT], device.address)) if device else Tail(),
    )


def anonymous_header(context: Context, state: State) -> Header:
    return _begin(context, state, Kind.ANONYMOUS, state.device)


def signed_in_header(context: Context, state: State, sign_in: SignIn, principal_key: str) -> Header:
    device = state.device or (sign_in.old.device if sign_in.old else None)
    header = _begin(context, state, Kind.SIGNED_IN, device)
    header = alter(header, generation=sign_in.generation, principal_key=principal_key)
    return alter_tail(header, principal=sign_in.principal, authenticated_at=header.created_at)


def draw(context: Context, record: Record, *, partition: int) -> Creation:
    """A new session ID and secret for ``record``."""
    secret = new_secret(context.random)
    pepper = context.keys.pepper.signing(context.clock.now())
    secret_hash = hash_secret(context.keys, secret, pepper.id)
    header = alter(record.header, secret_hash=secret_hash, pepper_id=pepper.id)
    address = Address(partition, new_session_id(context.random))
    return Creation(address, secret, Record(header, record.attributes))

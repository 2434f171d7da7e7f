"""What a request writes: creation, delta with its due touch, rotation, sign-in. Each step may be repeated after
``StoreUnavailable``: what is sent again is what was sent before (same secret, same tags), so nothing applies twice.
"""

from __future__ import annotations

from collections.abc import Mapping

from . import retiming, rotation, timeouts
from .attributes import Attributes
from .codec import encode_tail
from .cookie import set_session
from .creation import anonymous_header, draw, signed_in_header
from .errors import Conflict, GenerationOutdated, SessionEnded, StoreUnavailable, TooManySessions
from .record import Address, Attribute, EndReason, Header, Kind, Record, Tombstone, alter_tail
from .rotation import Standing
from .state import Context, Creation, RotationTry, SignIn, State
from .store import (
    Absent,
    Change,
    Conflicted,
    Created,
    Ended,
    Full,
    Limit,
    Offered,
    Outdated,
    Rotation,
    Written,
)
from .token import (
    Token,
    hash_secret,
    mint,
    new_partition,
    new_secret,
    place,
)

CREATE_TRIES = 3  # 96 random bits: a second try would be one for the newspapers


def commit(context: Context, state: State) -> None:
    """See ``Session.commit``."""
    if not state.loaded or state.unknown:
        return
    if state.sign_in is not None:
        _sign_in(context, state, state.sign_in)
    elif state.header is not None:
        if state.standing is Standing.FIRST_USE:
            _accept(context, state, state.header)
        if state.header is not None:
            _write(context, state)
        if state.wish is not None and state.header is not None:
            _retime(context, state, state.header)
        if state.rotate and state.header is not None:
            _rotate(context, state, state.header)
        if state.header is not None and state.header.principal_key:
            _offer(context, state, state.header)
        if state.cookie_due and state.header is not None:
            retiming.renew_cookie(context, state, state.header)
    elif state.creation is not None or state.attributes.changed:
        _create_anonymous(context, state)
    state.rotate = state.reauthenticated = False


# --- creation


def _create_anonymous(context: Context, state: State) -> None:
    if state.late:
        # The browser got a newer cookie a moment ago: another session must not overwrite it.
        state.lose(state.end_reason)
        raise SessionEnded("rotated-away")
    for _ in range(CREATE_TRIES):
        if state.creation is None:
            record = Record(anonymous_header(context, state), state.attributes.all(context.random))
            state.creation = draw(context, record, partition=new_partition(context.random))
        creation = state.creation
        outcome = context.store.create(creation.address, creation.record)
        if isinstance(outcome, Created):
            _count_created(context, Kind.ANONYMOUS, outcome)
            state.attributes.rebase(creation.record.attributes)
            adopt(context, state, creation, creation.record.header)
            if state.attributes.changed:  # since a try that the store did not answer
                _write(context, state)
            return
        state.creation = None
    raise StoreUnavailable("create", "no free session ID was found")


def _count_created(context: Context, kind: Kind, outcome: Created) -> None:
    context.events.created(kind)
    for ended in outcome.due:
        context.events.ended(ended.reason)


def adopt(context: Context, state: State, creation: Creation, header: Header) -> None:
    token = mint(
        context.keys,
        context.clock.now(),
        kind=header.kind,
        address=creation.address,
        rotation_count=header.rotation_count,
        secret=creation.secret,
    )
    state.attributes.forget_updates()
    state.adopt(token, header)
    state.cookie = set_session(context.settings, token.text, header, context.store.now())


# --- delta and touch


def _write(context: Context, state: State) -> None:
    """The delta and the due touch in one operation; merged and tried again until the deadline."""
    header, token = state.header, state.token
    if header is None or token is None:
        return
    touch = state.touch_due(context)
    changes = state.attributes.changes(context.random)
    if not changes and not touch:
        return  # as most requests do
    changed = bool(changes) or state.rotate or state.wish is not None
    try:
        outcome = _write_delta(context, token.address, state.attributes, changes, touch=touch)
    except StoreUnavailable:
        if changed:
            raise
        return  # a touch alone: the read was answered, the next request touches
    if isinstance(outcome, Written):
        if touch:
            state.header = timeouts.touched(header, context.store.now())
        return
    _lose(context, state, outcome, had_changes=changed)


def _write_delta(
    context: Context, address: Address, attributes: Attributes, changes: Mapping[str, Change], *, touch: bool
) -> Written | Tombstone | Absent:
    deadline = context.clock.now() + context.settings.commit_deadline_ms
    while changes or touch:
        outcome = context.store.write(address, changes, touch=touch)
        if not isinstance(outcome, Conflicted):
            if isinstance(outcome, Written):
                attributes.settle(changes)
            return outcome
        if context.clock.now() >= deadline:
            _give_up(context, attributes, outcome.winners)
        _resolve(context, attributes, outcome.winners)
        changes = attributes.changes(context.random)
    return Written()


def _resolve(context: Context, attributes: Attributes, winners: Mapping[str, Attribute | None]) -> None:
    try:
        outcomes = attributes.resolve(winners)
    except Conflict as conflict:
        for _ in conflict.names:
            context.events.conflict("raised")
        raise
    for outcome in outcomes:
        context.events.conflict(outcome)


def _give_up(context: Context, attributes: Attributes, winners: Mapping[str, Attribute | None]) -> None:
    """Other requests were quicker, again and again, until the deadline: said aloud, never dropped in silence."""
    attributes.yield_to(winners)
    for _ in winners:
        context.events.conflict("raised")
    raise Conflict(tuple(winners))


def _lose(context: Context, state: State, outcome: Tombstone | Absent, *, had_changes: bool) -> None:
    """The session ended while this request worked on it: nothing but a first write creates, so nothing is written."""
    reason: EndReason | None = outcome.reason if isinstance(outcome, Tombstone) else None
    if isinstance(outcome, Tombstone) and outcome.placed:
        context.events.ended(outcome.reason)
    state.lose(reason)
    state.late = reason == "rotated-away"
    if had_changes:
        raise SessionEnded(reason or "absent")


def _retime(context: Context, state: State, header: Header) -> None:
    if state.token is None:
        return
    outcome = retiming.retime(context, state, state.token, header)
    if outcome is not None:
        _lose(context, state, outcome, had_changes=True)


# --- rotation on privilege change


def _rotate(context: Context, state: State, header: Header) -> None:
    """After the delta: once the secret has changed, only the new cookie opens the session, so nothing may fail later."""
    token = state.token
    if token is None:
        return
    if state.rotation is None:
        state.rotation = _draw_rotation(context, header, reauthenticated=state.reauthenticated)
    attempt = state.rotation
    outcome = context.store.rotate(token.address, attempt.rotation)
    state.rotation, state.rotate = None, False
    if isinstance(outcome, Conflicted):
        if attempt.rotation.tail:
            raise Conflict(("authenticated_at",))  # never silently: who asked for it acts on it next
        return  # another request rotated first: the old secret is dead, and its answer carries the new one
    if not isinstance(outcome, Written):
        _lose(context, state, outcome, had_changes=True)
        return
    rotated = rotation.rotated(header, attempt.rotation)
    context.events.rotated("privilege")
    adopt(context, state, Creation(token.address, attempt.secret, Record(rotated, {})), rotated)


def _draw_rotation(context: Context, header: Header, *, reauthenticated: bool) -> RotationTry:
    secret = new_secret(context.random)
    proven = alter_tail(header, authenticated_at=context.store.now())
    pepper = context.keys.pepper.signing(context.clock.now())
    drawn = Rotation(
        expected_hash=header.secret_hash,
        secret_hash=hash_secret(context.keys, secret, pepper.id),
        pepper_id=pepper.id,
        rotation_count=rotation.next_count(header, step=2),
        previous_until=context.store.now() + context.settings.rotation_refusal * 1000,
        generation=header.generation,
        tail=encode_tail(proven) if reauthenticated else b"",
    )
    return RotationTry(secret, drawn)


# --- rotation by age


def _accept(context: Context, state: State, header: Header) -> None:
    """The first use of a successor: from now on it is the secret, and the old one has its grace."""
    token = state.token
    if token is None:
        return
    acceptance = rotation.accept(header, until=context.store.now() + context.settings.rotation_grace * 1000)
    try:
        outcome = context.store.rotate(token.address, acceptance)
    except StoreUnavailable:
        if state.rotate:
            raise  # or the successor that this browser holds would be passed over
        return  # the next use does it
    if isinstance(outcome, Written):
        state.header, state.standing = rotation.rotated(header, acceptance), Standing.CURRENT
    elif isinstance(outcome, Conflicted):
        state.standing = Standing.LATE  # by a privilege change since it was read
    else:
        _lose(
            context,
            state,
            outcome,
            had_changes=state.attributes.changed or state.rotate or state.wish is not None,
        )


def _offer(context: Context, state: State, header: Header) -> None:
    """The successor's cookie, for whoever comes with the current secret once rotation is due. Asked of the store each
    time, last of all: a cookie must not go out for a session that ended or was rotated while the request worked.
    """
    token = state.token
    if token is None or state.offered or state.created or state.standing is not Standing.CURRENT:
        return
    after = context.settings.rotate_after * 1000
    if not rotation.is_due(header, context.store.now(), rotate_after=after):
        return
    if state.offer is None:
        state.offer = rotation.offer(context.keys, token.secret, header, random=context.random)
    try:
        outcome = context.store.offer(token.address, state.offer)
    except StoreUnavailable:
        return  # the token goes on working, and the next request asks again
    state.offered = True
    if isinstance(outcome, Offered):
        if outcome.drawn:
            context.events.rotated("age")
        successor = rotation.successor(context.keys, token.secret, header, outcome)
        if successor is not None and outcome.confirmed:
            _hand_out(context, state, token, successor, header)
    elif not isinstance(outcome, Conflicted):
        _lose(context, state, outcome, had_changes=False)


def _hand_out(context: Context, state: State, token: Token, successor: str, header: Header) -> None:
    """``state.token`` stays: it is what opens the session until the browser comes back with the other."""
    minted = mint(
        context.keys,
        context.clock.now(),
        kind=header.kind,
        address=token.address,
        rotation_count=rotation.next_count(header),
        secret=successor,
    )
    state.cookie = set_session(context.settings, minted.text, header, context.store.now())


# --- sign-in


def _sign_in(context: Context, state: State, sign_in: SignIn) -> None:
    """The order makes a crash harmless: (1) the new session in the principal's partition, with the old attributes;
    (2) the end of the old one, if it is still as read, else its changes are taken along and (2) is tried again;
    (3) the cookie. Death before (2): the browser keeps its old session; nobody has the new one's token. Death before
    (3): the tombstone names the new session, and the principal's next sign-in by the old cookie begins with its
    attributes (``load.follow``).
    """
    if not sign_in.created:
        try:
            _create_signed_in(context, state, sign_in)
        except GenerationOutdated as error:
            # Once it is a race; time and again the services disagree on the account's number.
            context.warn(f"sign-in refused: its generation {error.given} is older than {error.current}")
            raise
    creation = sign_in.creation
    if creation is None:
        return
    deadline = context.clock.now() + context.settings.commit_deadline_ms
    while True:
        changes = state.attributes.changes(context.random)
        outcome = _write_delta(context, creation.address, state.attributes, changes, touch=False)
        if not isinstance(outcome, Written):
            _lose(context, state, outcome, had_changes=True)
        winners = _end_old(context, sign_in)
        if not winners:
            break
        if context.clock.now() >= deadline:
            raise Conflict(tuple(winners))
        for merged in state.attributes.absorb(sign_in.old_attributes, winners):
            context.events.conflict(merged)
        for name, winner in winners.items():
            if winner is None:
                sign_in.old_attributes.pop(name, None)
            else:
                sign_in.old_attributes[name] = winner
    adopt(context, state, creation, creation.record.header)


def _create_signed_in(context: Context, state: State, sign_in: SignIn) -> None:
    """Sets ``sign_in.creation``. Raises ``GenerationOutdated``, ``TooManySessions``."""
    limit = Limit(context.settings.sessions_a_principal, context.settings.limit_policy)
    for _ in range(CREATE_TRIES):
        if sign_in.creation is None:
            partition, principal_key = place(context.keys, sign_in.principal)
            header = signed_in_header(context, state, sign_in, principal_key)
            record = Record(header, state.attributes.all(context.random))
            sign_in.creation = draw(context, record, partition=partition)
        creation = sign_in.creation
        if context.ledger is not None:
            context.ledger.sign_in(creation.address, creation.record.header)
        outcome = context.store.create(creation.address, creation.record, limit=limit)
        if isinstance(outcome, Outdated):
            state.sign_in = None
            raise GenerationOutdated(sign_in.generation, outcome.current)
        if isinstance(outcome, Full):
            if context.ledger is not None:  # which came first: its row stands for no session
                now = context.store.now()
                context.ledger.end(creation.address, "revoked", at=now, principal=sign_in.principal)
            state.sign_in = None
            raise TooManySessions(limit.sessions)
        if isinstance(outcome, Created):
            _count_created(context, Kind.SIGNED_IN, outcome)
            sign_in.created = True
            state.attributes.rebase(creation.record.attributes)
            return
        sign_in.creation = None
    raise StoreUnavailable("create", "no free session ID was found")


def _end_old(context: Context, sign_in: SignIn) -> Mapping[str, Attribute | None]:
    """Ends the session that the sign-in replaces. Not empty: it changed since, and still lives."""
    if sign_in.old is None or sign_in.old_token is None:
        return {}
    tags = {name: attribute.tag for name, attribute in sign_in.old_attributes.items()}
    outcome = context.store.end(
        sign_in.old_token.address,
        "rotated-away",
        principal_key=sign_in.old.principal_key,
        if_tags=tags if sign_in.carry else None,
        successor=sign_in.creation.address.session_id if sign_in.creation and sign_in.carry else "",
    )
    if isinstance(outcome, Ended):
        context.events.ended(outcome.reason)
    return outcome.winners if isinstance(outcome, Conflicted) else {}

"""What holds in every state that any interleaving, fault or death can lead to."""

from __future__ import annotations

from collections.abc import Iterator

from polysession.core import values
from polysession.core.errors import InvalidToken
from polysession.core.record import Address, Record, Tombstone
from polysession.core.store import Created, Ended, EndedPrincipal
from polysession.core.timeouts import expiry
from polysession.core.token import Keys, hash_secret, parse

from .explorer import OPERATIONS, SETTINGS, Entry, Promise, State, Transition, World


def cart(entry: Entry | None) -> frozenset[str]:
    if not isinstance(entry, Record) or "cart" not in entry.attributes:
        return frozenset()
    return frozenset(values.decode(entry.attributes["cart"].value))


def opened(keys: Keys, state: State, text: str | None) -> Record | None:
    """The live record that a token opens."""
    if text is None:
        return None
    try:
        token = parse(keys, text)
        entry = state.entries.get(token.address)
        if not isinstance(entry, Record):
            return None
        fits = hash_secret(keys, token.secret, entry.header.pepper_id) == entry.header.secret_hash
    except InvalidToken:
        return None
    unreturned = SETTINGS.anonymous_unreturned * 1000
    return entry if fits and expiry(entry.header, state.now, unreturned=unreturned) is None else None


def others(state: State, address: Address) -> Iterator[Record]:
    """What every other session is, or was when it ended."""
    for other, entry in state.entries.items():
        record = entry if isinstance(entry, Record) else state.last.get(other)
        if other != address and record is not None:
            yield record


# --- one operation


def _only_a_create_creates(_world: World, transition: Transition) -> str | None:
    for address, entry in transition.after.entries.items():
        before = transition.before.entries.get(address)
        if isinstance(entry, Record) and not isinstance(before, Record):
            if isinstance(before, Tombstone):
                return f"{transition.call.name} brought an ended session back"
            if transition.call.name != "create":
                return f"{transition.call.name} made a session"
    return None


def _nothing_vanishes(_world: World, transition: Transition) -> str | None:
    gone = transition.before.entries.keys() - transition.after.entries.keys()
    return f"{transition.call.name} left no trace of {len(gone)} session(s)" if gone else None


def _only_what_has_expired_ends_so(_world: World, transition: Transition) -> str | None:
    unreturned = SETTINGS.anonymous_unreturned * 1000
    for address, entry in transition.after.entries.items():
        before = transition.before.entries.get(address)
        if not isinstance(before, Record) or entry is before:
            continue
        due = expiry(before.header, transition.before.now, unreturned=unreturned)
        if isinstance(entry, Tombstone) and entry.reason in ("idle", "absolute") and due != entry.reason:
            return f"{transition.call.name} ended a session as {entry.reason} that had not expired"
        if isinstance(entry, Record) and due is not None:
            return f"{transition.call.name} wrote to a session that had expired"
    return None


def _ended_here(transition: Transition) -> list[tuple[str, str]]:
    before, after = transition.before.entries, transition.after.entries
    return sorted(
        (address.session_id, entry.reason)
        for address, entry in after.items()
        if isinstance(entry, Tombstone) and isinstance(before.get(address), Record)
    )


def _reported(transition: Transition) -> list[tuple[str, str]]:
    if transition.call.name not in OPERATIONS:
        return []
    match transition.answer:
        case Ended() as one:
            return [(one.session_id, one.reason)]
        case Tombstone(reason=reason, placed=True):
            return [(transition.call.args[0].session_id, reason)]
        case Created(due=due):
            return sorted((one.session_id, one.reason) for one in due)
        case (tuple(), tuple() as ended):  # list
            return sorted((one.session_id, one.reason) for one in ended)
        case EndedPrincipal(ended=ended):
            return sorted((one.session_id, one.reason) for one in ended)
    return []


def _an_end_is_reported_once(_world: World, transition: Transition) -> str | None:
    if transition.call in transition.after.under_way:
        return None  # not there yet
    ended, reported = _ended_here(transition), _reported(transition)
    return None if ended == reported else f"{ended} ended, {reported} was reported"


def _ends_are_counted(_world: World, transition: Transition) -> str | None:
    """A request that got the report counts it."""
    reported = [reason for _, reason in _reported(transition)]
    counted = [
        reason
        for old, new in zip(transition.before.nodes, transition.after.nodes, strict=True)
        if old is not new
        for reason in new.ended[len(old.ended) :]
    ]
    heard = "(" not in transition.label and not transition.label.startswith("late")
    return f"{reported} was reported, {counted} counted" if heard and reported != counted else None


def _sign_in_takes_the_cart_along(_world: World, transition: Transition) -> str | None:
    for address, entry in transition.after.entries.items():
        before = transition.before.entries.get(address)
        buried = (
            isinstance(entry, Tombstone) and entry.reason == "rotated-away" and isinstance(before, Record)
        )
        if buried and not any(cart(record) >= cart(before) for record in others(transition.after, address)):
            return f"{sorted(cart(before))} ended with the old session"
    return None


# --- one state


def _generations_hold(_world: World, state: State) -> str | None:
    for address, entry in state.entries.items():
        if isinstance(entry, Record) and entry.header.principal_key:
            owner = (address.partition, entry.header.principal_key)
            if entry.header.generation < state.generations.get(owner, 0):
                return "a session of an older generation lives"
    return None


def _acknowledged_is_kept(world: World, state: State) -> str | None:
    for text, key in state.acknowledged:
        address = parse(world.keys, text).address
        entry = state.entries.get(address)
        found = key in cart(entry)
        if isinstance(entry, Tombstone):
            found = key in cart(state.last.get(address))
            if entry.reason == "rotated-away":
                found = any(key in cart(record) for record in others(state, address))
        if not found:
            return f"{key} was acknowledged and is gone"
    return None


def _replaced_tokens_open_nothing(world: World, state: State) -> str | None:
    alive = [text for text in state.replaced if opened(world.keys, state, text) is not None]
    return f"{len(alive)} replaced or ended token(s) still open a session" if alive else None


def _finished_browser_has_all(world: World, state: State) -> str | None:
    if not state.finished:
        return None
    missing = {key for _, key in state.acknowledged} - cart(opened(world.keys, state, state.jar))
    return f"the browser's session lacks {sorted(missing)}" if missing else None


def _finished_browser_is_in(world: World, state: State) -> str | None:
    lost = state.finished and state.jar is not None and opened(world.keys, state, state.jar) is None
    return "the cookie opens nothing" if lost else None


def _browser_or_answer_has_all(world: World, state: State) -> str | None:
    """In every state: what the cookie opens has all; or the sign-in has ended the old session, and its answer, which
    opens one that has all, is on its way.
    """
    wanted = {key for _, key in state.acknowledged}
    if wanted <= cart(opened(world.keys, state, state.jar)):
        return None
    on_its_way = any(node.waiting is not None and node.waiting.name == "answer" for node in state.nodes)
    if on_its_way and any(isinstance(one, Record) and wanted <= cart(one) for one in state.entries.values()):
        return None
    return f"{sorted(wanted)} is in no session that the browser has or is about to get"


def token_opens_no_principal(text: str) -> Promise:
    """A token from before the sign-in (an attacker may have planted it) never opens what follows it."""

    def check(world: World, state: State) -> str | None:
        record = opened(world.keys, state, text)
        return "it opens a signed-in session" if record and record.header.principal_key else None

    return Promise("a token from before sign-in never opens a signed-in session", check)


def at_most_alive(limit: int) -> Promise:
    def check(_world: World, state: State) -> str | None:
        alive = sum(isinstance(entry, Record) for entry in state.entries.values())
        return f"{alive} live" if state.finished and alive > limit else None

    return Promise(f"when all have finished, at most {limit} session(s) live", check)


ALWAYS = (
    Promise("only a first write creates", of_transition=_only_a_create_creates),
    Promise("a session ends by a tombstone", of_transition=_nothing_vanishes),
    Promise("expired is what has expired", of_transition=_only_what_has_expired_ends_so),
    Promise("each end is reported once", of_transition=_an_end_is_reported_once),
    Promise("each reported end is counted", of_transition=_ends_are_counted),
    Promise("a sign-in takes the cart along", of_transition=_sign_in_takes_the_cart_along),
    Promise("no session has an older generation than its principal", _generations_hold),
    Promise("what was acknowledged is kept", _acknowledged_is_kept),
    Promise("a token that an answer replaced opens nothing", _replaced_tokens_open_nothing),
)
BROWSER_STAYS_IN = Promise("at the end the browser's cookie opens a session", _finished_browser_is_in)
BROWSER_KEEPS_ITS_CART = Promise("at the end the browser has its cart", _finished_browser_has_all)
NO_DEATH_LOSES_THE_CART = Promise(
    "the browser keeps its cart or is about to get it", _browser_or_answer_has_all
)

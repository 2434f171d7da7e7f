"""The end of one session: the ledger first, then the store, so that what the store loses is still known. And of those
that are due.
"""

from __future__ import annotations

from dataclasses import dataclass

from . import cookie
from .errors import StoreUnavailable
from .events import Events
from .record import END_REASONS, Address, EndReason, Kind, Tombstone
from .state import Context, State
from .store import Absent, Conflicted, Ended, Store

DUE_AT_ONCE = 16  # what ``Store.end_due`` ends at most
DUE_ROUNDS = 64


@dataclass(frozen=True, slots=True)
class Ending:
    """``count`` sessions ended by this call. ``confirmed``: a replica has it, so a failover should keep it;
    else it is pending until somebody repeats it (answer 202, not 204).
    """

    count: int
    confirmed: bool

    def __bool__(self) -> bool:
        return self.count > 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """``outcome``: the store's; ``None``: it gave no answer, but the ledger has the end."""

    ending: Ending
    outcome: Ended | Tombstone | Absent | Conflicted | None


def check_reason(given: object) -> None:
    """Before anything is asked or ended: the ledger takes any text. Raises ``ValueError``."""
    if given not in END_REASONS:
        raise ValueError(f"the reason of an end must be one of {', '.join(END_REASONS)}, not {given!r}")


def end_read(context: Context, state: State, reason: EndReason) -> None:
    """The session of a request ends, at once; its cookie is to be cleared, unless a newer one is on its way."""
    had_cookie, was_late = state.token is not None or state.forged, state.late
    if state.header is not None and state.token is not None:
        done = end_one(
            context,
            state.token.address,
            reason,
            principal=state.header.principal,
            principal_key=state.header.principal_key,
        )
        if isinstance(done.outcome, Ended | Tombstone):
            reason = done.outcome.reason
        state.lose(reason)
        state.end_confirmed = done.ending.confirmed
    else:
        state.lose(state.end_reason)
    state.ended = True
    if had_cookie and not was_late:
        state.cookie = cookie.clear_session(context.settings)


def end_unread(context: Context, state: State, reason: EndReason) -> bool:
    """A sign-out while the store cannot be read. ``True``: the ledger has it, pending until the keeper has brought it
    to the store. ``False``: nobody has. Raises ``StoreUnavailable`` where the ledger gives no answer either.
    """
    token = state.token
    if context.ledger is None or token is None or token.kind is not Kind.SIGNED_IN:
        return False
    if not context.ledger.end_by_token(context, token, reason, at=context.store.now()):
        return False
    state.loaded, state.unknown = True, False
    state.end_reason, state.end_confirmed = reason, False
    return True


def end_one(
    context: Context, address: Address, reason: EndReason, *, principal: str | None, principal_key: str
) -> Outcome:
    """Raises ``StoreUnavailable`` where neither has it: the ledger did not take it, and no replica of the store is
    known to have it. Repeating it is safe. Where there is no ledger (or no principal), the store alone decides: it is
    then unconfirmed at worst.
    """
    recorded, fault = False, None
    if context.ledger is not None and principal is not None:
        try:
            recorded = context.ledger.end(address, reason, at=context.store.now(), principal=principal)
        except StoreUnavailable as error:
            fault = error
    try:
        outcome = context.store.end(address, reason, principal_key=principal_key)
    except StoreUnavailable:
        if not recorded:
            raise
        return Outcome(Ending(1, confirmed=False), None)
    if isinstance(outcome, Ended):
        context.events.ended(outcome.reason)
    confirmed = isinstance(outcome, Ended | Tombstone) and outcome.confirmed
    if fault is not None and not confirmed:
        raise fault
    # The store may have lost it: then the ledger's row was live, and is not any more.
    return Outcome(Ending(int(recorded or isinstance(outcome, Ended)), confirmed), outcome)


def end_due(store: Store, events: Events) -> int:
    """Ends what is due, each session once, whoever else does the same: in each partition up to 1,024. How many it were.
    A partition whose node gives no answer may be left out.
    """
    total = 0
    for partition in store.pending():
        for _ in range(DUE_ROUNDS):
            ended = store.end_due(partition)
            for one in ended:
                events.ended(one.reason)
            total += len(ended)
            if len(ended) < DUE_AT_ONCE:
                break
    return total

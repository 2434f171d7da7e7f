"""The end of one session: the ledger first, then the store, so that what the store loses is still known. And of those
that are due.
"""

from __future__ import annotations

from dataclasses import dataclass

from .errors import StoreUnavailable
from .events import Events
from .record import Address, EndReason, Tombstone
from .state import Context
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

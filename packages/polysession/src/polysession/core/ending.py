"""The end of one session: the ledger first, then the store, so that what the store loses is still known."""

from __future__ import annotations

from dataclasses import dataclass

from .errors import StoreUnavailable
from .record import Address, EndReason, Tombstone
from .state import Context
from .store import Absent, Conflicted, Ended


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

"""Timeouts that an app asked for, one session: carried out at commit, and the cookie that lasts as long."""

from __future__ import annotations

from dataclasses import replace

from .cookie import max_age
from .record import Header, Kind, Timeouts, Tombstone
from .state import Context, State
from .store import Absent, Written
from .timeouts import grant, retimed, timeouts_of
from .token import Token


def retime(context: Context, state: State, token: Token, header: Header) -> Tombstone | Absent | None:
    """Of a live session, the ledger first. ``None``: it has the timeouts that were asked for. Raises
    ``StoreUnavailable``.
    """
    if state.wish is None:
        return None
    before, asked = (
        timeouts_of(header),
        grant(state.wish, context.settings, header.kind, began=header.created_at),
    )
    if header.kind is Kind.ANONYMOUS:
        # A late answer with its cookie would overwrite that of a sign-in: the cookie stays, and what is said of it.
        asked = Timeouts(asked.idle, asked.absolute_at, header.keep)
    if asked != before:
        if context.ledger is not None and header.principal is not None:
            context.ledger.retime(token.address, asked, principal=header.principal)
        outcome = context.store.retime(token.address, asked, principal_key=header.principal_key)
        if not isinstance(outcome, Written):
            return outcome
        state.header = retimed(header, asked, context.store.now())
        state.cookie_due = asked.keep is not before.keep or bool(asked.keep)
    state.wish = None
    return None


def renew_cookie(context: Context, state: State, header: Header) -> None:
    """Where this request sets one anyway, with the lifetime that holds by now. Else the next rotation brings it: a late
    answer must not put the same token over its successor, or over that of a privilege change.
    """
    if state.cookie_due and state.cookie is not None:
        state.cookie = replace(state.cookie, max_age=max_age(header, context.store.now()))
    state.cookie_due = False

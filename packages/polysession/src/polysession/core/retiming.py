"""Timeouts that an app asked for, one session: carried out at commit, and the cookie that lasts as long."""

from __future__ import annotations

from dataclasses import replace

from . import rotation
from .cookie import max_age, set_session
from .record import Header, Kind, Timeouts, Tombstone
from .rotation import Standing
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
    """The same token with another lifetime, last of all. Not where a rotation by age is under way or will be due
    before the answer surely arrived: a late one must not put the old token over its successor, whose cookie brings
    the lifetime as well.
    """
    if not state.cookie_due or state.token is None:
        return
    state.cookie_due, now = False, context.store.now()
    if state.cookie is not None:  # of a session or an offer that is this request's
        state.cookie = replace(state.cookie, max_age=max_age(header, now))
        return
    soon = now + context.settings.rotation_grace * 1000
    if state.standing is Standing.CURRENT and not rotation.is_due(
        header, soon, rotate_after=context.settings.rotate_after * 1000
    ):
        state.cookie = set_session(context.settings, state.token.text, header, now)

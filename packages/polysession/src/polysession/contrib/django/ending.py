"""The end of all sessions of a user, in the order that keeps a sign-in under way from outliving it."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db import router, transaction
from django.db.models import F

from polysession.core.record import EndReason

from .manager import get_manager

GENERATION = "session_generation"


def principal_of(user: Any) -> str:
    """The name by which the library knows a user: the primary key."""
    return str(user._meta.pk.value_to_string(user))


def end_sessions(user: Any, *, keep: str | None = None, reason: EndReason = "revoked") -> bool:
    """All of the user's sessions but ``keep`` (a session ID) end. ``True``: a replica of the store has it.

    A user model with ``session_generation`` has it raised, in one transaction with the ends in the ledger, if there is
    one; then they end in the store. (In a transaction of the caller's: once that is committed, and nobody knows yet
    whether it is confirmed.) Without that column the sessions there are now end: a sign-in under way is not refused.
    Raises ``StoreUnavailable``; repeating it is safe.
    """
    if not _has_generation(user):
        return _end_each(principal_of(user), keep=keep, reason=reason)
    model = user._meta.model  # of a lazy ``request.user``, too
    using = router.db_for_write(model, instance=user)
    with transaction.atomic(using=using):
        model._default_manager.using(using).filter(pk=user.pk).update(**{GENERATION: F(GENERATION) + 1})
        user.refresh_from_db(using=using, fields=[GENERATION])
        record_end(user, keep=keep, reason=reason)
        confirmed: list[bool] = []
        transaction.on_commit(lambda: confirmed.append(_end(user, keep=keep, reason=reason)), using=using)
    return confirmed == [True]


def record_end(user: Any, *, keep: str | None = None, reason: EndReason = "revoked") -> None:
    get_manager().record_end(
        principal_of(user), generation=getattr(user, GENERATION), keep=keep, reason=reason
    )


def _end(user: Any, *, keep: str | None, reason: EndReason) -> bool:
    generation = getattr(user, GENERATION)
    return (
        get_manager()
        .end_principal(principal_of(user), generation=generation, keep=keep, reason=reason)
        .confirmed
    )


def _end_each(principal: str, *, keep: str | None, reason: EndReason) -> bool:
    manager = get_manager()
    endings = [
        manager.end_session(principal, one.id, reason=reason)
        for one in manager.sessions(principal)
        if one.id != keep
    ]
    return all(ending.confirmed for ending in endings)


def _has_generation(user: Any) -> bool:
    try:
        user._meta.get_field(GENERATION)
    except FieldDoesNotExist:
        return False
    return True

"""The ledger over Django's own connection: row, generation and cause are one transaction.

The generation's truth is ``session_generation`` of the user model; a model without it has generation 0.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from threading import BoundedSemaphore
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, get_user_model
from django.core.exceptions import ValidationError
from django.db import connections, router, transaction
from django.db.utils import Error as DatabaseFault

from polysession.core import values
from polysession.core.errors import GenerationOutdated, LedgerUnavailable
from polysession.core.record import TAG_BYTES, Address, Attribute, EndReason, Header, Record, Timeouts
from polysession.core.state import Context
from polysession.core.token import Token, hash_by_each_pepper
from polysession.stores import ledger
from polysession.stores.ledger import Row

AT_ONCE = 32  # restores a process: emptying Redis must not become a storm on the database


@dataclass(frozen=True, slots=True)
class Identity:
    """What a restored session says of its principal: the generation that counts, and Django's own attributes."""

    generation: int
    attributes: Mapping[str, object]


def django_identity(principal: str) -> Identity | None:
    """From the user model; ``None`` for a user that is gone or may not act. The backend is the first one configured:
    the ledger does not keep which of several it was.
    """
    model = get_user_model()
    try:
        user = model._default_manager.get(pk=principal)
    except (model.DoesNotExist, ValidationError, ValueError):
        return None
    if not user.is_active:
        return None
    return Identity(
        getattr(user, "session_generation", 0),
        {
            BACKEND_SESSION_KEY: settings.AUTHENTICATION_BACKENDS[0],
            HASH_SESSION_KEY: user.get_session_auth_hash(),
        },
    )


class DjangoLedger:
    """``core.ledger.Ledger``. One a process; thread-safe. ``patience``: seconds that a restore waits for its turn."""

    def __init__(
        self,
        *,
        identity: Callable[[str], Identity | None] = django_identity,
        using: str | None = None,
        at_once: int = AT_ONCE,
        patience: float = 2.0,
    ) -> None:
        self._identity = identity
        self._using = using
        self._turns = BoundedSemaphore(at_once)
        self._patience = patience

    @staticmethod
    def hop(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Awaitable[Any]:
        """From an event loop: in Django's thread for synchronous code, whose connections it looks after."""
        return sync_to_async(function)(*args, **kwargs)

    def sign_in(self, address: Address, header: Header) -> None:
        with self._transaction("sign_in") as connection:
            current = self._generation(str(header.principal))
            if current is None or current > header.generation:
                raise GenerationOutdated(
                    header.generation, header.generation + 1 if current is None else current
                )
            ledger.insert(connection, ledger.row_of(address, header))

    def end(self, address: Address, reason: EndReason, *, at: int, principal: str | None = None) -> bool:
        with self._transaction("end") as connection:
            return ledger.end(
                connection, address.session_id, reason, at=at, confirmed=False, principal=principal
            )

    def end_by_token(self, context: Context, token: Token, reason: EndReason, *, at: int) -> bool:
        hashes = hash_by_each_pepper(context.keys, token.secret)
        session_id = token.address.session_id
        with self._transaction("end_by_token") as connection:
            row = ledger.find(connection, session_id)
            if row is None or not _fits(row, hashes):
                return False
            ledger.end(connection, session_id, reason, at=at, confirmed=False)
            return True

    def retime(self, address: Address, timeouts: Timeouts, *, principal: str) -> None:
        with self._transaction("retime") as connection:
            ledger.retime(connection, address.session_id, timeouts, principal=principal)

    def exchange(self, address: Address, *, at: int) -> None:
        with self._transaction("exchange") as connection:
            ledger.exchange(connection, address.session_id, at=at)

    def exchanged_at(self, address: Address) -> int | None:
        with self._transaction("exchanged_at") as connection:
            row = ledger.find(connection, address.session_id)
        return row.exchanged_at if row else None

    def end_principal(
        self, principal: str, reason: EndReason, *, generation: int, at: int, keep: str | None = None
    ) -> int:
        with self._transaction("end_principal") as connection:
            return ledger.end_principal(
                connection, principal, reason, generation=generation, keep=keep, at=at
            )

    def restore(self, context: Context, token: Token) -> bool:
        hashes = hash_by_each_pepper(context.keys, token.secret)
        return self.restore_session(
            context, token.address.session_id, hashes, partition=token.address.partition
        )

    def restore_session(
        self, context: Context, session_id: str, hashes: Mapping[str, bytes], *, partition: int | None = None
    ) -> bool:
        """``hashes``: of the token's secret, by pepper ID. Brings back all live sessions of the principal. A "no" is
        kept as a tombstone, so that the next such request asks Redis only; a secret that does not fit is no reason
        for one: the session may be somebody's.
        """
        if not self._turns.acquire(timeout=self._patience):
            raise LedgerUnavailable("restore", "too many sessions are being restored")
        try:
            with self._transaction("restore") as connection:
                row = ledger.find(connection, session_id)
                if row is not None and not _fits(row, hashes):
                    return False
                live = () if row is None else self._live_rows(context, row)
        finally:
            self._turns.release()
        if row is None or row.session_id not in {one.session_id for one, _ in live}:
            if row is not None or partition is not None:
                context.store.refuse(row.address if row else Address(partition or 0, session_id))
            return False
        for one, record in live:
            context.store.restore(one.address, record)
        return True

    def _live_rows(self, context: Context, row: Row) -> tuple[tuple[Row, Record], ...]:
        now = context.store.now()
        identity = self._identity(row.principal) if row.is_live(now) else None
        if identity is None:
            return ()
        rows = ledger.of_principal(connections[self.alias], row.principal)
        return tuple(
            (one, Record(one.header(now), _attributes(context, identity)))
            for one in rows
            if one.is_live(now) and one.generation >= identity.generation
        )

    def _generation(self, principal: str) -> int | None:
        """Under a lock: who raises it waits for this sign-in's row, or this sign-in for the raise."""
        model = get_user_model()
        try:
            user = model._default_manager.using(self.alias).select_for_update().get(pk=principal)
        except (model.DoesNotExist, ValidationError, ValueError):
            return None
        return int(getattr(user, "session_generation", 0))

    @property
    def alias(self) -> str:
        """Of the database: the user model's, unless told another."""
        return self._using or router.db_for_write(get_user_model())

    @contextmanager
    def _transaction(self, name: str) -> Iterator[ledger.Connection]:
        try:
            with transaction.atomic(using=self.alias):
                yield connections[self.alias]
        except DatabaseFault as cause:
            raise LedgerUnavailable(f"ledger_{name}", type(cause).__name__) from cause


def _fits(row: Row, hashes: Mapping[str, bytes]) -> bool:
    """The secret is the row's, or the one before: whoever has that learns from the record what it is worth."""
    given = hashes.get(row.pepper_id, b"")
    previous = any(hmac.compare_digest(one, row.previous_hash) for one in hashes.values())
    return hmac.compare_digest(given, row.secret_hash) or previous


def _attributes(context: Context, identity: Identity) -> dict[str, Attribute]:
    return {
        name: Attribute(context.random(TAG_BYTES), values.encode(value))
        for name, value in identity.attributes.items()
    }

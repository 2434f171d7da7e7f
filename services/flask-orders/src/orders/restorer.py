"""What Redis lost, brought back by the users service, which has the ledger: ``polysession``'s ``Restorer``."""

from __future__ import annotations

from threading import BoundedSemaphore

from polysession.core.errors import LedgerUnavailable
from polysession.core.state import Context
from polysession.core.token import Token, hash_by_each_pepper

from orders.users_client import UsersClient, UsersUnavailable

AT_ONCE = 32  # a process: emptying Redis must not become a storm on the users service


class UsersRestorer:
    """Thread-safe. ``patience``: seconds that a restore waits for its turn."""

    def __init__(self, users: UsersClient, *, at_once: int = AT_ONCE, patience: float = 2.0) -> None:
        self._users = users
        self._turns = BoundedSemaphore(at_once)
        self._patience = patience

    def restore(self, context: Context, token: Token) -> bool:
        """The token itself never travels: a hash of its secret by each pepper there is, for the row's is not known here."""
        hashes = hash_by_each_pepper(context.keys, token.secret)
        if not self._turns.acquire(timeout=self._patience):
            raise LedgerUnavailable("restore", "too many sessions are being restored")
        try:
            return self._users.restore(token.address.session_id, hashes, rotation_count=token.rotation_count)
        except UsersUnavailable as cause:
            raise LedgerUnavailable("restore", "the users service gave no answer") from cause
        finally:
            self._turns.release()

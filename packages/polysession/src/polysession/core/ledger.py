"""The ledger: the durable table of signed-in sessions, from which Redis can be filled again. Its SQL is in
``stores.ledger``; the core knows these two protocols.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from .record import Address, EndReason, Header, Timeouts

if TYPE_CHECKING:
    from .state import Context
    from .token import Token


class Restorer(Protocol):
    """Asked for a token of kind ``s`` whose key is empty in the store, and for no other."""

    def restore(self, context: Context, token: Token) -> bool:
        """``True``: the principal's live sessions are in the store again, read again. ``False``: the ledger says
        no. Raises ``StoreUnavailable`` when it cannot say.
        """
        ...


class Ledger(Restorer, Protocol):
    """For the process that has the ledger's database at hand. Written before the store, so that what the store
    loses is still known. Each raises ``StoreUnavailable``; each may be repeated.
    """

    def sign_in(self, address: Address, header: Header) -> None:
        """Reads the principal's generation under a lock and inserts the row, in one transaction. Raises
        ``GenerationOutdated``.
        """
        ...

    def end(self, address: Address, reason: EndReason, *, at: int, principal: str | None = None) -> bool:
        """The row ends, unless it has ended or is another principal's: ``False``. ``at``: milliseconds."""
        ...

    def end_by_token(self, context: Context, token: Token, reason: EndReason, *, at: int) -> bool:
        """For a sign-out while the store cannot be read: the row that the token opens ends. ``False``: the ledger
        has no such row, or the token does not open it.
        """
        ...

    def retime(self, address: Address, timeouts: Timeouts, *, principal: str) -> None:
        """Other timeouts of the live row."""
        ...

    def exchange(self, address: Address, *, at: int) -> None:
        """The session took an old one's place (``migration``), whose cookie is used up by it."""
        ...

    def exchanged_at(self, address: Address) -> int | None:
        """When ``exchange`` said so first; ``None``: it never did."""
        ...

    def end_principal(
        self, principal: str, reason: EndReason, *, generation: int, at: int, keep: str | None = None
    ) -> int:
        """Every row of the principal but ``keep`` ends; ``keep`` gets the new generation. Call it in the transaction
        that raises the generation.
        """
        ...

"""A manager's operations that ask the store, awaited. Manager, sessions and their rules are the sync ones."""

from __future__ import annotations

from .bridge import run
from .ending import Ending
from .errors import InvalidSettings
from .manager import SessionInfo, SessionManager, check_manager
from .record import Device, EndReason
from .session import Session


class AsyncSessionManager:
    """For code on an event loop, beside the adapters. Errors are those of ``SessionManager``; cancelled, an operation
    is one that got no answer: it may be repeated. Raises ``InvalidSettings`` for a store that would block, and
    for what is no manager.
    """

    def __init__(self, manager: SessionManager) -> None:
        if not check_manager(manager).asynchronous:
            fault = "the session store would block the event loop: polysession.connect(…, asynchronous=True)"
            raise InvalidSettings((fault,))
        self.manager = manager

    async def open(
        self,
        token: str | None,
        *,
        passive: bool = False,
        optional: bool = False,
        device: Device | None = None,
    ) -> Session:
        """Read from the store already, where there is a token: from now on its mapping asks nothing. ``commit`` and
        ``end`` it by the methods of this class. Raises ``StoreUnavailable`` unless ``optional``.
        """
        session = self.manager.open(token, passive=passive, optional=optional, device=device)
        await self.load(session)
        return session

    async def load(self, session: Session) -> None:
        """As its first use does."""
        await run(lambda: session.exists)

    async def sign_in(self, session: Session, principal: str, *, generation: int) -> None:
        """At ``commit``; see ``Session.sign_in``."""
        await run(session.sign_in, principal, generation=generation)

    async def commit(self, session: Session) -> None:
        await run(session.commit)

    async def end(self, session: Session, reason: EndReason = "logout") -> None:
        await run(session.end, reason)

    async def sessions(self, principal: str) -> tuple[SessionInfo, ...]:
        return await run(self.manager.sessions, principal)

    async def end_session(self, principal: str, session_id: str, *, reason: EndReason = "revoked") -> Ending:
        return await run(self.manager.end_session, principal, session_id, reason=reason)

    async def end_principal(
        self, principal: str, *, generation: int, keep: str | None = None, reason: EndReason = "revoked"
    ) -> Ending:
        return await run(
            self.manager.end_principal, principal, generation=generation, keep=keep, reason=reason
        )

    async def count(self) -> int:
        return await run(self.manager.count)

    async def ping(self) -> None:
        await run(self.manager.ping)

    def close(self) -> None:
        """Closes idle connections, of every event loop."""
        self.manager.close()

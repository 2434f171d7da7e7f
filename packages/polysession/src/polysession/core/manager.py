"""Where token, record, timeouts, merge and store meet. One a process; thread-safe if its store is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .clock import Clock, SystemClock
from .events import Events
from .record import Device, EndReason
from .session import Session
from .settings import SessionSettings
from .store import Store
from .token import Keys


@dataclass(frozen=True, slots=True)
class SessionInfo:
    """One of a principal's live sessions, for "where you are signed in". Times in milliseconds."""

    id: str
    created_at: int
    last_seen_at: int
    device: Device


class SessionManager:
    def __init__(
        self,
        store: Store,
        keys: Keys,
        *,
        settings: SessionSettings | None = None,
        clock: Clock | None = None,
        random: Callable[[int], bytes] | None = None,  # secrets.token_bytes
        events: Events | None = None,
    ) -> None:
        raise NotImplementedError

    def open(
        self, token: str | None, *, passive: bool = False, optional: bool = False, device: Device | None = None
    ) -> Session:
        """No IO. A malformed or forged ``token`` opens as none (counted ``invalid``). ``passive``: never
        touches. ``optional``: an unknown store gives an empty read-only session instead of
        ``StoreUnavailable``. ``device`` is kept when this request creates a session.
        """
        raise NotImplementedError

    def sessions(self, principal: str) -> tuple[SessionInfo, ...]:
        """The principal's live sessions, most recently seen first."""
        raise NotImplementedError

    def end_session(self, principal: str, session_id: str, *, reason: EndReason = "revoked") -> bool:
        """``False``: no such live session of this principal."""
        raise NotImplementedError

    def end_principal(
        self, principal: str, *, generation: int, keep: str | None = None, reason: EndReason = "revoked"
    ) -> int:
        """How many ended. ``generation``: already raised in the account's database; see
        ``Store.end_principal``.
        """
        raise NotImplementedError

    def count(self) -> int: raise NotImplementedError

    def ping(self) -> None: raise NotImplementedError

    def pseudonym(self, principal: str) -> str: raise NotImplementedError

    def close(self) -> None: raise NotImplementedError

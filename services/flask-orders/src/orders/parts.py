"""What a worker process holds: made after the fork, closed after the last request."""

from __future__ import annotations

from dataclasses import dataclass

from flask import current_app
from polysession import SessionManager

from orders.database import Database
from orders.users_client import UsersClient


@dataclass(frozen=True, slots=True)
class Parts:
    database: Database
    users: UsersClient
    sessions: SessionManager

    def close(self) -> None:
        self.users.close()
        self.sessions.close()
        self.database.close()


def parts() -> Parts:
    """Of the app that answers this request."""
    held: Parts = current_app.extensions["orders"]
    return held

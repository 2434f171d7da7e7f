"""Django's messages as a declared list: of parallel requests, all are shown, each once.

``MESSAGE_STORAGE = "polysession.contrib.django.messages.MessageStorage"``. With Django's own ``SessionStorage``, which
keeps them all in one ``str``, the last request to add one wins, and that is counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib.messages.storage.base import Message
from django.contrib.messages.storage.session import SessionStorage


class MessageStorage(SessionStorage):
    def serialize_messages(self, messages: Sequence[Any]) -> list[str]:  # type: ignore[override]
        """One item a message: only that can be merged."""
        return [super(MessageStorage, self).serialize_messages([message]) for message in messages]

    def deserialize_messages(self, data: str | Iterable[str] | None) -> list[Message]:
        """Also what ``SessionStorage`` has left in sessions of before."""
        parts = [data] if isinstance(data, str) else data or ()
        return [message for part in parts for message in self._messages_of(part)]

    def _messages_of(self, part: str) -> list[Message]:
        return super().deserialize_messages(part) or []

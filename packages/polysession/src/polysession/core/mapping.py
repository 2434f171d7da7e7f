"""What a framework calls its session: a mapping of the attributes of the core's."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, MutableMapping
from typing import Any

from .session import Session


class SessionMapping(MutableMapping[str, Any]):
    """Base of the adapters' sessions whose framework asks for a mapping and no more (Flask, Starlette)."""

    @property
    @abstractmethod
    def core(self) -> Session:
        """Of this request. Each use of the mapping asks for it."""

    def __getitem__(self, name: str) -> Any:
        return self.core[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self.core[name] = value

    def __delitem__(self, name: str) -> None:
        del self.core[name]

    def __contains__(self, name: object) -> bool:
        return name in self.core

    def __iter__(self) -> Iterator[str]:
        return iter(self.core)

    def __len__(self) -> int:
        return len(self.core)

    def update(self, *arguments: Any, **values: Any) -> Any:
        """The core's: ``session.update("visits", lambda visits: visits + 1, default=0)``, or a mapping's."""
        return self.core.update(*arguments, **values)

    def draft(self, name: str, default: Any) -> Any:
        return self.core.draft(name, default)

"""What telemetry hears. The core tells; it never asks whether anybody listens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from types import TracebackType
from typing import Literal

from .record import EndReason, Kind

Validation = Literal["live", "absent", "ended", "invalid", "unknown"]
ConflictOutcome = Literal["merged", "last_write", "raised"]
RotationCause = Literal["age", "privilege"]
KeysOutcome = Literal["renewed", "refused"]
MigrationOutcome = Literal["whole", "partly", "refused"]


class Events:
    """Base and no-op default. Listeners override what they hear; they must not raise and must not block."""

    def created(self, kind: Kind) -> None:
        """A session was created."""

    def ended(self, reason: EndReason) -> None:
        """A session was ended by this process (once a session)."""

    def validated(self, result: Validation) -> None:
        """A request's token was judged: ``invalid`` without a round trip, else by the first read."""

    def conflict(self, outcome: ConflictOutcome) -> None:
        """An attribute was written by two requests at once."""

    def keys_read(self, outcome: KeysOutcome) -> None:
        """The key files changed: taken, or refused for a fault, and the old ones stay."""

    def rotated(self, cause: RotationCause) -> None:
        """A session got a new secret; by ``age``: it was drawn (once a rotation)."""

    def migrated(self, outcome: MigrationOutcome) -> None:
        """An old session (``migration``) came along; ``partly``: without some attributes. ``refused``: an old cookie led
        to none, because it is used up, or what it names is not there or not to be taken over.
        """

    def clock_skew(self, seconds: float) -> None:
        """Difference between the store's clock and ours, at a script's reply."""

    def operation(
        self,
        name: str,  # noqa: ARG002
        attributes: Mapping[str, str | int],  # noqa: ARG002
    ) -> AbstractContextManager[None]:
        """Around one store operation (``read``, ``write``, …): a span and a duration. ``attributes`` are
        OpenTelemetry's database conventions (``db.operation.name``, ``server.address``, …)."""
        return nullcontext()


class AllEvents(Events):
    """Tells several listeners, in order: metrics and traces at once."""

    def __init__(self, *listeners: Events) -> None:
        self._listeners = listeners

    def created(self, kind: Kind) -> None:
        for listener in self._listeners:
            listener.created(kind)

    def ended(self, reason: EndReason) -> None:
        for listener in self._listeners:
            listener.ended(reason)

    def validated(self, result: Validation) -> None:
        for listener in self._listeners:
            listener.validated(result)

    def conflict(self, outcome: ConflictOutcome) -> None:
        for listener in self._listeners:
            listener.conflict(outcome)

    def keys_read(self, outcome: KeysOutcome) -> None:
        for listener in self._listeners:
            listener.keys_read(outcome)

    def rotated(self, cause: RotationCause) -> None:
        for listener in self._listeners:
            listener.rotated(cause)

    def migrated(self, outcome: MigrationOutcome) -> None:
        for listener in self._listeners:
            listener.migrated(outcome)

    def clock_skew(self, seconds: float) -> None:
        for listener in self._listeners:
            listener.clock_skew(seconds)

    def operation(self, name: str, attributes: Mapping[str, str | int]) -> AbstractContextManager[None]:
        return _Around([listener.operation(name, attributes) for listener in self._listeners])


class _Around:
    """Several listeners' around one operation: the first is left last. They must not raise, so there is no stack."""

    def __init__(self, inner: Sequence[AbstractContextManager[None]]) -> None:
        self._inner = inner

    def __enter__(self) -> None:
        for one in self._inner:
            one.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for one in reversed(self._inner):
            one.__exit__(kind, error, trace)

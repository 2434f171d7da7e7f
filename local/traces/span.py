"""A span as it is stored: OpenTelemetry's data model, flattened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# A value of an attribute: str, bool, int, float, or a list of those.
Attributes = Mapping[str, Any]
KINDS = ("unspecified", "internal", "server", "client", "producer", "consumer")


@dataclass(frozen=True)
class Event:
    """Something that happened within a span, e.g. an exception. Time in nanoseconds since 1970."""

    time: int
    name: str
    attributes: Attributes


@dataclass(frozen=True)
class Link:
    """A span of the same or another trace that led to this one."""

    trace_id: str
    span_id: str


@dataclass(frozen=True)
class Span:
    """One span. IDs are lower-case hex, times nanoseconds since 1970, ``parent_id`` empty for a root."""

    trace_id: str
    span_id: str
    parent_id: str
    service: str
    name: str
    kind: str
    start: int
    end: int
    failed: bool
    status_message: str
    attributes: Attributes
    resource: Attributes
    scope: str = ""
    events: tuple[Event, ...] = ()
    links: tuple[Link, ...] = ()

    @property
    def session_id(self) -> str:
        """The session that the span belongs to, or nothing."""
        value = self.attributes.get("session.id", "")
        return value if isinstance(value, str) else ""

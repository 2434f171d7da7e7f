"""A trace made by hand and sent as OTLP JSON, as the shell in a browser sends its own."""

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx

_INTERNAL, _CLIENT = 1, 3
_BATCH = 100
"""Spans a request: well below the 64 KB that the edge lets through."""

Value = str | int


@dataclass
class Span:
    """One span; times in nanoseconds since the epoch. Attributes may be added until it is sent."""

    trace_id: str
    name: str
    kind: int
    parent_id: str = ""
    span_id: str = field(default_factory=lambda: secrets.token_hex(8))
    attributes: dict[str, Value] = field(default_factory=dict)
    start: int = field(default_factory=time.time_ns)
    end: int = 0

    @property
    def traceparent(self) -> str:
        """The header that makes what follows a child of this span (W3C Trace Context)."""
        return f"00-{self.trace_id}-{self.span_id}-01"

    def as_json(self) -> dict[str, object]:
        """As OTLP's JSON encoding has it: IDs in hexadecimal, 64-bit numbers as text."""
        return {
            "traceId": self.trace_id,
            "spanId": self.span_id,
            "parentSpanId": self.parent_id,
            "name": self.name,
            "kind": self.kind,
            "startTimeUnixNano": str(self.start),
            "endTimeUnixNano": str(self.end or time.time_ns()),
            "attributes": [{"key": key, "value": _value(value)} for key, value in self.attributes.items()],
        }


class Trace:
    """One trace with one root, open until it is sent."""

    def __init__(self, *, service: str, root: str) -> None:
        self.trace_id = secrets.token_hex(16)
        self._service = service
        self._root = Span(self.trace_id, root, _INTERNAL)
        self._spans: list[Span] = []

    @contextmanager
    def client_span(self, name: str) -> Iterator[Span]:
        """A request's span, below the root."""
        span = Span(self.trace_id, name, _CLIENT, parent_id=self._root.span_id)
        try:
            yield span
        finally:
            span.end = time.time_ns()
            self._spans.append(span)

    def send(self, client: httpx.Client, path: str) -> None:
        """Send all spans, the root included. A store that does not take them raises nothing: a story that was
        told stays told."""
        self._root.end = time.time_ns()
        spans = [self._root, *self._spans]
        resource = {"attributes": [{"key": "service.name", "value": _value(self._service)}]}
        for first in range(0, len(spans), _BATCH):
            scope = {
                "scope": {"name": "local.demo"},
                "spans": [s.as_json() for s in spans[first : first + _BATCH]],
            }
            body = {"resourceSpans": [{"resource": resource, "scopeSpans": [scope]}]}
            try:
                client.post(path, json=body)
            except httpx.HTTPError:
                return


def _value(value: Value) -> dict[str, str]:
    return {"intValue": str(value)} if isinstance(value, int) else {"stringValue": value}

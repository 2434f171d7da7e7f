"""Spans and exports for the tests of this folder."""

from __future__ import annotations

from typing import Any

from local.traces.span import Span

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
MS = 1_000_000
NOW = 1_800_000_000 * 10**9


def make_span(number: int = 1, parent: int = 0, **changes: Any) -> Span:
    """Return a span whose ID is a number; parent 0 is a root."""
    members: dict[str, Any] = {
        "trace_id": TRACE,
        "span_id": f"{number:016x}",
        "parent_id": f"{parent:016x}" if parent else "",
        "service": "orders",
        "name": "GET /cart",
        "kind": "server",
        "start": NOW + number * MS,
        "end": NOW + number * MS + 5 * MS,
        "failed": False,
        "status_message": "",
        "attributes": {"session.id": "id1"},
        "resource": {"service.name": "orders"},
    }
    return Span(**(members | changes))


def json_export(**changes: Any) -> dict[str, Any]:
    """Return an export as OTel's JavaScript SDK sends it; changes go to its only span."""
    span = {
        "traceId": TRACE,
        "spanId": "00f067aa0ba902b7",
        "parentSpanId": "00f067aa0ba902b6",
        "name": "Place order",
        "kind": 3,
        "startTimeUnixNano": str(NOW),
        "endTimeUnixNano": str(NOW + 5 * MS),
        "attributes": [
            {"key": "session.id", "value": {"stringValue": "id1"}},
            {"key": "http.response.status_code", "value": {"intValue": "201"}},
            {"key": "sampled", "value": {"boolValue": True}},
            {"key": "ratio", "value": {"doubleValue": 0.5}},
            {"key": "list", "value": {"arrayValue": {"values": [{"stringValue": "a"}, {"intValue": 2}]}}},
        ],
        "events": [
            {
                "timeUnixNano": str(NOW + MS),
                "name": "exception",
                "attributes": [{"key": "exception.type", "value": {"stringValue": "TypeError"}}],
            }
        ],
        "links": [{"traceId": "ab" * 16, "spanId": "cd" * 8}],
        "status": {"code": 2, "message": "no network"},
        "flags": 257,
    } | changes
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "react-shell"}}]}
    return {
        "resourceSpans": [
            {"resource": resource, "scopeSpans": [{"scope": {"name": "shell"}, "spans": [span]}]}
        ]
    }

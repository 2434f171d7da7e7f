"""The spans of a trace as Jaeger's JSON has it, flattened: each with its `service` and its `attributes`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Span = dict[str, Any]


def spans_of(trace: dict[str, Any]) -> list[Span]:
    return [
        {
            **span,
            "service": trace["processes"][span["processID"]]["serviceName"],
            "attributes": {tag["key"]: tag["value"] for tag in span.get("tags", [])},
        }
        for span in trace["spans"]
    ]


def has(services: set[str], *, spans: int = 1) -> Callable[[dict[str, Any]], bool]:
    """A condition: each of these services has sent a span, and there are at least so many."""
    return lambda trace: (
        {span["service"] for span in spans_of(trace)} >= services and len(trace["spans"]) >= spans
    )

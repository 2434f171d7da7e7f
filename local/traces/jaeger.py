"""Jaeger's JSON, as its query service answers it: https://www.jaegertracing.io/docs/2.0/apis/ (`/api/…`).

Times are microseconds since 1970.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from local.traces.span import Event, Span
from local.traces.store import text


def envelope(data: Any, *, total: int | None = None) -> dict[str, Any]:
    """Return what every answer of the API is wrapped in."""
    count = total if total is not None else len(data or ())
    return {"data": data, "total": count, "limit": 0, "offset": 0, "errors": None}


def trace(spans: Sequence[Span]) -> dict[str, Any]:
    """Return one trace. Spans of the same service with the same resource share a process."""
    processes: dict[str, dict[str, Any]] = {}
    keys: dict[tuple[str, str], str] = {}
    documents: list[dict[str, Any]] = []
    for span in spans:
        identity = (span.service, text(dict(span.resource)))
        if identity not in keys:
            keys[identity] = f"p{len(keys) + 1}"
            processes[keys[identity]] = {
                "serviceName": span.service,
                "tags": _tags({key: value for key, value in span.resource.items() if key != "service.name"}),
            }
        documents.append(_span(span, keys[identity]))
    return {
        "traceID": spans[0].trace_id,
        "spans": documents,
        "processes": processes,
        "warnings": None,
    }


def _span(span: Span, process: str) -> dict[str, Any]:
    references = [_reference("FOLLOWS_FROM", link.trace_id, link.span_id) for link in span.links]
    if span.parent_id:
        references.insert(0, _reference("CHILD_OF", span.trace_id, span.parent_id))
    attributes = dict(span.attributes)
    if span.kind != "unspecified":
        attributes["span.kind"] = span.kind
    if span.scope:
        attributes["otel.scope.name"] = span.scope
    if span.failed:
        attributes |= {"error": True, "otel.status_code": "ERROR"}
        if span.status_message:
            attributes["otel.status_description"] = span.status_message
    return {
        "traceID": span.trace_id,
        "spanID": span.span_id,
        "operationName": span.name,
        "references": references,
        "flags": 1,
        "startTime": span.start // 1000,
        "duration": (span.end - span.start) // 1000,
        "tags": _tags(attributes),
        "logs": [_log(event) for event in span.events],
        "processID": process,
        "warnings": None,
    }


def _reference(kind: str, trace_id: str, span_id: str) -> dict[str, str]:
    return {"refType": kind, "traceID": trace_id, "spanID": span_id}


def _log(event: Event) -> dict[str, Any]:
    return {"timestamp": event.time // 1000, "fields": _tags({"event": event.name, **event.attributes})}


def _tags(attributes: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [_tag(key, value) for key, value in attributes.items()]


def _tag(key: str, value: Any) -> dict[str, Any]:
    # bool first: it is an int, too.
    for kind, name in ((bool, "bool"), (int, "int64"), (float, "float64"), (str, "string")):
        if isinstance(value, kind):
            return {"key": key, "type": name, "value": value}
    return {"key": key, "type": "string", "value": text(value)}

"""OTLP over HTTP: what exporters send, as spans. Protobuf, or JSON with hex IDs, plain or gzip.

Source: https://opentelemetry.io/docs/specs/otlp/#otlphttp
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from google.protobuf import json_format  # type: ignore[import-untyped]
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1 import trace_pb2

from local.traces.span import KINDS, Event, Link, Span

PROTOBUF = "application/x-protobuf"
JSON = "application/json"
MAX_BYTES = 16 * 1024 * 1024
MAX_ATTRIBUTES = 128
MAX_VALUE = 4096
MAX_EVENTS = 64


class MalformedError(Exception):
    """The body is not what its headers say."""


class UnsupportedError(Exception):
    """The content type or encoding is not one of OTLP over HTTP."""


class TooLargeError(Exception):
    """The body is larger than ``MAX_BYTES`` when it is unpacked."""


@dataclass(frozen=True)
class Export:
    """The spans of one export, and how many were refused because their IDs or times are invalid."""

    spans: tuple[Span, ...]
    refused: int


def decode(body: bytes, *, content_type: str, encoding: str) -> Export:
    """Return the spans of an export. Raises MalformedError, UnsupportedError or TooLargeError."""
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type not in (PROTOBUF, JSON):
        raise UnsupportedError(f"send {PROTOBUF} or {JSON}")
    body = unpack(body, encoding.strip().lower())
    request = _from_json(body) if media_type == JSON else _from_protobuf(body)
    spans: list[Span] = []
    refused = 0
    for resource_spans in request.resource_spans:
        resource = _attributes(resource_spans.resource.attributes)
        for scope_spans in resource_spans.scope_spans:
            for span in scope_spans.spans:
                if _valid(span):
                    spans.append(_span(span, resource, scope_spans.scope.name))
                else:
                    refused += 1
    return Export(tuple(spans), refused)


def answer(refused: int, content_type: str) -> tuple[bytes, str]:
    """Return the answer to an export in the form it came in, and its content type."""
    response = ExportTraceServiceResponse()
    if refused:
        message = "their IDs or times are invalid, or the trace is full"
        response.partial_success.CopyFrom(
            ExportTracePartialSuccess(rejected_spans=refused, error_message=message)
        )
    if content_type.partition(";")[0].strip().lower() == JSON:
        return json_format.MessageToJson(response, indent=None).encode(), JSON
    return response.SerializeToString(), PROTOBUF


def unpack(body: bytes, encoding: str) -> bytes:
    """Return a body without its compression; never more than ``MAX_BYTES``."""
    if encoding in ("", "identity"):
        return body
    if encoding != "gzip":
        raise UnsupportedError("send it plain or gzip")
    unpacker = zlib.decompressobj(wbits=31)
    try:
        plain = unpacker.decompress(body, MAX_BYTES)
    except zlib.error as error:
        raise MalformedError("the body is not gzip") from error
    if unpacker.unconsumed_tail:
        raise TooLargeError(f"send at most {MAX_BYTES} bytes, unpacked")
    if not unpacker.eof:
        raise MalformedError("the gzip body ends too early")
    return plain


def _from_protobuf(body: bytes) -> ExportTraceServiceRequest:
    try:
        request: ExportTraceServiceRequest = ExportTraceServiceRequest.FromString(body)
    except DecodeError as error:
        raise MalformedError("the body is not an ExportTraceServiceRequest") from error
    return request


def _from_json(body: bytes) -> ExportTraceServiceRequest:
    try:
        document = json.loads(body)
        _ids_to_base64(document)
        request = ExportTraceServiceRequest()
        json_format.ParseDict(document, request, ignore_unknown_fields=True)
    # RecursionError: deeply nested JSON.
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, json_format.ParseError) as error:
        raise MalformedError("the body is not an ExportTraceServiceRequest as JSON") from error
    return request


def _ids_to_base64(document: Any) -> None:
    # OTLP's JSON writes IDs as hex; protobuf's own JSON, which parses the rest, writes bytes as base64.
    for resource_spans in document.get("resourceSpans", ()):
        for scope_spans in resource_spans.get("scopeSpans", ()):
            for span in scope_spans.get("spans", ()):
                for holder in (span, *span.get("links", ())):
                    for name in ("traceId", "spanId", "parentSpanId"):
                        if name in holder:
                            holder[name] = base64.b64encode(bytes.fromhex(holder[name])).decode()


def _valid(span: trace_pb2.Span) -> bool:
    # W3C Trace Context section 3.2.2: all zeroes is no ID.
    ids = len(span.trace_id) == 16 and any(span.trace_id) and len(span.span_id) == 8 and any(span.span_id)
    # SQLite keeps 63 bits.
    times = 0 < span.start_time_unix_nano <= span.end_time_unix_nano < 2**63
    return ids and len(span.parent_span_id) in (0, 8) and times


def _span(span: trace_pb2.Span, resource: dict[str, Any], scope: str) -> Span:
    parent = span.parent_span_id.hex()
    return Span(
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_id=parent if parent.strip("0") else "",
        service=str(resource.get("service.name") or "unknown_service")[:255],
        name=span.name[:255],
        kind=KINDS[span.kind] if 0 <= span.kind < len(KINDS) else KINDS[0],
        start=span.start_time_unix_nano,
        end=span.end_time_unix_nano,
        failed=span.status.code == trace_pb2.Status.STATUS_CODE_ERROR,
        status_message=span.status.message[:MAX_VALUE],
        attributes=_attributes(span.attributes),
        resource=resource,
        scope=scope[:255],
        events=tuple(
            Event(event.time_unix_nano, event.name[:255], _attributes(event.attributes))
            for event in span.events[:MAX_EVENTS]
        ),
        links=tuple(Link(link.trace_id.hex(), link.span_id.hex()) for link in span.links[:MAX_EVENTS]),
    )


def _attributes(pairs: Iterable[KeyValue]) -> dict[str, Any]:
    attributes: dict[str, Any] = {}
    for pair in pairs:
        if len(attributes) == MAX_ATTRIBUTES:
            break
        attributes[pair.key[:255]] = _value(pair.value)
    return attributes


def _value(value: AnyValue) -> Any:
    match value.WhichOneof("value"):
        case "string_value":
            return value.string_value[:MAX_VALUE]
        case "bool_value":
            return value.bool_value
        case "int_value":
            return value.int_value
        case "double_value":
            # JSON has neither NaN nor infinity.
            number = value.double_value
            return number if number - number == 0 else str(number)
        case "bytes_value":
            return value.bytes_value[:MAX_VALUE].hex()
        case "array_value":
            return [_value(item) for item in value.array_value.values[:MAX_ATTRIBUTES]]
        case "kvlist_value":
            return json.dumps(_attributes(value.kvlist_value.values))[:MAX_VALUE]
        case _:
            return ""

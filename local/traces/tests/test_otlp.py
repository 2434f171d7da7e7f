import gzip
import json
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from local.traces import otlp
from local.traces.span import Event, Link, Span
from local.traces.tests.spans import MS, NOW, TRACE, json_export

EXPECTED = Span(
    trace_id=TRACE,
    span_id="00f067aa0ba902b7",
    parent_id="00f067aa0ba902b6",
    service="react-shell",
    name="Place order",
    kind="client",
    start=NOW,
    end=NOW + 5 * MS,
    failed=True,
    status_message="no network",
    attributes={
        "session.id": "id1",
        "http.response.status_code": 201,
        "sampled": True,
        "ratio": 0.5,
        "list": ["a", 2],
    },
    resource={"service.name": "react-shell"},
    scope="shell",
    events=(Event(NOW + MS, "exception", {"exception.type": "TypeError"}),),
    links=(Link("ab" * 16, "cd" * 8),),
)


def decode_json(document: Any, encoding: str = "") -> otlp.Export:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return otlp.decode(body, content_type="application/json; charset=utf-8", encoding=encoding)


def as_protobuf() -> bytes:
    request = ExportTraceServiceRequest()
    scope = request.resource_spans.add()
    resource = scope.resource.attributes.add(key="service.name")
    resource.value.string_value = "react-shell"
    spans = scope.scope_spans.add()
    spans.scope.name = "shell"
    span = spans.spans.add(
        trace_id=bytes.fromhex(TRACE),
        span_id=bytes.fromhex(EXPECTED.span_id),
        parent_span_id=bytes.fromhex(EXPECTED.parent_id),
        name="Place order",
        kind="SPAN_KIND_CLIENT",
        start_time_unix_nano=NOW,
        end_time_unix_nano=NOW + 5 * MS,
    )
    span.status.code = 2
    span.status.message = "no network"
    span.attributes.add(key="session.id").value.string_value = "id1"
    span.attributes.add(key="http.response.status_code").value.int_value = 201
    span.attributes.add(key="sampled").value.bool_value = True
    span.attributes.add(key="ratio").value.double_value = 0.5
    values = span.attributes.add(key="list").value.array_value.values
    values.add().string_value = "a"
    values.add().int_value = 2
    event = span.events.add(time_unix_nano=NOW + MS, name="exception")
    event.attributes.add(key="exception.type").value.string_value = "TypeError"
    span.links.add(trace_id=b"\xab" * 16, span_id=b"\xcd" * 8)
    body: bytes = request.SerializeToString()
    return body


def test_json_with_hex_ids_is_the_span_that_was_sent() -> None:
    assert decode_json(json_export()) == otlp.Export((EXPECTED,), 0)


def test_protobuf_is_the_same_span() -> None:
    export = otlp.decode(as_protobuf(), content_type="application/x-protobuf", encoding="")
    assert export == otlp.Export((EXPECTED,), 0)


def test_gzip_is_unpacked() -> None:
    packed = gzip.compress(as_protobuf())
    export = otlp.decode(packed, content_type="application/x-protobuf", encoding="gzip")
    assert export.spans == (EXPECTED,)


def test_a_small_body_that_unpacks_to_a_huge_one_is_refused() -> None:
    bomb = gzip.compress(b"\0" * (otlp.MAX_BYTES + 1))
    assert len(bomb) < 100_000
    with pytest.raises(otlp.TooLargeError):
        otlp.decode(bomb, content_type="application/x-protobuf", encoding="gzip")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nothing",
        b"[]",
        b"1",
        b'{"resourceSpans": 1}',
        b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "xyz"}]}]}]}',
        b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": 5}]}]}]}',
        b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"startTimeUnixNano": "soon"}]}]}]}',
        b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"name": "\\ud800"}]}]}]}',
        b'{"a":' * 5000 + b"1" + b"}" * 5000,
        b"\xff\xfe",
    ],
)
def test_json_that_is_no_export_is_malformed(body: bytes) -> None:
    with pytest.raises(otlp.MalformedError):
        decode_json(body)


@pytest.mark.parametrize(("body", "encoding"), [(b"\xff\xff", ""), (b"no gzip", "gzip"), (b"", "gzip")])
def test_bytes_that_are_no_export_are_malformed(body: bytes, encoding: str) -> None:
    with pytest.raises(otlp.MalformedError):
        otlp.decode(body, content_type="application/x-protobuf", encoding=encoding)


def test_a_cut_gzip_body_is_malformed() -> None:
    with pytest.raises(otlp.MalformedError):
        decode_json(gzip.compress(json.dumps(json_export()).encode())[:-10], "gzip")


@pytest.mark.parametrize(
    ("content_type", "encoding"), [("text/plain", ""), ("", ""), ("application/json", "br")]
)
def test_other_types_and_encodings_are_unsupported(content_type: str, encoding: str) -> None:
    with pytest.raises(otlp.UnsupportedError):
        otlp.decode(b"{}", content_type=content_type, encoding=encoding)


@pytest.mark.parametrize(
    "changes",
    [
        {"traceId": ""},
        {"traceId": "00" * 16},
        {"traceId": "ab"},
        {"spanId": "00" * 8},
        {"parentSpanId": "ab"},
        {"startTimeUnixNano": "0"},
        {"endTimeUnixNano": str(NOW - 1)},
        {"endTimeUnixNano": str(2**63)},
    ],
)
def test_a_span_with_an_invalid_id_or_time_is_refused_and_counted(changes: dict[str, str]) -> None:
    assert decode_json(json_export(**changes)) == otlp.Export((), 1)


def test_a_root_may_write_its_missing_parent_as_zeroes() -> None:
    assert decode_json(json_export(parentSpanId="00" * 8)).spans[0].parent_id == ""


def test_what_is_too_long_is_cut() -> None:
    attributes = [{"key": f"k{n}", "value": {"stringValue": "x" * 10_000}} for n in range(500)]
    span = decode_json(json_export(attributes=attributes, name="n" * 1000)).spans[0]
    assert len(span.attributes) == otlp.MAX_ATTRIBUTES
    assert {len(value) for value in span.attributes.values()} == {otlp.MAX_VALUE}
    assert len(span.name) == 255


def test_numbers_that_json_cannot_write_become_text() -> None:
    attributes = [
        {"key": "n", "value": {"doubleValue": "NaN"}},
        {"key": "i", "value": {"doubleValue": "Infinity"}},
    ]
    assert decode_json(json_export(attributes=attributes)).spans[0].attributes == {"n": "nan", "i": "inf"}


def test_the_answer_has_the_form_of_the_question_and_says_what_was_refused() -> None:
    body, content_type = otlp.answer(0, "application/json")
    assert (json.loads(body), content_type) == ({}, "application/json")
    body, _ = otlp.answer(2, "application/json")
    assert json.loads(body)["partialSuccess"]["rejectedSpans"] == "2"
    body, content_type = otlp.answer(2, "application/x-protobuf")
    assert content_type == "application/x-protobuf"
    assert ExportTraceServiceResponse.FromString(body).partial_success.rejected_spans == 2

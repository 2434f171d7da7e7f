import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from chassis import logs
from opentelemetry import baggage, context, trace
from opentelemetry.sdk.trace import TracerProvider

TOKEN = "s" + "Ab3_-" * 13 + "wxyz"


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    stream = io.StringIO()
    logs.configure("orders", "info", stream=stream)
    yield stream
    structlog.reset_defaults()
    logging.captureWarnings(False)
    root.handlers, root.level = handlers, level


def read(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_every_library_logs_one_json_object_a_line(lines: io.StringIO) -> None:
    structlog.get_logger("a").info("order_placed", order="o1")
    logging.getLogger("b").warning("slow %s", "query")
    first, second = read(lines)
    assert (first["event"], first["level"], first["order"]) == ("order_placed", "info", "o1")
    assert (second["event"], second["level"], second["logger"]) == ("slow query", "warning", "b")
    assert first["service"] == second["service"] == "orders"
    assert first["timestamp"].endswith("Z")


def test_a_line_below_the_level_is_not_written(lines: io.StringIO) -> None:
    structlog.get_logger("a").debug("noise")
    logging.getLogger("b").debug("noise")
    assert read(lines) == []


def test_a_line_carries_trace_span_and_session_id(lines: io.StringIO) -> None:
    token = context.attach(baggage.set_baggage("session.id", "id1"))
    with TracerProvider(shutdown_on_exit=False).get_tracer("t").start_as_current_span("work") as span:
        logging.getLogger("b").info("within")
    context.detach(token)
    logging.getLogger("b").info("outside")
    within, outside = read(lines)
    assert within["trace_id"] == trace.format_trace_id(span.get_span_context().trace_id)
    assert within["span_id"] == trace.format_span_id(span.get_span_context().span_id)
    assert within["session.id"] == "id1"
    assert not {"trace_id", "session.id"} & set(outside)


def test_a_session_id_on_the_span_is_enough(lines: io.StringIO) -> None:
    tracer = TracerProvider(shutdown_on_exit=False).get_tracer("t")
    with tracer.start_as_current_span("work", attributes={"session.id": "id2"}):
        structlog.get_logger("a").info("within")
    assert read(lines)[0]["session.id"] == "id2"


def test_a_session_token_never_reaches_a_line(lines: io.StringIO) -> None:
    assert len(TOKEN) == 70
    log = structlog.get_logger("a")
    log.info(
        f"cookie was {TOKEN}", value=TOKEN, nested={"list": [TOKEN, {"deep": TOKEN}]}, raw=TOKEN.encode()
    )
    log.info("headers", headers={"Cookie": "short", "Accept": "text/html"}, thing=type("T", (), {})())
    logging.getLogger("b").info("GET /?session=%s", TOKEN)
    try:
        raise ValueError(f"no such session {TOKEN}")
    except ValueError:
        log.exception("failed")
    assert TOKEN not in lines.getvalue()
    assert read(lines)[1]["headers"] == {"Cookie": logs.REDACTED, "Accept": "text/html"}


def test_a_traceback_shows_no_local_variables(lines: io.StringIO) -> None:
    private = "hunter2" + "x"
    try:
        raise ValueError(str(len(private)))
    except ValueError:
        structlog.get_logger("a").exception("failed")
    assert "Traceback" in read(lines)[0]["exception"]
    assert private not in lines.getvalue()

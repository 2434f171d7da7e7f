"""Logs: one JSON object a line on standard output, with trace, span and session ID, from every library.

A session token never gets out: values under telling names and whatever looks like a token are replaced. That
is a net under the rule, not the rule: log the session ID.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, TextIO

import structlog
from opentelemetry import baggage, trace
from structlog.typing import Processor

REDACTED = "[redacted]"
SESSION_ID = "session.id"
_SECRET_NAMES = frozenset(
    ("authorization", "cookie", "set-cookie", "password", "secret", "token", "session_key", "csrf_token")
)
# A session token is 70 base64url characters, the first of which is its kind. Something else of that shape is
# hidden too, at no harm.
_TOKEN = re.compile(r"(?<![A-Za-z0-9_-])[as][A-Za-z0-9_-]{69}(?![A-Za-z0-9_-])")


def configure(service: str, level: str, *, stream: TextIO | None = None) -> None:
    """Route structlog and the standard library's logging of this process through one JSON handler.

    May be called again; the last call holds. Django must not set up logging: ``LOGGING_CONFIG = None``.
    """
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="timestamp"),
        _ServiceAdder(service),
        add_trace,
        # Tracebacks without local variables: those hold request bodies and tokens.
        structlog.processors.format_exc_info,
        redact,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream or sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(ensure_ascii=False, default=str),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    # Their info lines are one for each request that we make: the spans say the same, better.
    for name in ("httpx", "httpcore", "urllib3"):
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    logging.captureWarnings(True)


class _ServiceAdder:
    def __init__(self, service: str) -> None:
        self._service = service

    def __call__(
        self, _logger: Any, _method: str, event: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        event["service"] = self._service
        return event


def add_trace(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Add ``trace_id``, ``span_id`` and ``session.id`` of what is under way; those already there stay."""
    span = trace.get_current_span()
    event.update({name: value for name, value in trace_fields(span).items() if name not in event})
    if SESSION_ID not in event and isinstance(value := baggage.get_baggage(SESSION_ID), str):
        event[SESSION_ID] = value
    return event


def trace_fields(span: trace.Span | None) -> dict[str, str]:
    """Return what a log line says about a span; nothing about one that is not part of a trace."""
    fields: dict[str, str] = {}
    if span is None:
        return fields
    span_context = span.get_span_context()
    if span_context.is_valid:
        fields["trace_id"] = trace.format_trace_id(span_context.trace_id)
        fields["span_id"] = trace.format_span_id(span_context.span_id)
    attributes = getattr(span, "attributes", None) or {}
    if isinstance(session_id := attributes.get(SESSION_ID), str):
        fields[SESSION_ID] = session_id
    return fields


def redact(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace secrets, at any depth of mappings and sequences."""
    for name in list(event):
        event[name] = _redacted(name, event[name])
    return event


def _redacted(name: str, value: Any) -> Any:
    if name.lower() in _SECRET_NAMES:
        return REDACTED
    if isinstance(value, str):
        return _TOKEN.sub(REDACTED, value)
    if isinstance(value, bytes):
        return _TOKEN.sub(REDACTED, value.decode("latin-1"))
    if isinstance(value, Mapping):
        return {key: _redacted(str(key), inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_redacted("", inner) for inner in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    # The renderer would write it as text, after this net.
    return _TOKEN.sub(REDACTED, str(value))

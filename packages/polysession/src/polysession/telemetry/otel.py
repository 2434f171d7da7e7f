"""OpenTelemetry: a client span around each store operation, and the session in baggage, so that it reaches
every span.

Names are OpenTelemetry's semantic conventions: ``db.*`` and ``server.*`` (database clients), ``session.id``,
``enduser.pseudo.id``. Baggage decides nothing: whoever receives it may trace by it and must not authorise
by it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import Token
from types import TracebackType

from ..core.events import Events
from ..extras import extra

with extra("otel", "opentelemetry"):
    from opentelemetry import baggage, context, trace
    from opentelemetry.context import Context
    from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer, TracerProvider

SESSION_ID = "session.id"
PSEUDONYM = "enduser.pseudo.id"
OF_NO_REQUEST = frozenset({"count", "ping"})  # a scrape and a probe: alone they would fill the trace store


def attach(session_id: str, pseudonym: str | None = None) -> Token[Context]:
    """From now on, in this context: ``session.id`` (and the pseudonym, where the principal is known) in
    baggage, and on the current span. Call it once the token's MAC was checked; the store need not have been
    asked. Every ``attach`` needs its ``detach`` in the same thread or task, or the next request there
    inherits the session.
    """
    current = context.get_current()
    given = {SESSION_ID: session_id} | ({PSEUDONYM: pseudonym} if pseudonym else {})
    for name, value in given.items():
        current = baggage.set_baggage(name, value, current)
        trace.get_current_span().set_attribute(name, value)
    return context.attach(current)


def detach(token: Token[Context]) -> None:
    """Undoes ``attach``."""
    context.detach(token)


@contextmanager
def attached(session_id: str, pseudonym: str | None = None) -> Iterator[None]:
    """``attach`` and ``detach`` around a request: the ``around`` of ``contrib.asgi.SessionMiddleware``."""
    token = attach(session_id, pseudonym)
    try:
        yield
    finally:
        detach(token)


class OTelEvents(Events):
    """Spans of kind CLIENT around store operations. A failed one has the status ERROR and ``error.type``."""

    def __init__(self, tracer_provider: TracerProvider | None = None) -> None:
        # The global provider is looked up at each span, not here: a process configures its own after it forked.
        self._tracer = trace.get_tracer("polysession", tracer_provider=tracer_provider)

    def operation(self, name: str, attributes: Mapping[str, str | int]) -> AbstractContextManager[None]:
        """Named ``<command> <operation>``, such as ``EVALSHA write``: as few names as there are operations.
        What no request asked for (``OF_NO_REQUEST``) is no trace of its own."""
        if name in OF_NO_REQUEST and not trace.get_current_span().get_span_context().is_valid:
            return nullcontext()
        return _Spanned(self._tracer, name, attributes)


class _Spanned:
    """A span that is nobody's parent: nothing below it makes any. (So it is not made the current one, which costs half of
    what a span does.)
    """

    __slots__ = ("_attributes", "_name", "_span", "_tracer")

    def __init__(self, tracer: Tracer, name: str, attributes: Mapping[str, str | int]) -> None:
        self._tracer, self._name, self._attributes = tracer, name, attributes

    def __enter__(self) -> None:
        given = {"db.system.name": "redis", **self._attributes}
        command = given.setdefault("db.operation.name", self._name)
        session_id = baggage.get_baggage(SESSION_ID)
        if isinstance(session_id, str):
            given[SESSION_ID] = session_id
        self._span = self._tracer.start_span(
            f"{command} {self._name}", kind=SpanKind.CLIENT, attributes=given
        )

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, Exception):
            _record(self._span, error)
        self._span.end()


def _record(span: Span, error: Exception) -> None:
    """Our own errors' messages hold neither values nor tokens; another's may, so only its type is told."""
    kind = type(error)
    ours = kind.__module__.partition(".")[0] == "polysession"
    span.set_attribute("error.type", kind.__qualname__)
    span.set_status(Status(StatusCode.ERROR, str(error) if ours else None))

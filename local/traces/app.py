"""The trace store over HTTP: OTLP in; Jaeger's query API and two pages out."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from chassis.problems import CONTENT_TYPE, problem
from flask import Blueprint, Flask, Response, current_app, jsonify, render_template, request
from werkzeug.exceptions import HTTPException

from local.traces import jaeger, otlp, page, query
from local.traces.store import Query, Store, text

# The pages have no script and no inline style: nothing that a span says can become either.
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self';"
    " frame-ancestors 'none'"
)
PAGE_TRACES = 50
routes = Blueprint("traces", __name__)


def create_app(store: Store, *, clock: Callable[[], int] = time.time_ns) -> Flask:
    """Return the application on a store; ``clock`` tells nanoseconds since 1970."""
    app = Flask("local.traces", static_folder="static", template_folder="templates")
    app.config["MAX_CONTENT_LENGTH"] = otlp.MAX_BYTES
    app.extensions["traces"] = (store, clock)
    app.register_blueprint(routes)
    app.register_error_handler(HTTPException, _http_problem)
    app.register_error_handler(query.BadParameterError, lambda error: _problem(400, str(error)))
    app.register_error_handler(otlp.MalformedError, lambda error: _problem(400, str(error)))
    app.register_error_handler(otlp.UnsupportedError, lambda error: _problem(415, str(error)))
    app.register_error_handler(otlp.TooLargeError, lambda error: _problem(413, str(error)))
    app.jinja_env.filters |= {
        "duration": page.length,
        "moment": page.moment,
        "short": page.short,
        "text": text,
    }
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.after_request(_protect)
    return app


def _store() -> Store:
    store: Store = current_app.extensions["traces"][0]
    return store


def _now() -> int:
    now: int = current_app.extensions["traces"][1]()
    return now


def _protect(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    if request.endpoint != "static":
        response.headers["Cache-Control"] = "no-store"
    return response


def _problem(status: int, detail: str, **members: Any) -> Response:
    detail = detail[:1].upper() + detail[1:]
    response = jsonify(problem(status, detail if detail.endswith(".") else f"{detail}.", **members))
    response.status_code = status
    response.content_type = CONTENT_TYPE
    return response


def _http_problem(error: HTTPException) -> Response:
    response = _problem(error.code or 500, error.description or "")
    for name, value in error.get_headers():
        if name == "Allow":
            response.headers[name] = value
    return response


@routes.get("/livez")
def live() -> Response:
    """The process answers."""
    return jsonify(status="live")


@routes.post("/v1/traces")
def take() -> Response:
    """Take spans in (OTLP)."""
    export = otlp.decode(
        request.get_data(),
        content_type=request.content_type or "",
        encoding=request.headers.get("Content-Encoding", ""),
    )
    refused = export.refused + _store().add(export.spans)
    body, content_type = otlp.answer(refused, request.content_type or "")
    return Response(body, content_type=content_type)


@routes.get("/api/services")
def services() -> Response:
    """The names of all services, sorted."""
    return jsonify(jaeger.envelope(sorted(_store().services())))


@routes.get("/api/services/<path:service>/operations")
def operations(service: str) -> Response:
    """The names of a service's spans."""
    return jsonify(jaeger.envelope(_store().operations(service)))


@routes.get("/api/traces")
def find() -> Response:
    """The latest traces with a span that has all that is asked for."""
    asked = query.parse(request.args, tags=request.args.getlist("tag"), now=_now())
    return jsonify(jaeger.envelope([jaeger.trace(spans) for spans in _store().find(asked)]))


@routes.get("/api/traces/<trace_id>")
def one(trace_id: str) -> Response:
    """One trace."""
    spans = _store().trace(_normal(trace_id))
    if not spans:
        return _problem(404, "It has not arrived yet, or newer traces took its place: ask again in a second.")
    return jsonify(jaeger.envelope([jaeger.trace(spans)]))


@routes.get("/")
def listing() -> str:
    """The page with the latest traces."""
    service, session = request.args.get("service", ""), request.args.get("session", "").strip()
    failed = request.args.get("failed") == "1"
    tags = ({"session.id": session} if session else {}) | ({"error": "true"} if failed else {})
    found = _store().find(Query(service=service or None, tags=tags, limit=PAGE_TRACES))
    names = _store().services()
    colours = page.colours(names)
    return render_template(
        "list.html",
        traces=[page.summarise(spans, colours) for spans in found],
        services=names,
        asked={"service": service, "session": session, "failed": failed},
        filtered=bool(service or session or failed),
        ago=lambda start: page.ago(start, _now()),
    )


@routes.get("/trace/<trace_id>")
def waterfall(trace_id: str) -> tuple[str, int]:
    """The page of one trace."""
    trace_id = _normal(trace_id)
    spans = _store().trace(trace_id)
    if not spans:
        return render_template("missing.html", trace_id=trace_id), 404
    colours = page.colours(_store().services())
    return render_template(
        "trace.html",
        trace=page.summarise(spans, colours),
        rows=page.waterfall(spans, colours),
        ago=lambda start: page.ago(start, _now()),
    ), 200


def _normal(trace_id: str) -> str:
    # Jaeger writes IDs without leading zeroes.
    return trace_id.lower().rjust(32, "0")

"""A service without a framework: answers its process ID, slowly when asked to, each within a server span."""

import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from chassis import lifecycle
from chassis.health import Health, HealthEndpoints
from chassis.metrics import ROUTE, HTTPMetrics
from chassis.settings import ServiceSettings, load
from chassis.wsgi import BodyLimit, TrustedProxy
from opentelemetry import trace

settings = load(ServiceSettings)
tracer = trace.get_tracer("served")


def answer(environ: Any, start_response: Any) -> Iterable[bytes]:
    path = environ["PATH_INFO"]
    environ[ROUTE] = path if path in ("/pid", "/slow") else None
    with tracer.start_as_current_span(f"GET {path}", kind=trace.SpanKind.SERVER) as span:
        span.set_attribute("session.id", environ["QUERY_STRING"])
        if path == "/slow":
            time.sleep(1.5)
        body = f"{os.getpid()} {environ['REMOTE_ADDR']}".encode()
        start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
        return [body]


def note(event: str) -> None:
    with Path(os.environ["SERVED_EVENTS"]).open("a") as file:
        file.write(f"{os.getpid()} {event}\n")


health = Health({"always": lambda: None})
lifecycle.on_start(health.start)
lifecycle.on_drain(health.drain)
lifecycle.on_stop(health.stop)
lifecycle.on_drain(lambda: note("drain"))
lifecycle.on_stop(lambda: note("pool closed"))

application = HealthEndpoints(
    HTTPMetrics(BodyLimit(TrustedProxy(answer, settings.trusted_proxies), settings.body_limit_bytes)), health
)

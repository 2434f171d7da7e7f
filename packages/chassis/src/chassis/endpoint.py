"""A port of a process that is no web service, for its ``HealthEndpoints`` only: probes and Prometheus, nobody else."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from chassis.problems import wsgi_problem
from chassis.settings import parse_node

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PATIENCE_SECONDS = 5


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is not worth a traceback on standard error."""


class _Handler(WSGIRequestHandler):
    timeout = PATIENCE_SECONDS

    def log_message(self, format: str, *args: Any) -> None:
        """Probes and scrapes are no news."""


def no_application(_environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """What ``HealthEndpoints`` has behind it here."""
    return wsgi_problem(start_response, 404, "There are /livez, /readyz and /metrics.")


@contextmanager
def serve(bind: str, app: WSGIApplication) -> Iterator[int]:
    """Answer on ``host:port`` while the block runs; yields the port (of ``:0``, the one that was free).

    Raises OSError when the port is taken.
    """
    host, port = parse_node(bind)
    server = make_server(host, port, app, server_class=_Server, handler_class=_Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join(PATIENCE_SECONDS)

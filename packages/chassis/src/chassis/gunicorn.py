"""gunicorn, configured alike for both services: ``globals().update(configure(...))`` in ``gunicorn.conf.py``.

How a worker stops (SIGTERM): it says "not ready" and takes no new connections; requests under way are
answered, for at most ``GRACE`` seconds; pools are closed, the last registered first; spans are sent.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterable
from pathlib import Path
from types import FrameType
from typing import Any

import structlog
from gunicorn import glogging  # type: ignore[import-untyped]

from chassis import lifecycle, logs, metrics, traces
from chassis.settings import ServiceSettings
from chassis.traces import Instrumentor

GRACE = 20
# Longer than a proxy keeps an idle connection (Caddy 2 min, nginx 60 s): the proxy closes first, and never
# sends a request into a connection that is being closed here.
KEEPALIVE = 130

_access = structlog.get_logger("access")


class JSONLogger(glogging.Logger):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn's own lines and one line a request, through `chassis.logs`.

    An access line has no query string, no cookie and no header but the user agent: they may hold secrets.
    """

    def setup(self, cfg: Any) -> None:
        """Hand gunicorn's loggers to the root logger instead of giving them handlers."""
        super().setup(cfg)
        for logger in (self.error_log, self.access_log):
            logger.handlers = []
            logger.propagate = True

    def access(self, resp: Any, _req: Any, environ: dict[str, Any], request_time: Any) -> None:
        """Write the line of a request that was answered."""
        status = str(resp.status).split(None, 1)[0]
        _access.info(
            "request",
            method=environ.get("REQUEST_METHOD"),
            path=environ.get("PATH_INFO") or str(environ.get("RAW_URI", "")).partition("?")[0],
            status=int(status) if status.isdigit() else status,
            duration_ms=round(request_time.total_seconds() * 1000, 1),
            bytes=getattr(resp, "sent", None),
            client_address=environ.get("REMOTE_ADDR"),
            user_agent=environ.get("HTTP_USER_AGENT"),
            **logs.trace_fields(traces.request_span()),
        )
        traces.forget_request()


def configure(
    settings: ServiceSettings,
    service: str,
    *,
    instrumentors: Callable[[], Iterable[Instrumentor]] = tuple,
    post_fork: Callable[[], object] | None = None,
) -> dict[str, Any]:
    """Return gunicorn's settings and hooks for a service, and begin JSON logging in this process.

    ``instrumentors`` is called in each worker, after its fork and before the application is loaded, so it may
    import the framework; ``post_fork`` right after it. Clients and pools are made when the application loads,
    in the worker; they are closed by ``lifecycle.on_stop``.
    """
    metrics.make_directory(settings.prometheus_multiproc_dir)
    logs.configure(service, settings.log_level)
    hooks = _Hooks(settings, service, instrumentors=instrumentors, post_fork=post_fork)
    return {
        "bind": settings.bind,
        "worker_class": "gthread",
        "workers": settings.workers,
        "threads": settings.threads,
        "preload_app": False,
        "graceful_timeout": GRACE,
        "keepalive": KEEPALIVE,
        # The heartbeat's file on a disk that stalls would kill a healthy worker.
        "worker_tmp_dir": _memory_directory(),
        # Its default path is one a user: two services on one machine collide.
        "control_socket_disable": True,
        # TrustedProxy is the only place that believes a forwarding header.
        "forwarded_allow_ips": "",
        "loglevel": settings.log_level,
        "logger_class": JSONLogger,
        "accesslog": "-",
        "on_starting": hooks.on_starting,
        "post_fork": hooks.post_fork,
        "post_worker_init": hooks.post_worker_init,
        "pre_request": hooks.pre_request,
        "worker_int": hooks.worker_int,
        "worker_exit": hooks.worker_exit,
        "child_exit": hooks.child_exit,
    }


def _memory_directory() -> str | None:
    directory = "/dev/shm"  # noqa: S108 - gunicorn makes its file there with mkstemp
    return directory if os.access(directory, os.W_OK | os.X_OK) else None


class _Hooks:
    """gunicorn's hooks. Their parameters are counted by gunicorn, so each has exactly the documented ones."""

    def __init__(
        self,
        settings: ServiceSettings,
        service: str,
        *,
        instrumentors: Callable[[], Iterable[Instrumentor]],
        post_fork: Callable[[], object] | None,
    ) -> None:
        self._settings = settings
        self._service = service
        self._instrumentors = instrumentors
        self._post_fork = post_fork
        self._directory: Path = settings.prometheus_multiproc_dir

    def on_starting(self, _server: Any) -> None:
        metrics.wipe(self._directory)

    def post_fork(self, _server: Any, _worker: Any) -> None:
        # Until gunicorn sets the worker's handlers, a SIGTERM would enter the queue of the arbiter's copy and
        # be lost: the stop would wait for the whole grace and end in SIGKILL. Nothing is lost yet by dying.
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
            signal.signal(number, signal.SIG_DFL)
        traces.configure(self._service, self._settings, instrumentors=self._instrumentors())
        if self._post_fork is not None:
            self._post_fork()

    def post_worker_init(self, worker: Any) -> None:
        """The application is loaded and gunicorn's signal handlers are set: put draining before them."""

        def drain_and_exit(number: int, frame: FrameType | None) -> None:
            lifecycle.process.drain()
            worker.handle_exit(number, frame)

        signal.signal(signal.SIGTERM, drain_and_exit)
        # As gunicorn does: a SIGTERM must not interrupt the system calls of requests under way.
        signal.siginterrupt(signal.SIGTERM, False)
        lifecycle.process.start()

    def pre_request(self, _worker: Any, _request: Any) -> None:
        traces.forget_request()

    def worker_int(self, _worker: Any) -> None:
        lifecycle.process.drain()

    def worker_exit(self, _server: Any, worker: Any) -> None:
        # The arbiter calls it too, for a worker that vanished: its own process has nothing to close.
        if worker.pid != os.getpid():
            return
        lifecycle.process.drain()
        lifecycle.process.stop()
        traces.shutdown()

    def child_exit(self, _server: Any, worker: Any) -> None:
        metrics.forget_process(self._directory, worker.pid)

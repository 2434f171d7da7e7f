"""Flask's port for sessions, opened and saved around the use of one attribute."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import flask_session  # type: ignore[import-untyped]
from flask import Flask, Response
from flask.sessions import SessionInterface
from polysession import SessionManager
from polysession.contrib.flask import Polysession
from redis import Redis

from .floor import disconnect
from .ours import AGENT, measure_record
from .payload import READ, WRITTEN, make_values, other_values
from .peer import Operation, Peer


def make_stock_peer(plain: Redis) -> Peer:
    app = Flask("flask-session")
    app.config.update(SESSION_TYPE="redis", SESSION_REDIS=plain)
    flask_session.Session(app)
    requests = _Requests(app, "session")
    return Peer(
        name="Flask-Session",
        redis="plain",
        prepare_read=requests.prepare_read,
        prepare_write=requests.prepare_write,
        close=lambda: disconnect(plain),
        memory=lambda: int(plain.memory_usage(f"session:{requests.token}", samples=0)),  # type: ignore[arg-type]
    )


def make_our_peer(manager: SessionManager, prefix: str, cluster: Any) -> Peer:
    app = Flask("polysession")
    Polysession(app, manager)
    requests = _Requests(app, "__Host-session")
    return Peer(
        name="Polysession, Flask",
        redis="cluster",
        prepare_read=requests.prepare_read,
        prepare_write=requests.prepare_write,
        close=manager.close,
        memory=lambda: measure_record(manager, prefix, requests.token, cluster),
        is_ours=True,
    )


class _Requests:
    """Requests of one browser that has a session of 1 KB."""

    def __init__(self, app: Flask, cookie: str) -> None:
        self._app, self._cookie = app, cookie
        app.add_url_rule("/", "view", lambda: "")
        self._interface: SessionInterface = app.session_interface
        self._values = other_values()
        self.token = ""
        answer = Response()
        self._using(lambda session: session.update(make_values()), answer)()
        header = answer.headers["Set-Cookie"]
        self.token = header.partition("=")[2].partition(";")[0]
        self._using(lambda session: session[READ], Response())()  # the cookie's first return is a touch

    def prepare_read(self) -> Operation:
        return self._using(lambda session: session[READ], Response())

    def prepare_write(self) -> Operation:
        value = next(self._values)
        return self._using(lambda session: session.__setitem__(WRITTEN, value), Response())

    def _using(self, use: Callable[[Any], object], answer: Response) -> Operation:
        headers = {"User-Agent": AGENT} | ({"Cookie": f"{self._cookie}={self.token}"} if self.token else {})
        context = self._app.test_request_context("/", headers=headers, base_url="https://localhost")
        context.match_request()
        request = context.request
        _ = request.cookies  # parsed once a request, by whoever asks first
        app, interface = self._app, self._interface

        def serve() -> None:
            session = interface.open_session(app, request)
            use(session)
            interface.save_session(app, session, answer)  # type: ignore[arg-type]

        return serve

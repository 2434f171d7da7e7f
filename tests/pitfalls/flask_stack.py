"""Flask, with its sessions kept in one of these ways:

* ``cookie``: Flask's own, signed and held by the browser
* ``flask-session``: Flask-Session on Redis, with its defaults
* ``polysession``: ours, on a Redis Cluster
"""

from __future__ import annotations

import os
import secrets
import sys
from typing import Any

import flask_session
import polysession.contrib.flask
from flask import Flask, session
from flask.testing import FlaskClient
from flask_session.base import MsgSpecSerializer
from redis import Redis

from tests.pitfalls.program import connect_polysession, last_moment

STACKS = ("cookie", "flask-session", "polysession")
COOKIE = "session"


class SlowMessagePack(MsgSpecSerializer):
    """Flask-Session's own."""

    def encode(self, session: Any) -> bytes:
        last_moment.has_come()
        encoded: bytes = super().encode(session)
        return encoded


def make_app() -> Flask:
    """For the stack that the command line names."""
    app = Flask("pitfall")
    app.secret_key = secrets.token_hex()
    match sys.argv[1]:
        case "cookie":
            app.after_request(_before_save)
        case "flask-session":
            app.config.update(
                SESSION_TYPE="redis", SESSION_REDIS=Redis.from_url(os.environ["PITFALLS_REDIS_URL"])
            )
            flask_session.Session(app)
            app.session_interface.serializer = SlowMessagePack(app, "msgpack")
        case "polysession":
            polysession.contrib.flask.Polysession(app, connect_polysession(os.environ["TEST_REDIS_NODES"]))
        case unknown:
            raise SystemExit(f"no stack is named {unknown}")
    return app


def another_browser(app: Flask, browser: FlaskClient) -> FlaskClient:
    """Somebody else who holds a copy of the cookie."""
    other = app.test_client()
    cookie = browser.get_cookie(COOKIE)
    assert cookie is not None, "nothing has created a session"
    other.set_cookie(COOKIE, cookie.value)
    return other


if sys.argv[1:] == ["polysession"]:
    # --- polysession
    current_user = polysession.contrib.flask.current_principal

    def sign_in(user: str) -> None:
        polysession.contrib.flask.sign_in(user, generation=0)

    sign_out = polysession.contrib.flask.sign_out
    # --- end
else:
    # --- sign_in
    # As Flask's quickstart does it.
    def current_user() -> str | None:
        return session.get("username")

    def sign_in(user: str) -> None:
        session["username"] = user

    def sign_out() -> None:
        session.clear()

    # --- end


def _before_save(response: Any) -> Any:
    last_moment.has_come()
    return response

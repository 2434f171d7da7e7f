"""Flask: after ``Polysession(app, manager)``, ``flask.session``, ``flash`` and the rest use the shared session.

::

    app = Flask(__name__)
    Polysession(app, polysession.connect("redis1:6379,redis2:6379", Path("/run/keys")))

    @app.get("/me")
    @sign_in_required
    def me():
        return {"id": current_principal()}

Unlike Flask's own session: nested changes are found without ``session.modified``; timeouts are the manager's, and
``session.permanent`` asks for longer ones; it is saved before the headers leave, so a streamed body cannot change it.
docs/flask.md has the rest.
"""

from __future__ import annotations

from ...extras import extra

with extra("flask"):
    import flask as _flask  # noqa: F401

from ...core.http import CSRF_FIELD, CSRF_HEADER, PASSIVE_HEADER, SAFE_METHODS, SESSION_ID_HEADER
from .extension import (
    Polysession,
    csrf_protect,
    csrf_token,
    current_principal,
    current_session,
    sign_in,
    sign_out,
)
from .interface import PolysessionInterface
from .marks import csrf_exempt, session_optional, session_passive, sign_in_required
from .migration import CookieSessions, Migration, RedisSessions
from .problems import ProblemMaker, make_problem
from .session import FLASHES, FlaskSession
from .signals import session_ended, session_rotated, session_started
from .step_up import reauthenticate, recently_authenticated, requires_recent_authentication

__all__ = [
    "CSRF_FIELD",
    "CSRF_HEADER",
    "FLASHES",
    "PASSIVE_HEADER",
    "SAFE_METHODS",
    "SESSION_ID_HEADER",
    "CookieSessions",
    "FlaskSession",
    "Migration",
    "Polysession",
    "PolysessionInterface",
    "ProblemMaker",
    "RedisSessions",
    "csrf_exempt",
    "csrf_protect",
    "csrf_token",
    "current_principal",
    "current_session",
    "make_problem",
    "reauthenticate",
    "recently_authenticated",
    "requires_recent_authentication",
    "session_ended",
    "session_optional",
    "session_passive",
    "session_rotated",
    "session_started",
    "sign_in",
    "sign_in_required",
    "sign_out",
]

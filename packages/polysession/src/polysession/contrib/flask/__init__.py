"""Flask: after ``Polysession(app, manager)``, ``flask.session``, ``flash`` and the rest use the shared session.

::

    app = Flask(__name__)
    Polysession(app, polysession.connect("redis1:6379,redis2:6379", Path("/run/keys")))

    @app.get("/me")
    @sign_in_required
    def me():
        return {"id": current_principal()}

Unlike Flask's own session: nested changes are found without ``session.modified``; lifetimes are the manager's,
so ``session.permanent`` has no effect; it is saved before the headers leave, so a streamed body cannot change it.
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
from .problems import ProblemMaker, make_problem
from .session import FLASHES, FlaskSession

__all__ = [
    "CSRF_FIELD",
    "CSRF_HEADER",
    "FLASHES",
    "PASSIVE_HEADER",
    "SAFE_METHODS",
    "SESSION_ID_HEADER",
    "FlaskSession",
    "Polysession",
    "PolysessionInterface",
    "ProblemMaker",
    "csrf_exempt",
    "csrf_protect",
    "csrf_token",
    "current_principal",
    "current_session",
    "make_problem",
    "session_optional",
    "session_passive",
    "sign_in",
    "sign_in_required",
    "sign_out",
]

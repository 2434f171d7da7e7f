"""ASGI, for Starlette and FastAPI: ``request.session`` is the shared session.

::

    app = FastAPI()
    manager = polysession.connect("redis1:6379,redis2:6379", Path("/run/keys"), asynchronous=True)
    app.add_middleware(SessionMiddleware, manager=manager)

    @app.get("/me")
    async def me(principal: Annotated[str, Depends(sign_in_required)]):
        return {"id": principal}

A request that brings a token costs one read, before the app is called: from then on the mapping asks nothing. (Without a
token, or with a forged one: no call.) It is saved, where it was used, before the headers leave. Unlike Starlette's own
session: values keep their types, nested changes are found, and the cookie holds a token, no values.
"""

from __future__ import annotations

from ...extras import extra

with extra("asgi", "starlette"):
    import starlette as _starlette  # noqa: F401

from .middleware import ProblemMaker, SessionMiddleware, make_problem
from .session import AsgiSession, SignInRequired, StepUpRequired
from .views import (
    commit,
    csrf_token,
    current_principal,
    current_session,
    reauthenticate,
    requires_recent_authentication,
    revalidate,
    revalidated,
    session_optional,
    session_passive,
    sign_in,
    sign_in_required,
    sign_out,
)

__all__ = [
    "AsgiSession",
    "ProblemMaker",
    "SessionMiddleware",
    "SignInRequired",
    "StepUpRequired",
    "commit",
    "csrf_token",
    "current_principal",
    "current_session",
    "make_problem",
    "reauthenticate",
    "requires_recent_authentication",
    "revalidate",
    "revalidated",
    "session_optional",
    "session_passive",
    "sign_in",
    "sign_in_required",
    "sign_out",
]

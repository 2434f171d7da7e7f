"""What a hostile or unlucky request meets; see also ``../test_hostile_requests.py``."""

from __future__ import annotations

from typing import Any

import pytest

COOKIE = "__Host-session"


@pytest.mark.parametrize("order", [1, -1])
def test_of_two_session_cookies_in_one_request_neither_is_believed(new_visitor: Any, order: int):
    tokens = []
    for theme in ("dark", "light"):
        visitor = new_visitor()
        visitor.post(f"/put/theme/{theme}")
        tokens.append(visitor.token)
    header = "; ".join(f"{COOKIE}={token}" for token in tokens[::order])
    bare = new_visitor()
    assert bare.get("/read", HTTP_COOKIE=f"{COOKIE}={tokens[0]}").json() == {"theme": "dark"}
    answer = bare.get("/read", HTTP_COOKIE=header)
    assert answer.json() == {}
    assert COOKIE not in answer.cookies


def test_of_a_long_user_agent_only_the_beginning_is_kept(visitor: Any, ada: Any, manager: Any):
    body = {"username": "ada", "password": "correct horse battery staple"}
    assert visitor.post("/sign-in", body, HTTP_USER_AGENT="x" * 8000).status_code == 200
    (info,) = manager.sessions(str(ada.pk))
    assert info.device.user_agent == "x" * 256

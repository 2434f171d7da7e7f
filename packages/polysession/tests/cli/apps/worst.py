"""An app that breaks every session rule that a request can find out about: the proof that each check can fail. Served by
``gunicorn worst:application``.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

PADDING = "x" * 4200  # more than a browser keeps
TOLD = 6  # characters of a token that are looked at
USERS = {os.environ["STOCK_USER"]: os.environ["STOCK_PASSWORD"]}
LOG = Path(os.environ["STOCK_LOG"])
SESSIONS: dict[str, dict[str, Any]] = {}
GUESTS = count()

Start = Callable[[str, list[tuple[str, str]]], object]


def application(environ: dict[str, Any], start_response: Start) -> Iterable[bytes]:
    token = find_token(environ)
    if "'" in token:
        raise ValueError("a quote in the token")
    method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
    form = parse_qs(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)).decode())
    if method == "TRACE":
        return answer(start_response, token, "200 OK", f"Cookie: {environ.get('HTTP_COOKIE')}")
    if not token:
        user = form.get("username", ["guest"])[0]
        token = f"{user}.{1 if path == '/login' else next(GUESTS)}.{PADDING}"
    SESSIONS.setdefault(token, {})  # whatever came is a session now
    LOG.write_text(f"{method} {path} {token}\n")
    status, body = route(method, path, token, form)
    return answer(start_response, token, status, body)


def route(method: str, path: str, token: str, form: dict[str, list[str]]) -> tuple[str, str]:
    session = SESSIONS[token]
    if path == "/login":
        user = form["username"][0]
        if USERS.get(user) != form["password"][0]:
            return "401 Unauthorized", "wrong"
        session["user"] = user
    elif path == "/logout" and method == "GET":
        for other in sharing(token):
            SESSIONS[other] = {}
    elif path == "/password":
        USERS[form["user"][0]] = form["new"][0]
    elif path == "/profile" and not any(SESSIONS[other].get("user") for other in sharing(token)):
        return "401 Unauthorized", "sign in"
    elif path.startswith("/note/"):
        before = session.get("notes", ())
        time.sleep(0.05)
        session["notes"] = (*before, path.removeprefix("/note/"))
    elif path == "/notes":
        return "200 OK", " ".join(session.get("notes", ()))
    return "200 OK", f"Your token is {token}"


def sharing(token: str) -> list[str]:
    return [other for other in list(SESSIONS) if other[:TOLD] == token[:TOLD]]


def find_token(environ: dict[str, Any]) -> str:
    """The last cookie, or else the URL."""
    pairs = [pair.strip().partition("=") for pair in environ.get("HTTP_COOKIE", "").split(";")]
    tokens = [value for name, _, value in pairs if name == "PHPSESSID"]
    tokens += parse_qs(environ.get("QUERY_STRING", "")).get("session", [])
    return tokens[-1] if tokens else ""


def answer(start_response: Start, token: str, status: str, body: str) -> Iterable[bytes]:
    cookie = f"PHPSESSID={token}; Domain=127.0.0.1; Path=/; Max-Age=31536000; SameSite=None"
    start_response(status, [("Content-Type", "text/plain"), ("Set-Cookie", cookie)])
    return [body.encode()]

"""A Flask app as Flask's quickstart signs in, its sessions kept by what ``STOCK_STACK`` names: ``flask-session`` on Redis
with its defaults, or ``polysession``. Served by ``gunicorn stock_flask:app``.

A write takes 50 ms, as one does that asks a database in between.
"""

from __future__ import annotations

import os
import secrets
import time
from pathlib import Path
from typing import Any

import flask_session
import polysession
import polysession.contrib.flask as ours
from flask import Flask, redirect, request, session
from redis import Redis

OURS = os.environ["STOCK_STACK"] == "polysession"
USER = os.environ["STOCK_USER"], os.environ["STOCK_PASSWORD"]

app = Flask("stock")
app.secret_key = secrets.token_hex()
if OURS:
    settings = polysession.SessionSettings(
        idle=int(os.environ.get("STOCK_IDLE", "1800")),
        absolute=int(os.environ.get("STOCK_ABSOLUTE", "43200")),
    )
    manager = polysession.connect(
        os.environ["STOCK_REDIS_NODES"],
        Path(os.environ["STOCK_KEYS"]),
        prefix=os.environ["STOCK_PREFIX"],
        deadline_ms=5000,
        settings=settings,
    )
    ours.Polysession(app, manager)
else:
    app.config.update(SESSION_TYPE="redis", SESSION_REDIS=Redis.from_url(os.environ["STOCK_REDIS_URL"]))
    flask_session.Session(app)


def who() -> str | None:
    return ours.current_principal() if OURS else session.get("username")


@app.get("/login")
def ask_for_password() -> Any:
    return {"csrf_token": ours.csrf_token() if OURS else ""}


@app.post("/login")
def sign_in() -> Any:
    if (request.form["username"], request.form["password"]) != USER:
        return {"error": "wrong"}, 401
    if OURS:
        ours.sign_in(USER[0], generation=0)
    else:
        session["username"] = USER[0]
    return redirect("/profile")


@app.route("/logout", methods=["POST"] if OURS else ["GET"])
def sign_out() -> Any:
    if OURS:
        ours.sign_out()
    else:
        session.clear()
    return redirect("/login")


@app.get("/profile")
def profile() -> Any:
    name = who()
    headers = {"Cache-Control": "no-store"} if OURS else {}
    return ({"username": name}, 200, headers) if name else ({"error": "sign in"}, 401)


@app.post("/note/<name>")
def write_note(name: str) -> Any:
    session[name] = 1
    time.sleep(0.05)
    return "", 204


@app.get("/notes")
def show_notes() -> Any:
    return {"names": list(session)}

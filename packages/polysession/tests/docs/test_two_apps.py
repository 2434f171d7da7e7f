"""docs/django.md, "Two apps on one host": the app that a browser asks first decides what comes along."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import sys
from datetime import date

import django, flask
from django.conf import settings
from django.http import JsonResponse
from django.urls import path
from polysession.testing import memory_manager

manager = memory_manager()
settings.configure(
    SECRET_KEY="of this test", ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, POLYSESSION_MANAGER=manager,
    SESSION_ENGINE="polysession.contrib.django", SESSION_COOKIE_NAME="__Host-session",
    POLYSESSION_MIGRATE_FROM="django.contrib.sessions.backends.cache", POLYSESSION_MIGRATE_UNTIL=date(2099, 1, 1),
    MIDDLEWARE=["polysession.contrib.django.SessionMiddleware", "django.contrib.auth.middleware.AuthenticationMiddleware"],
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
)
django.setup()
from django.contrib.auth import get_user_model
from django.contrib.sessions.backends.cache import SessionStore
from django.core.management import call_command
from django.test import Client
from polysession.contrib.flask import CookieSessions, Migration, Polysession, current_principal

call_command("migrate", verbosity=0)
user = get_user_model().objects.create_user("ada")
urlpatterns = [path("who", lambda request: JsonResponse([request.user.get_username()], safe=False))]

app = flask.Flask("shop")
app.secret_key = "the one of before"
app.config["PREFERRED_URL_SCHEME"] = "https"
old = CookieSessions(app, lambda values: (str(values["user_id"]), 0))
Polysession(app, manager, migration=Migration(old, until=date(2099, 1, 1)) if "both migrate" in sys.argv else None)


@app.get("/cart")
def cart():
    return [current_principal(), flask.session.get("cart")]


@app.get("/add")
def add():
    flask.session["cart"] = ["pen"]
    return ""


held = SessionStore()
held.update({
    "_auth_user_id": str(user.pk), "_auth_user_backend": "django.contrib.auth.backends.ModelBackend",
    "_auth_user_hash": user.get_session_auth_hash(),
})
held.save()
flasks = flask.sessions.SecureCookieSessionInterface().get_signing_serializer(app)
cookies = {"sessionid": held.session_key, "session": flasks.dumps({"user_id": user.pk, "cart": ["book"]})}


def visit(where):
    if where == "django":
        browser = Client()
        browser.cookies.load(cookies)
        answer = browser.get("/who", secure=True)
        cookies.update({name: morsel.value for name, morsel in answer.cookies.items()})
        return answer.json()
    browser = app.test_client()
    for name, value in cookies.items():
        if value:
            browser.set_cookie(name, value, secure=True)
    answer = browser.get(where)
    if (new := browser.get_cookie("__Host-session")) is not None:
        cookies["__Host-session"] = new.value
    return answer.json if answer.is_json else None


for where in sys.argv[2:]:
    print(visit(where))
"""


def visits(*words: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize("migrates", ["both migrate", "Django alone migrates"])
def test_with_django_first_both_know_who_it_is_and_flasks_cart_stays_behind(migrates: str) -> None:
    assert visits(migrates, "django", "/cart", "django") == ["['ada']", "['1', None]", "['ada']"]


def test_with_flask_first_django_has_signed_its_user_out() -> None:
    assert visits("both migrate", "/cart", "django") == ["['1', ['book']]", "['']"]


def test_flask_without_a_migration_may_read_first_but_not_write() -> None:
    assert visits("Django alone migrates", "/cart", "django") == ["[None, None]", "['ada']"]
    assert visits("Django alone migrates", "/add", "django") == ["None", "['']"]

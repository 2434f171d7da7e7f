"""Django, with its sessions kept in one of these ways:

* ``cache``, ``cached_db``: Django's engines over django-redis, as their documentation sets them up
* ``db``: Django's default engine
* ``polysession``: ours, on a Redis Cluster
"""

from __future__ import annotations

import os
import secrets
import sys
from pickle import HIGHEST_PROTOCOL
from typing import Any

import django
from django.conf import settings
from django.contrib.sessions.serializers import JSONSerializer
from django.core.management import call_command
from django.test import Client
from django_redis.serializers.pickle import PickleSerializer

from tests.pitfalls.program import connect_polysession, last_moment

STACKS = ("cache", "cached_db", "db", "polysession")


class SlowPickle(PickleSerializer):
    """django-redis' own. It runs when the engine has checked that the session is there, before it sets it."""

    def dumps(self, value: Any) -> bytes:
        last_moment.has_come()
        return super().dumps(value)


class SlowJSON(JSONSerializer):
    """Django's own, as the ``db`` engine uses it."""

    def dumps(self, obj: Any) -> bytes:
        last_moment.has_come()
        return super().dumps(obj)


def set_up() -> None:
    """Settings and tables, for the stack that the command line names; the program's ``urlpatterns`` are the URLs."""
    stack = sys.argv[1]
    settings.configure(
        SECRET_KEY=secrets.token_hex(),
        ALLOWED_HOSTS=["testserver"],
        ROOT_URLCONF="__main__",
        INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions"],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        **(_polysession() if stack == "polysession" else _stock(stack)),
    )
    django.setup()
    call_command("migrate", verbosity=0)


def another_browser(browser: Client) -> Client:
    """Somebody else who holds a copy of the cookie."""
    other = Client()
    name = settings.SESSION_COOKIE_NAME
    other.cookies[name] = browser.cookies[name].value
    return other


def _stock(stack: str) -> dict[str, Any]:
    return {
        "SESSION_ENGINE": f"django.contrib.sessions.backends.{stack}",
        "SESSION_SERIALIZER": f"{__name__}.SlowJSON"
        if stack == "db"
        else JSONSerializer.__module__ + ".JSONSerializer",
        "MIDDLEWARE": [
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
        ],
        "CACHES": {
            "default": {
                "BACKEND": "django_redis.cache.RedisCache",
                "LOCATION": os.environ["PITFALLS_REDIS_URL"],
                "OPTIONS": {"SERIALIZER": f"{__name__}.SlowPickle", "PICKLE_VERSION": HIGHEST_PROTOCOL},
            }
        },
    }


def _polysession() -> dict[str, Any]:
    return {
        "SESSION_ENGINE": "polysession.contrib.django",
        "SESSION_COOKIE_NAME": "session",
        "CSRF_USE_SESSIONS": True,
        "MIDDLEWARE": [
            "polysession.contrib.django.SessionMiddleware",
            "polysession.contrib.django.CsrfMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
        ],
        "POLYSESSION_MANAGER": connect_polysession(os.environ["TEST_REDIS_NODES"]),
    }

"""A Django app as its documentation wires one: sessions in the ``cache`` engine on Redis, auth's own views, the default
settings of the session cookie. With ``STOCK_STACK=polysession`` its sessions are ours, as docs/django.md sets them up.
Served by ``gunicorn stock_django:application``.

One thing is not stock: a pickle takes 50 ms. So long a machine may pause between two steps of the engine, and what it
does then is seen at the first trial instead of at one in twenty.
"""

from __future__ import annotations

import os
import secrets
import time
from pathlib import Path
from typing import Any

import django
import polysession
from django.conf import settings
from django.core.cache.backends.redis import RedisSerializer
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse

FORM = "<form method=post>{% csrf_token %}{{ form }}<button>Go</button></form>"


class SlowPickle(RedisSerializer):
    def dumps(self, obj: Any) -> Any:
        time.sleep(0.05)
        return super().dumps(obj)


def stock() -> dict[str, Any]:
    cache = {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": os.environ["STOCK_REDIS_URL"],
        "OPTIONS": {"serializer": f"{__name__}.SlowPickle"},
    }
    return {"SESSION_ENGINE": "django.contrib.sessions.backends.cache", "CACHES": {"default": cache}}


def ours() -> dict[str, Any]:
    manager = polysession.connect(
        os.environ["STOCK_REDIS_NODES"],
        Path(os.environ["STOCK_KEYS"]),
        prefix=os.environ["STOCK_PREFIX"],
        deadline_ms=5000,
    )
    return {
        "SESSION_ENGINE": "polysession.contrib.django",
        "POLYSESSION_MANAGER": manager,
        "SESSION_COOKIE_NAME": "__Host-session",
        "SESSION_COOKIE_SECURE": True,
        "CSRF_USE_SESSIONS": True,
        "CSRF_HEADER_NAME": "HTTP_X_CSRF_TOKEN",
    }


OURS = os.environ.get("STOCK_STACK") == "polysession"
POLYSESSION = "polysession.contrib.django"

settings.configure(
    **(ours() if OURS else stock()),
    SECRET_KEY=secrets.token_hex(),
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=[
        *("django.contrib.auth", "django.contrib.contenttypes"),
        POLYSESSION if OURS else "django.contrib.sessions",
    ],
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        f"{POLYSESSION}.SessionMiddleware"
        if OURS
        else "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        f"{POLYSESSION}.CsrfMiddleware" if OURS else "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    ],
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "OPTIONS": {
                "context_processors": ["django.template.context_processors.request"],
                "loaders": [
                    (
                        "django.template.loaders.locmem.Loader",
                        {
                            "registration/login.html": FORM,
                            "registration/logged_out.html": "Bye",
                            "registration/password_change_form.html": FORM,
                            "registration/password_change_done.html": "Done",
                        },
                    )
                ],
            },
        }
    ],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["STOCK_DATABASE"]}},
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],  # forty sign-ins in a test
)
django.setup()
call_command("migrate", verbosity=0)

from django.contrib.auth.decorators import login_required  # noqa: E402 - needs the apps
from django.contrib.auth.models import User  # noqa: E402
from django.urls import include, path  # noqa: E402

User.objects.create_user(os.environ["STOCK_USER"], password=os.environ["STOCK_PASSWORD"])


@login_required
def profile(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"Hello {request.user}")


def write_note(request: HttpRequest, name: str) -> HttpResponse:
    request.session[name] = 1
    return HttpResponse(status=204)


def show_notes(request: HttpRequest) -> HttpResponse:
    return HttpResponse(" ".join(request.session.keys()))


urlpatterns = [
    path("accounts/", include("django.contrib.auth.urls")),
    path("accounts/profile/", profile),
    path("note/<name>", write_note),
    path("notes", show_notes),
]

application = get_wsgi_application()

"""A Django project with ``django.contrib.auth`` and the admin as they come, and who visits it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import django
import pytest
from django.conf import settings as django_settings
from django.contrib import admin, messages
from django.contrib.auth import authenticate, get_user_model, login, logout, update_session_auth_hash
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template import engines
from django.test import Client
from django.urls import path
from django.utils.decorators import method_decorator
from django.views import View
from polysession.contrib.django import (
    check_csrf,
    csrf_token,
    reauthenticate,
    requires_recent_authentication,
    session_optional,
    session_passive,
)
from polysession.core.errors import GenerationOutdated
from polysession.core.manager import SessionManager
from polysession.stores.ledger import SCHEMA
from polysession.testing import FailingStore, FakeClock, RecordedEvents, memory_manager

COOKIE = "__Host-session"
PASSWORD = "correct horse battery staple"


class Urls:
    """Stands for the module that ``ROOT_URLCONF`` names."""

    urlpatterns: list[Any] = []


if not django_settings.configured:
    django_settings.configure(
        SECRET_KEY="for tests",
        ROOT_URLCONF=Urls,
        ALLOWED_HOSTS=["testserver"],
        USE_TZ=True,
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        SESSION_ENGINE="polysession.contrib.django",
        SESSION_COOKIE_NAME=COOKIE,
        SESSION_COOKIE_SECURE=True,
        CSRF_USE_SESSIONS=True,
        CSRF_HEADER_NAME="HTTP_X_CSRF_TOKEN",
        POLYSESSION_MANAGER=None,
        MESSAGE_STORAGE="django.contrib.messages.storage.session.SessionStorage",
        INSTALLED_APPS=[
            "django.contrib.admin",
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.messages",
            "django.contrib.sessions",  # what an existing project has
            "polysession.contrib.django",
        ],
        STATIC_URL="/static/",
        MIDDLEWARE=[
            "polysession.contrib.django.SessionMiddleware",
            "django.middleware.common.CommonMiddleware",
            "polysession.contrib.django.CsrfMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.contrib.messages.middleware.MessageMiddleware",
        ],
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "APP_DIRS": True,
                "OPTIONS": {
                    "context_processors": [
                        "django.template.context_processors.request",
                        "django.contrib.auth.context_processors.auth",
                        "django.contrib.messages.context_processors.messages",
                    ]
                },
            }
        ],
    )
    django.setup()


# --- Views


def plain(_request: HttpRequest) -> HttpResponse:
    return HttpResponse("nothing of the session is used")


def read(request: HttpRequest) -> HttpResponse:
    return JsonResponse({name: value for name, value in request.session.items() if not name.startswith("_")})


def put(request: HttpRequest, name: str, value: str) -> HttpResponse:
    request.session[name] = value
    return HttpResponse()


def nested(request: HttpRequest, line: str) -> HttpResponse:
    if "cart" not in request.session:
        request.session["cart"] = {"lines": []}
    request.session["cart"]["lines"].append(line)
    return HttpResponse()


def fail(request: HttpRequest) -> HttpResponse:
    request.session["written"] = "before the fault"
    raise RuntimeError("a fault of the view")


def who(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"user": request.user.get_username(), "id": request.session.get("_auth_user_id")})


def sign_in(request: HttpRequest) -> HttpResponse:
    user = authenticate(request, username=request.POST["username"], password=request.POST["password"])
    if user is None:
        return HttpResponse(status=401)
    remember = request.GET.get("remember")
    if remember and request.GET.get("order") == "before":
        request.session.set_expiry(int(remember))
    login(request, user)
    if remember and request.GET.get("order") != "before":
        request.session.set_expiry(int(remember))
    try:
        return HttpResponse(csrf_token(request) if "token" in request.GET else "")
    except GenerationOutdated:
        if "own-answer" in request.GET:
            return HttpResponse("try again")
        raise


def set_expiry(request: HttpRequest, seconds: int) -> HttpResponse:
    request.session.set_expiry(seconds)
    return HttpResponse()


@requires_recent_authentication(max_age=300)
def change_email(request: HttpRequest) -> HttpResponse:
    return HttpResponse("changed")


@method_decorator(requires_recent_authentication(max_age=300, login_url="/sign-in"), name="dispatch")
class Transfers(View):
    def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse("transfers")


@requires_recent_authentication(max_age=300)
async def change_email_awaiting(request: HttpRequest) -> HttpResponse:
    return HttpResponse("changed")


def prove(request: HttpRequest) -> HttpResponse:
    reauthenticate(request)
    return HttpResponse()


def sign_out(request: HttpRequest) -> HttpResponse:
    logout(request)
    if "farewell" in request.GET:
        messages.info(request, "Farewell.")
    return HttpResponse()


def new_password(request: HttpRequest) -> HttpResponse:
    request.user.set_password(request.POST["password"])
    request.user.save()
    update_session_auth_hash(request, request.user)
    return HttpResponse()


def form(request: HttpRequest) -> HttpResponse:
    template = engines["django"].from_string("{% csrf_token %}")
    return HttpResponse(template.render({}, request))


def give_token(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"token": csrf_token(request), "fits": check_csrf(request)})


@session_passive
def poll(request: HttpRequest) -> HttpResponse:
    return read(request)


@session_optional
def catalogue(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"theme": request.session.get("theme", "light")})


def register_users() -> None:
    """As docs/django.md has it: one line."""
    from django.contrib.auth.admin import UserAdmin
    from polysession.contrib.django.admin import SessionsAdmin

    class PeopleAdmin(SessionsAdmin, UserAdmin):  # type: ignore[misc,type-arg]
        pass

    admin.site.unregister(get_user_model())
    admin.site.register(get_user_model(), PeopleAdmin)


admin.autodiscover()
register_users()
Urls.urlpatterns = [
    path("plain", plain),
    path("read", read),
    path("put/<name>/<value>", put),
    path("nested/<line>", nested),
    path("fail", fail),
    path("who", who),
    path("sign-in", sign_in),
    path("sign-out", sign_out),
    path("change-email", change_email),
    path("change-email-awaiting", change_email_awaiting),
    path("transfers", Transfers.as_view()),
    path("prove", prove),
    path("expiry/<int:seconds>", set_expiry),
    path("new-password", new_password),
    path("form", form),
    path("token", give_token),
    path("poll", poll),
    path("catalogue", catalogue),
    path("admin/", admin.site.urls),
]


# --- Fixtures


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def store(clock: FakeClock) -> FailingStore:
    return FailingStore(clock)


@pytest.fixture
def events() -> RecordedEvents:
    return RecordedEvents()


@pytest.fixture(autouse=True)
def manager(settings: Any, clock: FakeClock, store: FailingStore, events: RecordedEvents) -> SessionManager:
    made = memory_manager(clock=clock, store=store, events=events)
    settings.POLYSESSION_MANAGER = made
    return made


def create_ledger() -> None:
    """Its tables, without its app's migrations: SQLite runs none within a test's transaction."""
    with connection.cursor() as cursor:
        for statement in SCHEMA.replace("ADD COLUMN IF NOT EXISTS", "ADD COLUMN").split(";\n"):
            cursor.execute(statement)


@pytest.fixture
def ada(db: None) -> Any:
    return get_user_model().objects.create_user("ada", "ada@example.org", PASSWORD)


@pytest.fixture
def bob(db: None) -> Any:
    return get_user_model().objects.create_user("bob", "bob@example.org", PASSWORD)


class Visitor(Client):
    """A browser over TLS that shows its referrer."""

    def __init__(self, **options: Any) -> None:
        super().__init__(headers={"Referer": "https://testserver/"}, **options)

    def request(self, **request: Any) -> Any:
        request.setdefault("wsgi.url_scheme", "https")
        return super().request(**request)

    @property
    def token(self) -> str | None:
        cookie = self.cookies.get(COOKIE)
        return cookie.value or None if cookie else None

    def sign_in(self, name: str, **query: str) -> Any:
        answer = self.post("/sign-in", {"username": name, "password": PASSWORD}, query_params=query)
        assert answer.status_code == 200
        return answer

    def who(self) -> str:
        return str(json.loads(self.get("/who").content)["user"])


@pytest.fixture
def new_visitor() -> Callable[..., Visitor]:
    return Visitor


@pytest.fixture
def visitor() -> Visitor:
    return Visitor()

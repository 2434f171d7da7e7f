"""Django's session middleware around a view that uses one attribute, with three engines."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from importlib import import_module
from typing import Any

import django
from django.conf import settings
from django.contrib.sessions.middleware import SessionMiddleware
from django.core.cache import cache
from django.core.management import call_command
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from polysession import SessionManager
from redis import Redis

from .floor import disconnect
from .ours import AGENT, measure_record
from .payload import READ, WRITTEN, make_values, other_values
from .peer import Operation, Peer

COOKIE = "__Host-session"


def set_up(plain_url: str) -> None:
    settings.configure(
        SECRET_KEY=secrets.token_hex(),
        ALLOWED_HOSTS=["testserver"],
        INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions"],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        CACHES={"default": {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": plain_url}},
        SESSION_COOKIE_NAME=COOKIE,
        CSRF_USE_SESSIONS=True,
        POLYSESSION_MANAGER=None,
    )
    django.setup()
    call_command("migrate", verbosity=0)


def make_stock_peer(engine: str, plain: Redis) -> Peer:
    store = import_module(f"django.contrib.sessions.backends.{engine}").SessionStore

    def layer(view: Callable[[Any], Any]) -> SessionMiddleware:
        made = SessionMiddleware(view)
        made.SessionStore = store  # in place of the one that SESSION_ENGINE names: this process has several
        return made

    requests = _Requests(layer)
    key = cache.make_key(store(requests.token).cache_key)
    return Peer(
        name=f"Django `{engine}`, django-redis" + (", SQLite in memory" if engine == "cached_db" else ""),
        redis="plain",
        prepare_read=requests.prepare_read,
        prepare_write=requests.prepare_write,
        close=lambda: disconnect(cache.client.get_client()),  # type: ignore[attr-defined]
        memory=lambda: int(plain.memory_usage(str(key), samples=0)),  # type: ignore[arg-type]
    )


def make_our_peer(manager: SessionManager, prefix: str, cluster: Any) -> Peer:
    from polysession.contrib.django import SessionMiddleware as OurMiddleware

    settings.POLYSESSION_MANAGER = manager
    requests = _Requests(OurMiddleware)
    return Peer(
        name="Polysession, Django",
        redis="cluster",
        prepare_read=requests.prepare_read,
        prepare_write=requests.prepare_write,
        close=manager.close,
        memory=lambda: measure_record(manager, prefix, requests.token, cluster),
        is_ours=True,
    )


class _Requests:
    """Requests of one browser that has a session of 1 KB."""

    def __init__(self, layer: Callable[[Callable[[Any], Any]], Any]) -> None:
        """``layer``: puts the session middleware around a view."""
        self._layer = layer
        self._values = other_values()
        browser = RequestFactory(headers={"User-Agent": AGENT})
        self._request = browser.get("/", secure=True)
        answer = self._answering(lambda session: session.update(make_values()))()
        self.token = answer.cookies[COOKIE].value
        self._request = browser.get("/", secure=True, headers={"Cookie": f"{COOKIE}={self.token}"})
        _ = self._request.COOKIES  # parsed once a request, by whoever asks first
        self._answering(lambda session: session[READ])()  # the cookie's first return is a touch

    def prepare_read(self) -> Operation:
        return self._answering(lambda session: session[READ])

    def prepare_write(self) -> Operation:
        value = next(self._values)
        return self._answering(lambda session: session.__setitem__(WRITTEN, value))

    def _answering(self, use: Callable[[Any], object]) -> Callable[[], HttpResponse]:
        answer = HttpResponse()

        def view(request: HttpRequest) -> HttpResponse:
            use(request.session)
            return answer

        layer = self._layer(view)
        return lambda: layer(self._request)

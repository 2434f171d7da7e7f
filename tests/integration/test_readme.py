"""The README's snippets run as they stand there: Django and Flask share a session."""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
from pathlib import Path

README = Path(__file__).parents[2] / "README.md"

PROGRAM = """
from pathlib import Path
import django, flask, polysession
from django.conf import settings
from django.http import HttpResponse
from django.test import Client
from django.urls import path
from flask import Flask
from polysession.contrib.flask import Polysession

MIDDLEWARE = [  # of `django-admin startproject`
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]

INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes"]

{django_snippet}

settings.configure(
    SECRET_KEY="of this test", ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, SESSION_ENGINE=SESSION_ENGINE,
    MIDDLEWARE=MIDDLEWARE, SESSION_COOKIE_NAME=SESSION_COOKIE_NAME,
    SESSION_COOKIE_SECURE=SESSION_COOKIE_SECURE, CSRF_USE_SESSIONS=CSRF_USE_SESSIONS,
    POLYSESSION_MANAGER=POLYSESSION_MANAGER,
    INSTALLED_APPS=INSTALLED_APPS,
    DATABASES={{"default": {{"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}}},
)
django.setup()

def paint(request):
    request.session["theme"] = {{"name": "dark"}}
    return HttpResponse("painted")

urlpatterns = [path("paint", paint)]

{flask_snippet}

@app.get("/theme")
def theme():
    return dict(flask.session["theme"])

browser = Client()
assert browser.get("/paint", secure=True).status_code == 200
name, morsel = next((n, m) for n, m in browser.cookies.items() if n.endswith("session"))
assert name == "__Host-session" and morsel["secure"] and morsel["httponly"], morsel
client = app.test_client()
client.set_cookie(name, morsel.value, secure=True)
answer = client.get("/theme", base_url="https://localhost")
assert answer.json == {{"name": "dark"}}, answer.data
print("shared")
"""


def test_the_snippets_of_the_readme_share_a_session(platform):
    django_snippet, flask_snippet = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    program = textwrap.dedent(PROGRAM).format(django_snippet=django_snippet, flask_snippet=flask_snippet)
    program = program.replace("127.0.0.1:8411,127.0.0.1:8412", platform.layout.redis_nodes)
    program = program.replace(
        'Path("/srv/shop/keys")', f"Path({str(platform.layout.secrets / 'session-keys')!r})"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "shared", done.stderr

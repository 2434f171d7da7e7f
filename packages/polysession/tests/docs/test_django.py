"""docs/django.md: a project as ``startproject`` makes it, converted by what the page shows."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from polysession.keys import make_keys

PAGE = Path(__file__).parents[4] / "docs" / "django.md"
BLOCKS = {
    found[1]: found[2]
    for found in re.finditer(r"```python\n# ([\w-]+)\n(.*?)```", PAGE.read_text(), re.DOTALL)
}

VISITS = """
import django
django.setup()
from django.test.utils import setup_test_environment
setup_test_environment()
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.test import Client, RequestFactory
call_command("migrate", verbosity=0)
import mysite.ending
user = get_user_model().objects.create_superuser("ada", "ada@example.org", "correct horse")

import mysite.views as views, mysite.remember as remember, mysite.step_up as step_up, mysite.admin
from mysite.csrf import token
from django.urls import path
from django.contrib import admin
from mysite import urls
urls.urlpatterns += [
    path("poll", views.poll), path("catalogue", views.catalogue),
    path("sign-in/<int:kept>", lambda request, kept: remember.sign_in(request, user, kept) or views.HttpResponse()),
    path("email", step_up.change_email), path("prove", step_up.prove), path("csrf", token),
    path("clear", lambda request: request.session.clear() or views.HttpResponse()),
]
script = Client(enforce_csrf_checks=True, headers={"Referer": "https://testserver/"})
given = script.get("/csrf", secure=True).json()["csrf_token"]
assert script.post("/poll", secure=True).status_code == 403
assert script.post("/poll", secure=True, headers={"X-CSRF-Token": given}).status_code == 200
script.get("/sign-in/0", secure=True)
assert script.post("/clear", secure=True, headers={"X-CSRF-Token": given}).status_code == 403
given = script.get("/csrf", secure=True).json()["csrf_token"]
assert script.post("/clear", secure=True, headers={"X-CSRF-Token": given}).status_code == 200
from polysession.contrib.django import get_manager
assert get_manager().sessions(str(user.pk)) == ()
client = Client(headers={"Referer": "https://testserver/"})
answer = client.get("/sign-in/1", secure=True)
assert answer.cookies["__Host-session"]["max-age"] == 30 * 24 * 3600, answer.cookies
assert client.get("/poll", secure=True).content == b"0"
assert client.get("/catalogue", secure=True).content == b"light"
assert client.get("/email", secure=True).content == b"changed"
before = client.cookies["__Host-session"].value
assert client.post("/prove", {"password": "wrong"}, secure=True).status_code == 403
assert client.post("/prove", {"password": "correct horse"}, secure=True).status_code == 204
assert client.cookies["__Host-session"].value != before
page = client.get(f"/admin/auth/user/{user.pk}/change/", secure=True)
assert b"This one" in page.content
old = client.__class__()
from django.contrib.sessions.backends.cached_db import SessionStore
held = SessionStore()
held.update({"_auth_user_id": str(user.pk), "_auth_user_backend": "django.contrib.auth.backends.ModelBackend",
             "_auth_user_hash": user.get_session_auth_hash(), "theme": "dark"})
held.save()
old.cookies["sessionid"] = held.session_key
assert old.get("/catalogue", secure=True).content == b"dark"
for change in (lambda: user.set_password("another horse"), lambda: setattr(user, "is_active", False)):
    tablet = Client()
    tablet.get("/sign-in/1", secure=True)
    user = get_user_model().objects.get(username="ada")
    held = len(get_manager().sessions(str(user.pk)))
    user.save()
    assert held and len(get_manager().sessions(str(user.pk))) == held, held
    change()
    user.save()
    assert not get_manager().sessions(str(user.pk))
print("visited")
"""

LOSS = """
import django
from redis import RedisCluster
django.setup()
from django.contrib.auth import get_user_model
from django.test import Client
from django.test.utils import setup_test_environment
import mysite.remember as remember, mysite.views as views
from django.urls import path
from mysite import urls
setup_test_environment()
user = get_user_model().objects.create_user("ada")
urls.urlpatterns += [
    path("sign-in", lambda request: remember.sign_in(request, user, 1) or views.HttpResponse()),
    path("who", lambda request: views.HttpResponse(request.user.get_username())),
]
client = Client()
client.get("/sign-in", secure=True)
with RedisCluster(HOST, PORT) as cluster:
    lost = [cluster.delete(key) for key in cluster.scan_iter("PREFIX:*")]
assert lost
assert client.get("/who", secure=True).content == b"ada"
print("kept")
"""


@pytest.fixture
def project(tmp_path: Path, redis_nodes: tuple[tuple[str, int], ...], redis_prefix: str) -> Path:
    subprocess.run([sys.executable, "-m", "django", "startproject", "mysite", str(tmp_path)], check=True)
    make_keys(tmp_path / "keys")
    nodes = ",".join(f"{host}:{port}" for host, port in redis_nodes)
    package = tmp_path / "mysite"
    for name, code in BLOCKS.items():
        if name in ("settings", "migration"):
            with (package / "settings.py").open("a") as stream:
                stream.write(code)
        else:
            (package / f"{name.replace('-', '_')}.py").write_text(code)
    for file in (package / "sessions.py", package / "ledger.py"):
        text = file.read_text().replace("redis1:6379,redis2:6379", nodes)
        assert nodes in text
        ours = f'Path("{tmp_path}/keys"), prefix="{redis_prefix}", deadline_ms=2000'
        file.write_text(text.replace('Path("/run/keys")', ours))
    return tmp_path


def run(project: Path, *arguments: str) -> str:
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "mysite.settings", "PYTHONPATH": str(project)}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=project, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_what_the_page_shows_converts_a_project(project: Path) -> None:
    assert "no issues" in run(project, "manage.py", "check")
    assert run(project, "-c", VISITS).startswith("visited\n")


def test_the_warning_of_check_deploy_is_silenced_as_the_page_says(project: Path) -> None:
    assert "security.W003" in run(project, "manage.py", "check", "--deploy")
    silenced = re.search(r"`(SILENCED_SYSTEM_CHECKS = .*?)`", PAGE.read_text())
    assert silenced
    with (project / "mysite" / "settings.py").open("a") as stream:
        stream.write(silenced[1] + "\n")
    assert "security.W003" not in run(project, "manage.py", "check", "--deploy")


def test_with_the_ledger_a_session_outlives_its_loss_in_redis(
    project: Path, redis_nodes: tuple[tuple[str, int], ...], redis_prefix: str
) -> None:
    with (project / "mysite" / "settings.py").open("a") as stream:
        stream.write('INSTALLED_APPS += ["polysession.contrib.django.ledger"]\n')
        stream.write('POLYSESSION_MANAGER = "mysite.ledger.make_manager"\n')
    run(project, "manage.py", "migrate", "--verbosity=0")
    assert "no issues" in run(project, "manage.py", "check", "--database", "default")
    host, port = redis_nodes[0]
    code = LOSS.replace("HOST", repr(host)).replace("PORT", str(port)).replace("PREFIX", redis_prefix)
    assert run(project, "-c", code).startswith("kept\n")
    run(project, "manage.py", "keeper", "--once")


def test_every_block_is_used() -> None:
    blocks = PAGE.read_text().count("```python")
    assert BLOCKS.keys() == {
        *("settings", "sessions", "views", "csrf", "ending", "ledger", "remember", "step-up", "admin"),
        "migration",
    }
    assert blocks == len(BLOCKS) + 1  # and the asynchronous manager, which tests/contrib uses

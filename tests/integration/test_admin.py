"""`make admin` makes somebody who may sign in at the admin."""

from __future__ import annotations

import os
import subprocess
from typing import Any

import httpx
import pytest

from local import __main__ as command

PASSWORD = "correct horse battery staple"


def test_who_was_made_by_make_admin_signs_in_at_the_admin(
    platform: Any, edge_url: str, monkeypatch: pytest.MonkeyPatch
):
    asked: list[tuple[list[str], dict[str, str]]] = []
    monkeypatch.setattr(os, "execve", lambda _, words, environment: asked.append((words, environment)))
    monkeypatch.chdir(platform.layout.root)  # and back: the command goes to the service's folder
    command.main(["manage", "createsuperuser"], layout=platform.layout)
    words, environment = asked[0]
    # What it asks a person for.
    given = ["--noinput", "--username", "grace", "--email", "grace@example.org"]
    subprocess.run(
        [*words, *given], env={**environment, "DJANGO_SUPERUSER_PASSWORD": PASSWORD}, check=True, timeout=60
    )
    with httpx.Client(base_url=edge_url, trust_env=False, follow_redirects=True) as browser:
        page = browser.get("/api/users/admin/")
        csrf = page.text.partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]
        form = {"username": "grace", "password": PASSWORD, "csrfmiddlewaretoken": csrf}
        answer = browser.post(page.url, data=form, headers={"Origin": edge_url})
        assert answer.status_code == 200
        assert "Log out" in answer.text

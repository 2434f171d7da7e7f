"""docs/flask.md: what it shows is what happens."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from flask.sessions import SecureCookieSessionInterface
from polysession.keys import make_keys

PAGE = Path(__file__).parents[4] / "docs" / "flask.md"
BLOCKS = {
    found[1]: found[2]
    for found in re.finditer(r"```python\n# ([\w-]+)\n(.*?)```", PAGE.read_text(), re.DOTALL)
}


@pytest.fixture
def names(tmp_path: Path, redis_nodes: tuple[tuple[str, int], ...], redis_prefix: str) -> dict[str, Any]:
    """All blocks in the page's order, with the cluster of the tests and keys of their own."""
    make_keys(tmp_path)
    nodes = ",".join(f"{host}:{port}" for host, port in redis_nodes)
    names: dict[str, Any] = {"__name__": __name__}
    for code in BLOCKS.values():
        code = code.replace("redis1:6379,redis2:6379", nodes).replace(
            '/run/keys"))', f'{tmp_path}"), prefix="{redis_prefix}", deadline_ms=2000)'
        )
        exec(compile(code, PAGE.name, "exec", dont_inherit=True), names)
    return names


class Browser:
    def __init__(self, app: Any) -> None:
        self._client = app.test_client()
        self.client = self._client

    def get(self, path: str) -> Any:
        return self._client.get(path, base_url="https://shop.example")

    def post(self, path: str, token: str = "") -> Any:
        return self._client.post(path, base_url="https://shop.example", headers={"X-CSRF-Token": token})

    def delete(self, path: str, token: str) -> Any:
        return self._client.delete(path, base_url="https://shop.example", headers={"X-CSRF-Token": token})


def test_the_app_of_the_page_does_what_it_says(names: dict[str, Any]) -> None:
    browser = Browser(names["app"])
    assert browser.get("/me").status_code == 401
    answer = browser.post("/sign-in/ada")
    assert "Max-Age=2592000" in answer.headers["Set-Cookie"]
    token = answer.get_json()["csrf_token"]
    assert browser.get("/me").get_json() == {"principal": "ada"}
    assert [browser.get(path).text for path in ("/poll", "/catalogue")] == ["0", "light"]
    assert browser.post("/email").status_code == 403
    assert browser.post("/email", token).text == "changed"
    assert browser.post("/prove", token).status_code == 200
    assert browser.get("/me").get_json() == {"principal": "ada"}
    assert browser.post("/sign-out", token).status_code == 200
    assert browser.get("/me").status_code == 401
    assert names["heard"] == [("started", "ada"), ("rotated", "ada"), ("ended", "logout")]


def test_an_app_of_the_factory_shares_the_session(names: dict[str, Any]) -> None:
    made = names["create_app"]()
    made.add_url_rule("/who", view_func=lambda: str(names["current_principal"]()))
    browser, other = Browser(names["app"]), Browser(made)
    browser.post("/sign-in/ada")
    cookie = browser.client.get_cookie("__Host-session", domain="shop.example")
    assert cookie is not None
    other.client.set_cookie("__Host-session", cookie.value, domain="shop.example", secure=True)
    assert other.get("/who").text == "ada"


def test_one_device_or_all_are_signed_out(names: dict[str, Any]) -> None:
    laptop, phone, tablet = (Browser(names["app"]) for _ in range(3))
    token, *_ = (one.post("/sign-in/eve").get_json()["csrf_token"] for one in (laptop, phone, tablet))
    listed = laptop.get("/devices").get_json()
    assert [one["this_one"] for one in listed].count(True) == 1
    assert len(listed) == 3
    ended = phone.get("/devices").headers["X-Session-Id"]
    assert laptop.delete(f"/devices/{ended}", token).status_code in (202, 204)
    assert laptop.delete("/devices/" + "A" * 16, token).status_code == 404
    assert [one.get("/me").status_code for one in (laptop, phone, tablet)] == [200, 401, 200]
    answer = laptop.delete("/devices", token)
    assert answer.status_code in (202, 204)
    assert "__Host-session=;" in answer.headers["Set-Cookie"]
    assert [one.get("/me").status_code for one in (laptop, phone, tablet)] == [401, 401, 401]
    laptop.post("/sign-in/eve")
    assert laptop.get("/me").get_json() == {"principal": "eve"}


def test_clear_signs_nobody_out(names: dict[str, Any]) -> None:
    app = names["app"]
    app.add_url_rule("/clear", view_func=lambda: str(names["session"].clear()))
    browser = Browser(app)
    browser.post("/sign-in/ada")
    browser.get("/clear")
    assert browser.get("/me").get_json() == {"principal": "ada"}


def test_who_was_signed_in_before_stays_so(names: dict[str, Any]) -> None:
    app = names["old_app"]
    seen: list[str | None] = []
    app.add_url_rule("/who", view_func=lambda: str(seen.append(names["current_principal"]())))
    serializer = SecureCookieSessionInterface().get_signing_serializer(app)
    assert serializer is not None
    browser = Browser(app)
    browser.client.set_cookie("session", serializer.dumps({"user_id": "ada"}), domain="shop.example")
    browser.get("/who")
    browser.get("/who")
    assert seen == ["ada", "ada"]


def test_every_block_is_used() -> None:
    assert list(BLOCKS) == ["convert", "factory", "identity", "devices", "step-up", "signals", "migration"]
    assert PAGE.read_text().count("```python") == len(BLOCKS)

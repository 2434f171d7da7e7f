"""Neither logs nor traces hold what opens a session or an account, whatever goes wrong."""

from __future__ import annotations

import secrets
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from tests.person import Person

DEEP = b"[" * 100_000


def everything_in(folder: Path) -> bytes:
    return b"\n".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def test_logs_and_traces_hold_no_token_no_password_and_no_hash(edge_url: str, platform):
    password = f"passphrase-{secrets.token_hex(8)}"
    person = Person(edge_url, password=password)
    person.sign_up()
    anonymous_csrf = person.csrf()
    person.put_in_cart("steel-rule")
    anonymous = str(person.cookie)
    person.sign_in()
    token, csrf = str(person.cookie), person.csrf()
    json = {"Content-Type": "application/json", "X-CSRF-Token": csrf}
    refused = [
        person.http.get("/api/users/me", headers={"Cookie": f"session={token}x"}),
        person.http.get("/api/orders/orders", headers={"Cookie": f"session={token}; session={anonymous}"}),
        person.http.put("/api/orders/cart/items/steel-rule", content=DEEP, headers=json),
        person.http.post("/api/users/sessions", content=DEEP, headers=json),
        person.ask("POST", "/api/users/sessions", json={"username": password, "password": token}),
        person.ask("PUT", "/api/users/me/password", json={"current": csrf, "new": password}),
        httpx.put(
            edge_url + "/api/orders/cart/items/steel-rule", cookies={"session": token}, trust_env=False
        ),
    ]
    assert {answer.status_code for answer in refused} <= {204, 400, 401, 403}
    same = Person(edge_url, password=password)
    with ThreadPoolExecutor(4) as threads:  # of these the database itself refuses some
        bodies = [{"username": same.name, "email": same.email, "password": password}] * 4
        signed_up = threads.map(
            lambda body: Person(edge_url).ask("POST", "/api/users/accounts", json=body), bodies
        )
        assert sorted(answer.status_code for answer in signed_up) == [201, 409, 409, 409]
    told = everything_in(platform.layout.logs) + everything_in(platform.layout.state / "traces")
    assert str(person.current()["id"]).encode() in told, "nothing was told at all: the test proves nothing"
    for secret in (
        password,
        token,
        token[22:54],
        anonymous,
        anonymous[22:54],
        csrf,
        anonymous_csrf,
        "argon2id$",
    ):
        assert secret.encode() not in told

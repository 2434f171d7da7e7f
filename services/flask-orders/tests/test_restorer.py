"""What Redis lost comes back by the internal call; the token itself never travels."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from chassis.assertion import Signer, Verifier
from orders.restorer import UsersRestorer
from orders.users_client import UsersClient
from polysession import SessionManager, StoreUnavailable
from polysession.core.record import Record
from polysession.core.token import parse
from polysession.stores.memory import MemoryStore
from polysession.testing import FakeClock, make_keys


class Scene:
    """Orders' manager over a memory store that forgets, and a users service that has the ledger."""

    def __init__(self, keys: Path, serve: Any) -> None:
        self.status = 200
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.public = keys / "public"
        self.clock = FakeClock()
        self.store = MemoryStore(clock=self.clock)
        self.kept: dict[Any, Any] = {}
        scene = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = scene.answer(self.path, body, self.headers["Authorization"])
                self.send_response(status)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_: Any) -> None: ...

        self.server = serve(Handler)
        port = self.server.server.server_address[1]
        self.client = UsersClient(
            f"http://127.0.0.1:{port}", Signer(keys / "private" / "flask-orders.pem"), timeout=5
        )
        self.manager = SessionManager(
            self.store, make_keys(), clock=self.clock, restorer=UsersRestorer(self.client)
        )

    def answer(self, path: str, body: bytes, authorization: str) -> int:
        session_id = path.split("/")[3]
        Verifier(self.public, "django-users").verify(authorization.removeprefix("Bearer "), session_id)
        self.asked.append((path, json.loads(body)))
        if self.status == 200:
            self.store._entries.update(self.kept)
        return self.status

    def begin(self, principal: str | None) -> str:
        session = self.manager.open(None)
        session["theme"] = "dark"
        if principal:
            session.sign_in(principal, generation=1)
        session.commit()
        assert session.token is not None
        return session.token

    def forget(self) -> None:
        self.kept = {
            address: entry for address, entry in self.store._entries.items() if isinstance(entry, Record)
        }
        self.store._entries.clear()


@pytest.fixture
def scene(keys: Path, serve: Any) -> Iterator[Scene]:
    made = Scene(keys, serve)
    with made.server:
        yield made
        made.client.close()


def test_a_signed_in_session_that_redis_lost_is_asked_for_once_and_read_again(scene: Scene) -> None:
    token = scene.begin("ada")
    scene.forget()
    assert scene.manager.open(token).principal == "ada"
    assert scene.manager.open(token).principal == "ada"
    [(path, body)] = scene.asked
    parsed = parse(scene.manager.keys, token)
    assert path == f"/internal/sessions/{parsed.address.session_id}/restore"
    assert body["rotation_count"] == 0
    assert list(body["secret_hash"]) == ["A"]
    assert parsed.secret not in json.dumps(body)
    assert token not in json.dumps(body)


def test_a_no_of_the_ledger_is_no_session(scene: Scene) -> None:
    token = scene.begin("ada")
    scene.forget()
    scene.status = 404
    session = scene.manager.open(token)
    assert session.principal is None
    assert session.stale


def test_a_ledger_that_cannot_say_is_unknown_and_not_absent(scene: Scene) -> None:
    token = scene.begin("ada")
    scene.forget()
    scene.status = 503
    session = scene.manager.open(token)
    with pytest.raises(StoreUnavailable):
        _ = session.principal
    assert session.cookie is None


def test_an_anonymous_or_forged_token_asks_nobody(scene: Scene) -> None:
    anonymous, signed_in = scene.begin(None), scene.begin("ada")
    scene.forget()
    forged = signed_in[:-1] + ("A" if signed_in[-1] != "A" else "B")
    for token in (anonymous, forged, "nonsense"):
        assert not scene.manager.open(token).exists
    assert scene.asked == []

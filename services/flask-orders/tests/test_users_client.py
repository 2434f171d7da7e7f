"""The internal call over real sockets: whatever the other side does, an answer or ``UsersUnavailable`` in time."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from chassis.assertion import Signer
from orders.users_client import UsersClient, UsersUnavailable

TIMEOUT = 0.5
# Not a speed test: far below what an endless or a byte-by-byte answer would take.
SOON = 5


@pytest.fixture
def make_client(keys) -> Iterator[Callable[[str], UsersClient]]:
    made: list[UsersClient] = []

    def make(url: str) -> UsersClient:
        made.append(UsersClient(url, Signer(keys / "private" / "flask-orders.pem"), timeout=TIMEOUT))
        return made[-1]

    yield make
    for client in made:
        client.close()


@pytest.fixture
def serve_bytes() -> Iterator[Callable[[Callable[[socket.socket], None]], str]]:
    """A server that treats each connection as it is told; its address."""
    listeners: list[socket.socket] = []
    threads: list[threading.Thread] = []
    stopping = threading.Event()

    def serve(treat: Callable[[socket.socket], None]) -> str:
        listener = socket.create_server(("127.0.0.1", 0))
        listener.settimeout(0.05)
        listeners.append(listener)

        def handle(connection: socket.socket) -> None:
            with connection:
                try:
                    treat(connection)
                except OSError:
                    return  # the client gave up

        def accept() -> None:
            while not stopping.is_set():
                try:
                    connection, _ = listener.accept()
                except TimeoutError:
                    continue
                connection.settimeout(SOON)
                threads.append(threading.Thread(target=handle, args=(connection,)))
                threads[-1].start()

        threads.append(threading.Thread(target=accept))
        threads[-1].start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    yield serve
    stopping.set()
    for thread in threads:
        thread.join()
    for listener in listeners:
        listener.close()


def answer_with(body: bytes, status: str = "200 OK") -> Callable[[socket.socket], None]:
    def treat(connection: socket.socket) -> None:
        connection.recv(65536)
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        connection.sendall(head.encode() + body)

    return treat


def test_an_account_that_may_act_is_found(users, make_client):
    principal = users.add()
    user = make_client(users.url).find(principal)
    assert user is not None
    assert (user.id, user.email) == (principal, f"{principal}@example.org")


def test_an_account_that_is_gone_or_disabled_is_none(users, make_client):
    client = make_client(users.url)
    assert client.find("nobody") is None
    assert client.find(users.add(is_active=False)) is None


def test_each_call_has_an_assertion_of_its_own(users, make_client):
    client = make_client(users.url)
    principal = users.add()
    client.find(principal)
    client.find(principal)
    first, second = (headers["Authorization"] for headers in users.headers)
    assert first.startswith("Bearer ")
    assert first != second


def test_a_principal_cannot_lead_to_another_path(users, make_client):
    with pytest.raises(UsersUnavailable):
        make_client(users.url).find("../../livez")
    assert users.asked == ["..%2F..%2Flivez"]


def test_nobody_there_is_unavailable(make_client):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(UsersUnavailable):
        make_client(f"http://127.0.0.1:{port}").find("ada")


def never_answer(connection: socket.socket) -> None:
    while connection.recv(65536):
        pass


def drip_headers(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    for number in range(200):
        connection.sendall(f"X-{number}: drip\r\n".encode())
        time.sleep(TIMEOUT / 5)


def drip_body(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\n")
    for _ in range(200):
        connection.sendall(b" ")
        time.sleep(TIMEOUT / 5)


@pytest.mark.parametrize("treat", [never_answer, drip_headers, drip_body])
def test_an_answer_that_never_ends_is_unavailable_in_time(serve_bytes, make_client, treat):
    client = make_client(serve_bytes(treat))
    started = time.monotonic()
    with pytest.raises(UsersUnavailable):
        client.find("ada")
    assert time.monotonic() - started < SOON


@pytest.mark.parametrize(
    "treat",
    [
        answer_with(b"", "500 Internal Server Error"),
        answer_with(b"", "401 Unauthorized"),
        answer_with(b"", "302 Found"),
        answer_with(b"not json"),
        answer_with(b"[]"),
        answer_with(b'{"id": "ada"}'),
        answer_with(b'{"id": "grace", "email": "grace@example.org", "is_active": true}'),
        lambda connection: connection.sendall(b"\x00\x01garbage\r\n\r\n"),
        lambda connection: connection.close(),
    ],
)
def test_an_answer_that_is_no_account_is_unavailable(serve_bytes, make_client, treat):
    with pytest.raises(UsersUnavailable):
        make_client(serve_bytes(treat)).find("ada")


def test_a_kept_connection_that_was_closed_is_replaced(serve_bytes, make_client):
    body = b'{"id": "ada", "email": "ada@example.org", "is_active": true}'
    seen: list[int] = []

    def once_then_hang_up(connection: socket.socket) -> None:
        while connection.recv(65536):
            seen.append(len(seen))
            if len(seen) == 2:
                return  # it took the second request of this connection and closes without an answer
            head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n"
            connection.sendall(head.encode() + body)

    client = make_client(serve_bytes(once_then_hang_up))
    assert client.find("ada") == client.find("ada")
    assert len(seen) == 3


def test_a_dead_or_slow_users_service_is_503_and_the_order_can_be_repeated(
    make_app, sessions, serve_bytes, users, visitor
):
    principal = users.add()
    visitor.sign_in(principal)
    visitor.put("field-notebook", 1)
    for url in ("http://127.0.0.1:9", serve_bytes(never_answer)):
        app = make_app(users_url=url, users_timeout_seconds=TIMEOUT)
        other = type(visitor)(app, sessions)
        other.http.set_cookie(other.cookie_name, visitor.token, domain="localhost")
        answer = other.order({"field-notebook": 1}, key="the-same-key")
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) > 0
        assert "Set-Cookie" not in answer.headers
    assert visitor.get("cart").get_json()["count"] == 1
    assert visitor.order({"field-notebook": 1}, key="the-same-key").status_code == 201

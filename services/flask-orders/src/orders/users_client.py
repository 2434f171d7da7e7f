"""The internal calls to the users service, with a signed assertion: who is behind a principal, and restoring a session."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpcore
import httpx
import structlog
from chassis.assertion import Signer

AUDIENCE = "django-users"
# gunicorn keeps an idle connection longer: we close first, and send nothing into one that is being closed.
KEEPALIVE_SECONDS = 15

_log = structlog.get_logger(__name__)
_deadline: ContextVar[float | None] = ContextVar("orders_users_deadline", default=None)


@dataclass(frozen=True, slots=True)
class User:
    """An account that may act."""

    id: str
    email: str


class UsersUnavailable(Exception):
    """*Unknown*: no usable answer in time. Never means that there is no such account."""


class UsersClient:
    """Thread-safe; made after the fork. ``timeout``: seconds for the whole call, whatever it consists of."""

    def __init__(
        self,
        url: str,
        signer: Signer,
        *,
        timeout: float,
        connections: int = 8,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = url.rstrip("/")
        self._signer = signer
        self._timeout = timeout
        self._clock = clock
        self._client = httpx.Client(transport=_DeadlineTransport(clock, connections), timeout=timeout)

    def find(self, principal: str) -> User | None:
        """``None``: the account is gone or disabled. Raises ``UsersUnavailable``."""
        response = self._ask("GET", f"/internal/users/{quote(principal, safe='')}", subject=principal)
        return None if response is None else _read_user(response, principal)

    def restore(self, session_id: str, hashes: Mapping[str, bytes], *, rotation_count: int) -> bool:
        """``True``: the session is in the store again. ``False``: the ledger says no. ``hashes``: of the token's
        secret, by pepper ID. Raises ``UsersUnavailable``. Repeating it is safe.
        """
        body = {
            "secret_hash": {pepper: value.hex() for pepper, value in hashes.items()},
            "rotation_count": rotation_count,
        }
        path = f"/internal/sessions/{quote(session_id, safe='')}/restore"
        return self._ask("POST", path, subject=session_id, body=body) is not None

    def close(self) -> None:
        self._client.close()

    def _ask(self, method: str, path: str, *, subject: str, body: object = None) -> httpx.Response | None:
        """The answer 200; ``None`` for 404."""
        try:
            with _until(self._clock() + self._timeout):
                response = self._send_again(method, path, subject, body)
        except (httpx.HTTPError, TimeoutError) as error:
            _log.warning("users_unavailable", error=type(error).__name__)
            raise UsersUnavailable(type(error).__name__) from error
        if response.status_code == 404:
            return None
        if response.status_code != 200:
            # 401 is not about the customer: our assertion was refused (key, clock), and that is ours to mend.
            _log.error("users_refused", status=response.status_code)
            raise UsersUnavailable(f"status {response.status_code}")
        return response

    def _send_again(self, method: str, path: str, subject: str, body: object) -> httpx.Response:
        try:
            return self._send(method, path, subject, body)
        except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError):
            # A kept connection was closed while we took it. Every question may be asked twice, so once more is safe.
            return self._send(method, path, subject, body)

    def _send(self, method: str, path: str, subject: str, body: object) -> httpx.Response:
        assertion = self._signer.sign(AUDIENCE, subject)
        headers = {"Authorization": f"Bearer {assertion}", "Accept": "application/json"}
        return self._client.request(method, f"{self._url}{path}", headers=headers, json=body)


def _read_user(response: httpx.Response, principal: str) -> User | None:
    try:
        members = response.json()
        user = User(id=str(members["id"]), email=str(members["email"]))
        active = members["is_active"]
    except (ValueError, KeyError, TypeError) as error:
        raise UsersUnavailable("an answer that is no account") from error
    if user.id != principal:
        raise UsersUnavailable("an answer about somebody else")
    return user if active is True else None


@contextmanager
def _until(deadline: float) -> Iterator[None]:
    """Every socket operation of this thread within it ends by ``deadline``. Nothing stays on the thread."""
    token = _deadline.set(deadline)
    try:
        yield
    finally:
        _deadline.reset(token)


class _DeadlineTransport(httpx.HTTPTransport):
    """httpx's time-outs are for each read: a peer that sends a byte a second is never late. Here the call has a deadline."""

    def __init__(self, clock: Callable[[], float], connections: int) -> None:
        super().__init__()
        self._pool.close()
        self._pool = httpcore.ConnectionPool(
            ssl_context=httpx.create_ssl_context(),
            max_connections=connections,
            max_keepalive_connections=connections,
            keepalive_expiry=KEEPALIVE_SECONDS,
            network_backend=_DeadlineBackend(clock),
        )


class _DeadlineBackend(httpcore.NetworkBackend):
    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._backend = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        left = _left(self._clock, timeout, httpcore.ConnectTimeout)
        stream = self._backend.connect_tcp(host, port, left, local_address, socket_options)
        return _DeadlineStream(stream, self._clock)


class _DeadlineStream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream, clock: Callable[[], float]) -> None:
        self._stream = stream
        self._clock = clock

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(self._clock, timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left(self._clock, timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = _left(self._clock, timeout, httpcore.ConnectTimeout)
        return _DeadlineStream(self._stream.start_tls(ssl_context, server_hostname, left), self._clock)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _left(
    clock: Callable[[], float], timeout: float | None, late: type[httpcore.TimeoutException]
) -> float | None:
    deadline = _deadline.get()
    if deadline is None:
        return timeout
    left = deadline - clock()
    if left <= 0:
        raise late("the call's deadline has passed")
    return left if timeout is None else min(left, timeout)

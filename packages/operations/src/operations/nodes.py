"""Connections to single Redis nodes. The only module that talks to Redis."""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.credentials import CredentialProvider
from redis.retry import Retry

from .errors import OperationsError

TIMEOUT_SECONDS = 2.0
Resolve = Callable[[str, int], str]


class NodeError(OperationsError):
    """A node did not answer, or refused. The message has no secret in it."""


@dataclass(frozen=True)
class Access:
    """How to log in. The password is read at each new connection: it may have been rotated."""

    username: str = ""
    password_file: Path | None = None
    tls_ca_file: Path | None = None


@dataclass(frozen=True)
class Names:
    """The pods' names by ordinal: `shop-redis-{ordinal}.shop-redis-nodes.ns.svc.cluster.local:6379`."""

    template: str

    def __post_init__(self) -> None:
        if "{ordinal}" not in self.template or not self.template.rpartition(":")[2].isdigit():
            raise OperationsError(
                f"the nodes' names are {self.template!r}, not like name-{{ordinal}}.domain:6379"
            )

    @property
    def port(self) -> int:
        return int(self.template.rpartition(":")[2])

    def host(self, ordinal: int) -> str:
        return self.template.rpartition(":")[0].replace("{ordinal}", str(ordinal))

    def ordinal(self, host: str) -> int | None:
        """The pod that has this name; ``None``: not one of ours."""
        before, _, after = self.template.rpartition(":")[0].partition("{ordinal}")
        match = re.fullmatch(re.escape(before) + r"(\d+)" + re.escape(after), host)
        return int(match[1]) if match else None


def resolve(host: str, port: int) -> str:
    """The address that a pod's name has now, `ip:port`. Raises ``NodeError`` when it has none."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as cause:
        raise NodeError(f"{host} has no address") from cause
    return f"{found[0][4][0]}:{port}"


class _PasswordFile(CredentialProvider):
    def __init__(self, username: str, file: Path) -> None:
        self._username = username
        self._file = file

    def get_credentials(self) -> tuple[str] | tuple[str, str]:
        password = self._file.read_text().strip()
        return (self._username, password) if self._username else (password,)


class _Verified(redis.Connection):
    """To an address, by TLS with whom the authority says has ``name``. It trusts this authority and no other, and reads its
    file at each connection: redis-py's own would trust the system's, too, and ask for the address in the certificate.
    """

    def __init__(self, *, name: str, authority: Path, **options: Any) -> None:
        self._name = name
        self._authority = authority
        super().__init__(**options)  # type: ignore[no-untyped-call]

    def _connect(self) -> ssl.SSLSocket:
        plain = super()._connect()  # type: ignore[no-untyped-call]
        try:
            context = ssl.create_default_context(cafile=str(self._authority))
            return context.wrap_socket(plain, server_hostname=self._name)
        except OSError:
            plain.close()
            raise


class Nodes:
    """One client an address, made at first use. Safe for one thread a node."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._clients: dict[str, redis.Redis] = {}
        self._names: dict[str, str] = {}

    def remember(self, resolve: Resolve) -> Resolve:
        """The same, but each address is known by the name that led to it: with TLS its certificate must have that name.

        A connection that is open stays: whoever has the address later, it is not theirs.
        """

        def resolve_and_remember(host: str, port: int) -> str:
            address = resolve(host, port)
            self._names[address] = host
            return address

        return resolve_and_remember

    def ask(self, address: str, *command: object) -> Any:
        """The answer as Redis gives it (RESP2). Raises ``NodeError``; with TLS also for an address that no name led to."""
        client = self._client(address)
        try:
            connection = client.connection_pool.get_connection()
            try:
                connection.send_command(*command)  # type: ignore[no-untyped-call]
                return connection.read_response()
            finally:
                client.connection_pool.release(connection)
        except (redis.RedisError, OSError) as cause:
            said = str(cause).partition("\n")[0]
            raise NodeError(f"{' '.join(map(str, command[:2]))} at {address}: {said}") from cause

    def close(self, *, but: frozenset[str] = frozenset()) -> None:
        """Let go of all, or of those that are not asked any more."""
        for address in self._names.keys() - but:
            del self._names[address]
        for address in self._clients.keys() - but:
            with contextlib.suppress(redis.RedisError, OSError):
                self._clients.pop(address).close()

    def _client(self, address: str) -> redis.Redis:
        if address not in self._clients:
            host, _, port = address.rpartition(":")
            options: dict[str, Any] = {}
            if self._access.password_file is not None:
                options["credential_provider"] = _PasswordFile(
                    self._access.username, self._access.password_file
                )
            if self._access.tls_ca_file is not None:
                if address not in self._names:
                    raise NodeError(
                        f"{address} is no pod's address now, so its certificate cannot be verified"
                    )
                options.update(
                    connection_class=_Verified,
                    name=self._names[address],
                    authority=self._access.tls_ca_file,
                )
            pool = redis.ConnectionPool(
                host=host,
                port=int(port),
                protocol=2,
                decode_responses=True,
                socket_timeout=TIMEOUT_SECONDS,
                socket_connect_timeout=TIMEOUT_SECONDS,
                retry=Retry(NoBackoff(), 0),
                **options,
            )
            self._clients[address] = redis.Redis.from_pool(pool)
        return self._clients[address]

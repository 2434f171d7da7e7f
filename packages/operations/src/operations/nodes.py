"""Connections to single Redis nodes. The only module that talks to Redis."""

from __future__ import annotations

import contextlib
import re
import socket
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


class Nodes:
    """One client an address, made at first use. Safe for one thread a node."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._clients: dict[str, redis.Redis] = {}

    def ask(self, address: str, *command: object) -> Any:
        """The answer as Redis gives it (RESP2). Raises ``NodeError``."""
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
        for address in [one for one in self._clients if one not in but]:
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
                # By address, hence without the name: the pod network is told by the CA, not by names.
                options.update(ssl=True, ssl_ca_certs=str(self._access.tls_ca_file), ssl_check_hostname=False)
            self._clients[address] = redis.Redis(
                host=host,
                port=int(port),
                protocol=2,
                decode_responses=True,
                socket_timeout=TIMEOUT_SECONDS,
                socket_connect_timeout=TIMEOUT_SECONDS,
                retry=Retry(NoBackoff(), 0),
                **options,
            )
        return self._clients[address]

"""Failed attempts to prove a password: a few a minute for an account, more for an address. Counted on the Redis Cluster,
so that every process knows them (OWASP Authentication Cheat Sheet; NIST SP 800-63B section 3.2.2).

A success counts nothing. Attempts that are under way at once are judged before any of them is counted: an attacker
can exceed a limit once by as many as there are threads; what comes after is refused.
"""

from __future__ import annotations

import hashlib
import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from chassis.settings import read_secret
from limits import RateLimitItem
from limits.errors import ConcurrentUpdateError, ConfigurationError, StorageError
from limits.storage import Storage, storage_from_string
from limits.strategies import MovingWindowRateLimiter
from redis.backoff import NoBackoff
from redis.credentials import CredentialProvider
from redis.exceptions import RedisClusterException, RedisError
from redis.retry import Retry

from users.config import Config, get_config


class TooManyAttempts(Exception):
    """``retry_after``: seconds until the oldest attempt is forgotten."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"too many failed attempts; {retry_after} s to wait")
        self.retry_after = retry_after


class ThrottleUnavailable(Exception):
    """The counters gave no answer. Nobody is let in uncounted."""


class Throttle:
    """Thread-safe. ``make_storage`` is called at first use, and again until it succeeds: it connects."""

    def __init__(
        self,
        make_storage: Callable[[], Storage],
        *,
        account: RateLimitItem,
        address: RateLimitItem,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._make_storage = make_storage
        self._account = account
        self._address = address
        self._clock = clock
        self._lock = threading.Lock()
        self._made: MovingWindowRateLimiter | None = None

    def check(self, username: str, address: str) -> None:
        """Raises ``TooManyAttempts``, ``ThrottleUnavailable``."""
        with _unavailable():
            for limit, name in self._limits(username, address):
                if not self._limiter().test(limit, name):
                    raise TooManyAttempts(self._wait(limit, name))

    def count_failure(self, username: str, address: str) -> None:
        """Raises ``TooManyAttempts`` if it was one too many, ``ThrottleUnavailable``."""
        with _unavailable():
            full = [
                (limit, name)
                for limit, name in self._limits(username, address)
                if not self._limiter().hit(limit, name)
            ]
            if full:
                raise TooManyAttempts(max(self._wait(limit, name) for limit, name in full))

    def _limits(self, username: str, address: str) -> tuple[tuple[RateLimitItem, str], ...]:
        # As the database compares usernames; hashed, for it is what somebody typed, perhaps a password.
        account = hashlib.sha256(username.upper().encode()).hexdigest()[:32]
        return (self._account, f"account:{account}"), (self._address, f"address:{address}")

    def _wait(self, limit: RateLimitItem, name: str) -> int:
        resets_at = self._limiter().get_window_stats(limit, name).reset_time
        return max(1, math.ceil(resets_at - self._clock()))

    def _limiter(self) -> MovingWindowRateLimiter:
        with self._lock:
            if self._made is None:
                self._made = MovingWindowRateLimiter(self._make_storage())
            return self._made


@contextmanager
def _unavailable() -> Iterator[None]:
    try:
        yield
    # ConfigurationError: no node answered while it connected.
    except (
        StorageError,
        ConfigurationError,
        ConcurrentUpdateError,
        RedisError,
        RedisClusterException,
        OSError,
    ) as error:
        raise ThrottleUnavailable from error


class _PasswordFile(CredentialProvider):
    """Read at each new connection, as the session store does: the password may change while we run."""

    def __init__(self, username: str | None, file: Path) -> None:
        self._username = username
        self._file = file

    def get_credentials(self) -> tuple[str] | tuple[str, str]:
        try:
            password = read_secret(self._file)
        except ValueError as cause:
            raise RedisError("REDIS_PASSWORD_FILE cannot be read") from cause
        return (password,) if self._username is None else (self._username, password)


def make_storage(config: Config) -> Storage:
    """Connects. Its keys have the sessions' prefix."""
    patience = config.store_deadline_ms / 1000
    options: dict[str, Any] = {"socket_timeout": patience, "socket_connect_timeout": patience}
    if config.redis_password_file is not None:
        options["credential_provider"] = _PasswordFile(config.redis_username, config.redis_password_file)
    if config.redis_tls_ca_file is not None:
        options.update(ssl=True, ssl_ca_certs=str(config.redis_tls_ca_file))
    nodes = ",".join(f"{host}:{port}" for host, port in config.redis_nodes)
    return storage_from_string(
        f"redis+cluster://{nodes}",
        key_prefix=f"{config.session_prefix}:limits",
        wrap_exceptions=True,
        retry=Retry(NoBackoff(), 1),
        max_connections=64,
        **options,
    )


@cache
def get_throttle() -> Throttle:
    """Of this process."""
    config = get_config()
    return Throttle(lambda: make_storage(config), account=config.account_limit, address=config.address_limit)

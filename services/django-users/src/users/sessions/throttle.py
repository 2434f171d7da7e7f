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

from limits import RateLimitItem
from limits.errors import ConcurrentUpdateError, ConfigurationError, StorageError
from limits.storage import Storage, storage_from_string
from limits.strategies import MovingWindowRateLimiter
from redis.backoff import NoBackoff
from redis.exceptions import RedisClusterException, RedisError
from redis.retry import Retry

from users.config import Config, get_config

TIMEOUT_SECONDS = 0.25


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


def make_storage(config: Config) -> Storage:
    """Connects. Its keys have the sessions' prefix."""
    nodes = ",".join(f"{host}:{port}" for host, port in config.redis_nodes)
    return storage_from_string(
        f"redis+cluster://{nodes}",
        key_prefix=f"{config.session_prefix}:limits",
        wrap_exceptions=True,
        socket_timeout=TIMEOUT_SECONDS,
        socket_connect_timeout=TIMEOUT_SECONDS,
        retry=Retry(NoBackoff(), 1),
        max_connections=64,
    )


@cache
def get_throttle() -> Throttle:
    """Of this process."""
    config = get_config()
    return Throttle(lambda: make_storage(config), account=config.account_limit, address=config.address_limit)

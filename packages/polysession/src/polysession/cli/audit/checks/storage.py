"""What lies in Redis, where the app keeps its sessions there: read-only, and no more than 20,000 keys."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ....core.errors import InvalidSettings, StoreUnavailable
from ..check import ASVS, SMCS, Finding, check, failed, mask, needs, passed
from ..subject import Subject

KEYS = 20_000
WINDOW = 24  # characters of a token: more than any name it may carry, less than its secret
_WHERE = "redis.nodes: where the app keeps its sessions (host:port, or host:port/database)"
_PICKLE = re.compile(rb"\A\x80[\x02-\x05].*\.\Z", re.DOTALL)


@check(
    "SMCS-storage",
    "No token lies in the store in clear",
    source=SMCS.format("Built-in Session Management Implementations") + "; " + ASVS.format("14.2.4"),
    advice="Store a keyed hash of the token: whoever reads the store must not be able to sign in.",
)
def no_token_in_clear(subject: Subject) -> Finding:
    if not subject.app.redis:
        return needs(_WHERE)
    token = subject.token(subject.sign_in().browser)
    pieces = {token[start : start + WINDOW].encode() for start in range(max(1, len(token) - WINDOW + 1))}
    keys = 0
    for key, value in _contents(subject.app.redis):
        keys += 1
        if any(piece in key or piece in value for piece in pieces):
            where = "a key's name" if any(piece in key for piece in pieces) else "a value"
            return failed(f"{mask(token)} stands in {where}")
    return passed(f"{keys} keys and values hold no {WINDOW} characters of {mask(token)}")


@check(
    "ASVS-1.5.2",
    "Sessions are not stored as pickles",
    source=ASVS.format("1.5.2"),
    advice="Use JSON or MessagePack: whoever can write to the store would run code in the app.",
)
def no_pickles(subject: Subject) -> Finding:
    if not subject.app.redis:
        return needs(_WHERE)
    subject.sign_in()
    keys = 0
    for key, value in _contents(subject.app.redis):
        keys += 1
        if _PICKLE.match(value):
            name = re.sub(r"[A-Za-z0-9_-]{20,}", "…", key.decode("utf-8", "replace"))
            return failed(f"{name} is a pickle")
    return passed(f"{keys} keys")


def _contents(nodes: str) -> Iterator[tuple[bytes, bytes]]:
    """Key and value of every string, hash field, member or entry. Raises ``StoreUnavailable``, ``InvalidSettings``."""
    try:
        import redis
    except ImportError as cause:
        raise InvalidSettings(("redis.nodes needs the extra: pip install 'polysession[redis]'",)) from cause
    left = KEYS
    for entry in nodes.split(","):
        try:
            url = entry.strip() if "://" in entry else f"redis://{entry.strip()}"
            with redis.Redis.from_url(url, socket_timeout=5) as client:
                if client.info("replication")["role"] != "master":
                    continue
                for key in client.scan_iter(count=1000):
                    left -= 1
                    if left < 0:
                        return
                    for value in _values(client, key):
                        yield key, value
        except ValueError as cause:
            raise InvalidSettings(
                ("redis.nodes is not host:port,host:port, or host:port/database",)
            ) from cause
        except redis.RedisError as cause:
            raise StoreUnavailable("audit", type(cause).__name__) from cause


def _values(client: Any, key: bytes) -> Iterator[bytes]:
    kind = client.type(key)
    if kind == b"hash":
        yield from (part for pair in client.hgetall(key).items() for part in pair)
    elif kind == b"zset":
        yield from client.zrange(key, 0, -1)
    elif kind == b"set":
        yield from client.smembers(key)
    elif kind == b"list":
        yield from client.lrange(key, 0, -1)
    elif kind == b"stream":
        yield from (part for _, entry in client.xrange(key) for pair in entry.items() for part in pair)
    else:
        yield client.get(key) or b""


CHECKS = (no_token_in_clear, no_pickles)

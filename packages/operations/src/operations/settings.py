"""What the commands are told by their environment, read once, all faults in one message."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from .errors import OperationsError
from .nodes import Access, Names
from .wanted import ENGINES, Wanted

T = TypeVar("T")


class InvalidEnvironment(OperationsError):
    """Every fault, none of which holds a value that could be secret."""


@dataclass(frozen=True)
class RedisSettings:
    """Of `manager` and `guard`."""

    names: Names
    wanted: Wanted
    access: Access
    acl_file: Path | None
    replica_password_file: Path | None
    bind: tuple[str, int]
    every_seconds: float


@dataclass(frozen=True)
class GuardSettings:
    """``hook``: `upgrade` or `rollback`. ``override``: upgrade although a shard lacks a replica. ``engine``: the server
    that the release wants, `redis` or `valkey`; empty: whichever runs.
    """

    hook: str
    override: bool
    drain_seconds: float
    engine: str = ""


@dataclass(frozen=True)
class KeysSettings:
    """Names of the two Secrets; an empty one is not made. ``rotation``: add a key to each ring once per number."""

    namespace: str
    session_keys_secret: str
    credentials_secret: str
    rotation: int
    prefix: str
    release: str


@dataclass(frozen=True)
class TrialSettings:
    """``address`` is the edge's Service; ``public_url`` what browsers use, which decides the Origin header."""

    address: str
    public_url: str


class _Reader:
    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self.faults: list[str] = []

    def text(self, name: str, default: str | None = None) -> str:
        value = self._environment.get(f"OPERATIONS_{name}", "").strip()
        if value:
            return value
        if default is None:
            self.faults.append(f"OPERATIONS_{name} is missing")
        return default or ""

    def parsed(self, name: str, parse: Callable[[str], T], default: T | None = None, *, wants: str) -> T:
        text = self.text(name, None if default is None else "")
        if not text:
            return default if default is not None else parse("0")
        try:
            return parse(text)
        except (ValueError, OperationsError):
            self.faults.append(f"OPERATIONS_{name} is {text!r}, not {wants}")
            return default if default is not None else parse("0")

    def path(self, name: str) -> Path | None:
        text = self.text(name, "")
        return Path(text) if text else None

    def done(self) -> None:
        if self.faults:
            raise InvalidEnvironment("; ".join(self.faults))


def redis_settings(environment: Mapping[str, str]) -> RedisSettings:
    """Raises ``InvalidEnvironment``."""
    read = _Reader(environment)
    primaries = read.parsed("PRIMARIES", int, wants="a number")
    replicas = read.parsed("REPLICAS", int, 1, wants="a number")
    takeover = read.parsed("TAKEOVER_SECONDS", float, 0.0, wants="seconds")
    bind = read.parsed("BIND", _bind, ("0.0.0.0", 9400), wants="host:port")  # noqa: S104 a pod's own network
    every = read.parsed("EVERY_SECONDS", float, 1.0, wants="seconds")
    names = read.parsed("NODES", Names, Names("{ordinal}:0"), wants="like name-{ordinal}.domain:6379")
    read.text("NODES")
    access = Access(
        username=read.text("USERNAME", ""),
        password_file=read.path("PASSWORD_FILE"),
        tls_ca_file=read.path("TLS_CA_FILE"),
    )
    if not 1 <= primaries <= 1000 or replicas < 0:
        read.faults.append("OPERATIONS_PRIMARIES is at least 1, OPERATIONS_REPLICAS at least 0")
    read.done()
    return RedisSettings(
        names=names,
        wanted=Wanted(primaries, replicas, takeover_seconds=takeover),
        access=access,
        acl_file=read.path("ACL_FILE"),
        replica_password_file=read.path("REPLICA_PASSWORD_FILE"),
        bind=bind,
        every_seconds=every,
    )


def guard_settings(environment: Mapping[str, str]) -> GuardSettings:
    """Raises ``InvalidEnvironment``."""
    read = _Reader(environment)
    hook = read.text("HOOK", "upgrade")
    override = read.parsed("GUARD_OVERRIDE", _boolean, False, wants="true or false")
    drain = read.parsed("DRAIN_SECONDS", float, 600.0, wants="seconds")
    engine = read.text("ENGINE", "")
    if engine not in ("", *ENGINES):
        read.faults.append(f"OPERATIONS_ENGINE is {engine!r}, not {' or '.join(ENGINES)}")
    if hook not in ("upgrade", "rollback"):
        read.faults.append(f"OPERATIONS_HOOK is {hook!r}, not upgrade or rollback")
    read.done()
    return GuardSettings(hook=hook, override=override, drain_seconds=drain, engine=engine)


def keys_settings(environment: Mapping[str, str]) -> KeysSettings:
    """Raises ``InvalidEnvironment``."""
    read = _Reader(environment)
    settings = KeysSettings(
        namespace=read.text("NAMESPACE"),
        session_keys_secret=read.text("KEYS_SECRET", ""),
        credentials_secret=read.text("CREDENTIALS_SECRET", ""),
        rotation=read.parsed("ROTATION", int, 0, wants="a number"),
        prefix=read.text("SESSION_PREFIX", "ps"),
        release=read.text("RELEASE", ""),
    )
    if settings.rotation < 0:
        read.faults.append("OPERATIONS_ROTATION is 0 or more")
    read.done()
    return settings


def trial_settings(environment: Mapping[str, str]) -> TrialSettings:
    """Raises ``InvalidEnvironment``."""
    read = _Reader(environment)
    settings = TrialSettings(
        address=read.text("EDGE_URL").rstrip("/"), public_url=read.text("PUBLIC_URL").rstrip("/")
    )
    read.done()
    return settings


def _bind(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host, int(port)


def _boolean(text: str) -> bool:
    return {"true": True, "false": False}[text.lower()] if text.lower() in ("true", "false") else _wrong(text)


def _wrong(text: str) -> bool:
    raise ValueError(text)

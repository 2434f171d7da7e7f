"""What ``connect`` is given, checked before anything is made of it: each fault says what is right, and none holds a
password.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from .core.errors import InvalidSettings
from .core.events import Events
from .core.settings import SessionSettings
from .core.token import Keys

TLS = "rediss://"
Read = TypeVar("Read")


@dataclass(frozen=True, slots=True)
class Nodes:
    """``tls``: ``rediss://`` stood before them."""

    addresses: tuple[tuple[str, int], ...]
    tls: bool


def read_nodes(given: object) -> Nodes:
    """``host:port,host:port``, also with ``rediss://`` before it, or a list of those or of pairs. An IPv6 address is in
    brackets. Raises ``InvalidSettings`` with every fault.
    """
    if isinstance(given, str):
        entries: list[Any] = given.split(",")
    elif isinstance(given, Iterable) and not isinstance(given, bytes | Mapping):
        entries = list(given)
    else:
        kind = type(given).__name__
        raise InvalidSettings((f'nodes must be "host:port,host:port" or a list of "host:port", not {kind}',))
    tls = bool(entries) and isinstance(entries[0], str) and entries[0].strip().startswith(TLS)
    addresses: list[tuple[str, int]] = []
    faults: list[str] = []
    for number, entry in enumerate(entries, start=1):
        text = entry.strip() if isinstance(entry, str) else ""
        address = _address(text.removeprefix(TLS) if tls else text) if text else _pair(entry)
        if address is not None:
            addresses.append(address)
        else:
            faults.append(f"Redis node {number} is not host:port{_hint(text)}")
    if not entries:
        faults.append("nodes is empty: name at least one node of the Redis Cluster")
    if faults:
        raise InvalidSettings(tuple(faults))
    return Nodes(tuple(addresses), tls)


def read_keys(given: object) -> Path | Keys:
    """A directory, or keys for good. Raises ``InvalidSettings``."""
    if isinstance(given, Keys | Path):
        return given
    if isinstance(given, str) and given:
        return Path(given)
    what = "an empty str" if given == "" else type(given).__name__
    raise InvalidSettings((f"keys must be the directory of the session keys, or Keys, not {what}",))


def collect(faults: list[str], read: Callable[[], Read]) -> Read | None:
    """What ``read`` gives; ``None`` where it raises ``InvalidSettings``, whose faults join the others."""
    try:
        return read()
    except InvalidSettings as error:
        faults += error.faults
        return None


def check(
    *,
    settings: object,
    events: object,
    prefix: object,
    deadline_ms: object,
    asynchronous: object,
    credentials: Mapping[str, object],
) -> Iterator[str]:
    """Every fault of the others. ``credentials``: what logs in to Redis, and its authority."""
    if settings is not None and not isinstance(settings, SessionSettings):
        yield f"settings must be a SessionSettings, such as SessionSettings(idle=900), not {type(settings).__name__}"
    if events is not None and not isinstance(events, Events):
        yield f"events must be an Events, such as PrometheusEvents(), not {_kind(events)}"
    if not isinstance(prefix, str) or not prefix or "{" in prefix or "}" in prefix:
        yield 'prefix must be a str, not empty and without { and }, such as "ps"'
    if type(deadline_ms) is not int or deadline_ms <= 0:
        yield "deadline_ms must be a whole number of milliseconds above 0, such as 250"
    if type(asynchronous) is not bool:
        yield f"asynchronous must be True or False, not {_kind(asynchronous)}"
    yield from _check_credentials(credentials)


def _check_credentials(given: Mapping[str, object]) -> Iterator[str]:
    for name in ("username", "password"):
        text, file = given[name], given[f"{name}_file"]
        if text is not None and not isinstance(text, str):
            yield f"{name} must be a str, not {type(text).__name__}"
        if text and file is not None:
            yield f"give {name} or {name}_file, not both"
    for name in ("username_file", "password_file", "ca_file"):
        yield from _check_file(name, given[name])
    if _any(given, "username") and not _any(given, "password"):
        yield "a username needs a password, or a password_file"


def _any(given: Mapping[str, object], name: str) -> bool:
    return bool(given[name]) or given[f"{name}_file"] is not None


def _check_file(name: str, given: object) -> Iterator[str]:
    if given is None:
        return
    if not isinstance(given, str | Path):
        yield f"{name} must be a Path, not {type(given).__name__}"
    elif not os.path.exists(given) or os.path.isdir(given):
        yield f"{name}: {Path(given).absolute()} is no file that is there"
    elif not os.access(given, os.R_OK):
        yield f"{name}: {Path(given).absolute()} cannot be read by this process"


def _address(text: str) -> tuple[str, int] | None:
    host, _, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    is_port = port.isascii() and port.isdigit() and 0 < int(port) < 65536
    return (host, int(port)) if is_port and host and not set(host) & set("/@ \t\n,") else None


def _pair(entry: Any) -> tuple[str, int] | None:
    if not isinstance(entry, tuple | list) or len(entry) != 2:
        return None
    host, port = entry
    is_good = isinstance(host, str) and host and type(port) is int and 0 < port < 65536
    return (host, port) if is_good else None


def _hint(text: str) -> str:
    """What is probably meant; of ``text`` nothing is repeated, for it may hold a password."""
    if "@" in text:
        return ": who logs in stands in username= and password=, or better in password_file="
    if "://" in text:
        return f': leave out what stands before it; only "{TLS}" before the first is for TLS'
    if "/" in text:
        return ": leave out what follows the port, for a Redis Cluster has one database"
    return ": between two nodes stands a comma" if " " in text else ""


def _kind(given: object) -> str:
    return f"the class {given.__name__}" if isinstance(given, type) else type(given).__name__

"""One login session for Django, Flask and React.

``connect`` makes the manager that the adapters of ``polysession.contrib`` take. Without extras this imports
only msgspec.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from pathlib import Path

from .arguments import check, collect, read_keys, read_nodes
from .core.asynchronous import AsyncSessionManager
from .core.clock import Clock
from .core.cookie import Cookie
from .core.errors import (
    Conflict,
    GenerationOutdated,
    InvalidAttribute,
    InvalidSettings,
    InvalidToken,
    PolysessionError,
    ReadOnly,
    SessionEnded,
    StoreUnavailable,
    TooLarge,
    TooManySessions,
    Unreadable,
)
from .core.events import Events
from .core.ledger import Ledger, Restorer
from .core.manager import SessionInfo, SessionManager
from .core.peek import EndedSession, LiveSession
from .core.record import Device, EndReason, Kind
from .core.schema import Counter, LastWrite, ListOf, Raise, SessionSchema, SetOf
from .core.session import Session
from .core.settings import SessionSettings
from .core.store import Store
from .core.token import Keys
from .extras import extra
from .keys import KeyDirectory, load_keys
from .seal import load_cipher

__all__ = [
    "AsyncSessionManager",
    "Clock",
    "Conflict",
    "Cookie",
    "Counter",
    "Device",
    "EndReason",
    "EndedSession",
    "Events",
    "GenerationOutdated",
    "InvalidAttribute",
    "InvalidSettings",
    "InvalidToken",
    "KeyDirectory",
    "Keys",
    "Kind",
    "LastWrite",
    "ListOf",
    "LiveSession",
    "PolysessionError",
    "Raise",
    "ReadOnly",
    "Session",
    "SessionEnded",
    "SessionInfo",
    "SessionManager",
    "SessionSchema",
    "SessionSettings",
    "SetOf",
    "Store",
    "StoreUnavailable",
    "TooLarge",
    "TooManySessions",
    "Unreadable",
    "connect",
    "load_keys",
]


_log = logging.getLogger(__name__)


def connect(
    nodes: str | Sequence[str | tuple[str, int]],
    keys: Path | str | Keys,
    *,
    settings: SessionSettings | None = None,
    events: Events | None = None,
    prefix: str = "ps",
    deadline_ms: int = 250,
    username: str | None = None,
    password: str | None = None,
    username_file: Path | str | None = None,
    password_file: Path | str | None = None,
    ca_file: Path | str | None = None,
    ledger: Ledger | None = None,
    restorer: Restorer | None = None,
    asynchronous: bool = False,
) -> SessionManager:
    """A manager on a Redis Cluster. One a process; thread-safe and fork-safe. Makes no connection: the
    first use does.

    ``nodes``: any nodes of the cluster, also as ``host:port,host:port``. ``keys``: the directory of the key
    files, which is read again when it changes, or keys for good. With a key in the ring ``seal`` and the extra of that
    name, attributes are sealed. ``prefix``: first part of every Redis key. ``deadline_ms``:
    one store operation. ``rediss://`` before the nodes speaks TLS, verified against ``ca_file`` or the system's
    authorities. ``username_file``, ``password_file``: read at each new connection.
    ``ledger``, ``restorer``: see ``core.ledger``. ``asynchronous``: also for event loops (``contrib.asgi``, Django's
    async views, ``AsyncSessionManager``), with the extra ``async``; a ledger is then asked in a worker thread.
    Raises ``InvalidSettings`` with every fault, and ``ImportError`` without the extra ``redis``.
    """
    with extra("redis", "redis", "hiredis"):
        from .stores.redis import RedisStore
    credentials = {
        "username": username,
        "password": password,
        "username_file": username_file,
        "password_file": password_file,
        "ca_file": ca_file,
    }
    faults = list(
        check(
            settings=settings,
            events=events,
            prefix=prefix,
            deadline_ms=deadline_ms,
            asynchronous=asynchronous,
            credentials=credentials,
        )
    )
    found = collect(faults, lambda: read_nodes(nodes))
    source = collect(faults, lambda: _open_keys(keys, events))
    if found is None or source is None or faults:
        raise InvalidSettings(tuple(faults))
    kind = RedisStore
    if asynchronous:
        from .core import bridge
        from .stores.asynchronous import AsyncRedisStore

        bridge.require()
        kind = AsyncRedisStore
        ledger, restorer = bridge.hopping(ledger), bridge.hopping(restorer)
    settings = settings or SessionSettings()
    store = kind(
        found.addresses,
        prefix=prefix,
        deadline_ms=deadline_ms,
        tombstone_ms=settings.tombstone * 1000,
        unreturned_ms=settings.anonymous_unreturned * 1000,
        username=username,
        password=password,
        username_file=_path(username_file),
        password_file=_path(password_file),
        tls=found.tls or ca_file is not None,
        ca_file=_path(ca_file),
        events=events,
    )
    cipher = load_cipher()
    if cipher is None and (source if isinstance(source, Keys) else source()).seal.keys:
        _log.warning(
            "sessions are stored plain: the ring seal has a key, the extra polysession[seal] is missing"
        )
    return SessionManager(
        store,
        source,
        settings=settings,
        random=os.urandom,  # what ``secrets`` calls, without two calls of Python's around it
        events=events,
        ledger=ledger,
        restorer=restorer,
        cipher=cipher,
        warn=_log.warning,
    )


def _open_keys(given: object, events: Events | None) -> Keys | KeyDirectory:
    keys = read_keys(given)
    return keys if isinstance(keys, Keys) else KeyDirectory(keys, events=events)


def _path(given: Path | str | None) -> Path | None:
    return None if given is None else Path(given)


def parse_nodes(text: str) -> tuple[tuple[str, int], ...]:
    """``host:port,host:port``; an IPv6 address in brackets. Raises ``InvalidSettings`` with every fault."""
    return read_nodes(text).addresses

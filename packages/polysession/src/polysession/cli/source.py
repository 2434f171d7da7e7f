"""Where the sessions are: options, or else the environment variables of the services; every fault in one message."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from .. import connect
from ..arguments import read_nodes
from ..core.errors import InvalidSettings
from ..core.events import Events
from ..core.ledger import Ledger
from ..core.manager import SessionManager

if TYPE_CHECKING:  # `polysession keys` works without the extra
    from ..stores.redis import RedisStore

DEADLINE_MS = 2000  # more than a request has: a person waits


@dataclass(frozen=True, slots=True)
class Setting:
    option: str
    variable: str
    help: str
    metavar: str


NODES = Setting(
    "--nodes", "REDIS_NODES", "any nodes of the cluster; rediss:// before them: TLS", "HOST:PORT,…"
)
KEYS = Setting("--keys", "SESSION_KEYS_DIR", "directory of the session keys", "DIR")
PREFIX = Setting("--prefix", "SESSION_PREFIX", "first part of every Redis key (default: ps)", "NAME")
DEADLINE = Setting(
    "--deadline-ms", "STORE_DEADLINE_MS", f"one store operation (default: {DEADLINE_MS})", "MS"
)
USERNAME = Setting("--username", "REDIS_USERNAME", "ACL user", "NAME")
PASSWORD_FILE = Setting("--password-file", "REDIS_PASSWORD_FILE", "file with its password", "FILE")
CA_FILE = Setting("--ca-file", "REDIS_TLS_CA_FILE", "speak TLS, verified against this CA", "FILE")
SETTINGS = (NODES, KEYS, PREFIX, DEADLINE, USERNAME, PASSWORD_FILE, CA_FILE)


@dataclass(frozen=True, slots=True)
class Source:
    nodes: str
    keys: Path
    prefix: str
    deadline_ms: int
    username: str | None
    password_file: Path | None
    ca_file: Path | None


def add_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("where the sessions are (or the variable)")
    for setting in SETTINGS:
        text = f"{setting.help} [{setting.variable}]"
        group.add_argument(setting.option, metavar=setting.metavar, help=text)


def read_source(options: argparse.Namespace, environment: Mapping[str, str]) -> Source:
    """Raises ``InvalidSettings`` with every fault; none holds a value."""
    faults: list[str] = []

    def given(setting: Setting) -> str:
        option = getattr(options, setting.option.removeprefix("--").replace("-", "_"))
        return str(option if option is not None else environment.get(setting.variable, "")).strip()

    def need(setting: Setting) -> str:
        value = given(setting)
        if not value:
            faults.append(f"{setting.option} or {setting.variable} is missing: {setting.help}")
        return value

    def readable(setting: Setting) -> Path | None:
        value = given(setting)
        if value and not Path(value).is_file():
            faults.append(f"{setting.option} or {setting.variable} names no file that can be read")
        return Path(value) if value else None

    nodes, keys = need(NODES), need(KEYS)
    if nodes:
        try:
            read_nodes(nodes)
        except InvalidSettings as error:
            faults += [f"{NODES.option} or {NODES.variable}: {fault}" for fault in error.faults]
    deadline = given(DEADLINE) or str(DEADLINE_MS)
    if not deadline.isdecimal() or int(deadline) == 0:
        faults.append(f"{DEADLINE.option} or {DEADLINE.variable} is not a number of milliseconds above 0")
    prefix = given(PREFIX) or "ps"
    if "{" in prefix or "}" in prefix:
        faults.append(f"{PREFIX.option} or {PREFIX.variable} holds a brace")
    password_file, ca_file = readable(PASSWORD_FILE), readable(CA_FILE)
    username = given(USERNAME) or None
    if username and password_file is None:
        faults.append(f"{USERNAME.option} needs {PASSWORD_FILE.option} or {PASSWORD_FILE.variable}")
    if faults:
        raise InvalidSettings(tuple(faults))
    return Source(nodes, Path(keys), prefix, int(deadline), username, password_file, ca_file)


@contextmanager
def open_manager(
    options: argparse.Namespace,
    environment: Mapping[str, str],
    *,
    ledger: Ledger | None = None,
    events: Events | None = None,
) -> Iterator[SessionManager]:
    source = read_source(options, environment)
    manager = connect(
        source.nodes,
        source.keys,
        prefix=source.prefix,
        deadline_ms=source.deadline_ms,
        username=source.username,
        password_file=source.password_file,
        ca_file=source.ca_file,
        ledger=ledger,
        events=events,
    )
    try:
        yield manager
    finally:
        manager.close()


def store_of(manager: SessionManager) -> RedisStore:
    """Behind the manager's sealing, which hands on what it does not know."""
    return cast("RedisStore", manager.context.store)

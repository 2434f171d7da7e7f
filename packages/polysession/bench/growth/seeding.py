"""Many sessions at once: the very keys that the scripts write, from one encoded record, in pipelines a node."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from polysession.core import base64url
from polysession.core.codec import HEADER_FIELD, encode_record
from polysession.core.record import Address
from polysession.core.token import PARTITIONS
from polysession.stores.cluster import Cluster
from polysession.stores.commands import Command
from polysession.stores.keys import Keyspace, member, slot
from polysession.testing import HOUR, make_record

VALUES = {"cart": [{"item": number, "count": 1} for number in range(12)], "theme": "dark"}
RETENTION = 86_400_000  # as scripts/header.lua says
_KEY = "p" * 21 + "w"
_CHUNK = 4096
_SECONDS = 60.0


class Seeder:
    def __init__(self, cluster: Cluster, keys: Keyspace, now: int) -> None:
        self._cluster, self._keys, self._now = cluster, keys, now
        record = make_record(now, VALUES, principal_key=_KEY, idle=HOUR)
        fields = encode_record(record)
        self._header = fields.pop(HEADER_FIELD)
        self._fields = [word for pair in fields.items() for word in pair]
        self._expires = now + HOUR

    def add(self, count: int) -> list[Address]:
        """Signed in, each the only one of its principal, spread over the partitions as placement spreads them."""
        seeds: list[Address] = []
        while len(seeds) < count:
            chunk = [self._draw() for _ in range(min(_CHUNK, count - len(seeds)))]
            commands = [command for address, key in chunk for command in self._commands(address, key)]
            self._cluster.execute_all(commands, self._cluster.deadline(_SECONDS))
            seeds += [address for address, _ in chunk]
        return seeds

    def _draw(self) -> tuple[Address, str]:
        return Address(secrets.randbelow(PARTITIONS), secrets.token_urlsafe(12)), secrets.token_urlsafe(16)

    def _commands(self, address: Address, principal_key: str) -> Sequence[tuple[int, Command]]:
        here, partition = slot(address.partition), address.partition
        record, expiry = self._keys.record(address), self._keys.expiry(partition)
        principals, key = self._keys.principals(partition), base64url.decode(principal_key)
        header = self._header.replace(base64url.decode(_KEY), key)
        gone = self._expires + RETENTION
        words = (
            ("HSET", record, "", header, *self._fields),
            ("PEXPIREAT", record, gone),
            ("ZADD", expiry, self._expires, member(address.session_id)),
            ("PEXPIREAT", expiry, gone),
            ("HSET", principals, key, member(address.session_id)),
            ("PEXPIREAT", principals, gone),
        )
        return [(here, Command.of(*one)) for one in words]

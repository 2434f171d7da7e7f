"""Many sessions at once: the very keys that the scripts write, from one encoded record, in pipelines a node."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from itertools import islice

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
    """Session ``number`` of a store has an address that follows from the number, spread as placement spreads them: a
    million need not be kept in mind, for that would slow down whoever measures.
    """

    def __init__(self, cluster: Cluster, keys: Keyspace, now: int) -> None:
        self._cluster, self._keys = cluster, keys
        record = make_record(now, VALUES, principal_key=_KEY, idle=HOUR)
        self.tags = {name: attribute.tag for name, attribute in record.attributes.items()}
        fields = encode_record(record)
        self._header = fields.pop(HEADER_FIELD)
        self._fields = [word for pair in fields.items() for word in pair]
        self._expires = now + HOUR
        self._gone = self._expires + RETENTION
        self._blob = b"".join((self._header, *self._fields))

    def add_sessions(self, count: int) -> None:
        """Signed in, each the only one of its principal."""
        self._send(command for number in range(count) for command in self._session(number))
        self._send(command for partition in range(PARTITIONS) for command in self._lives(partition))

    def add_strings(self, count: int) -> None:
        """As many as sessions, at the same places, as large and with the same time to live: for a bare GET."""
        self._send(self._string(number) for number in range(count))

    def _send(self, commands: Iterable[tuple[int, Command]]) -> None:
        left: Iterator[tuple[int, Command]] = iter(commands)
        while chunk := list(islice(left, _CHUNK)):
            for reply in self._cluster.execute_all(chunk, self._cluster.deadline(_SECONDS)):
                if isinstance(reply, Exception):
                    raise reply

    def _session(self, number: int) -> Sequence[tuple[int, Command]]:
        address, key = place(number)
        here, partition = slot(address.partition), address.partition
        record, expiry = self._keys.record(address), self._keys.expiry(partition)
        principals, name = self._keys.principals(partition), member(address.session_id)
        header = self._header.replace(base64url.decode(_KEY), key)
        words = (
            ("HSET", record, "", header, *self._fields),
            ("PEXPIREAT", record, self._gone),
            ("ZADD", expiry, self._expires, name),
            ("HSET", principals, key, name),
        )
        return [(here, Command.of(*one)) for one in words]

    def _lives(self, partition: int) -> Sequence[tuple[int, Command]]:
        """Of the partition's indexes, where it has any."""
        keys = (self._keys.expiry(partition), self._keys.principals(partition))
        return [(slot(partition), Command.of("PEXPIREAT", key, self._gone)) for key in keys]

    def _string(self, number: int) -> tuple[int, Command]:
        address, _ = place(number)
        key = string_key(self._keys, address)
        return slot(address.partition), Command.of("SET", key, self._blob, "PXAT", self._gone)


def place(number: int) -> tuple[Address, bytes]:
    """The session's address, and its principal's key."""
    drawn = blake2b(number.to_bytes(8), digest_size=30).digest()
    partition = int.from_bytes(drawn[:2]) % PARTITIONS
    return Address(partition, base64url.encode(drawn[2:14])), drawn[14:]


def string_key(keys: Keyspace, address: Address) -> str:
    """As long as a record's, in its slot."""
    return keys.record(address).replace("}:s:", "}:b:")

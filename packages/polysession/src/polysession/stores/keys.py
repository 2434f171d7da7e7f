"""Every Redis key, and the hash tag that puts all keys of a partition into one slot."""

from __future__ import annotations

from binascii import crc_hqx
from collections.abc import Callable
from dataclasses import dataclass

from ..core import base64url
from ..core.record import Address
from ..core.token import PARTITIONS

SLOTS = 16384
_EVENTS_TAG = "events"


class _Tags(dict[int, str]):
    """Each partition's, once it was asked for."""

    def __missing__(self, partition: int) -> str:
        if not 0 <= partition < PARTITIONS:
            raise ValueError(f"partition {partition} is not between 0 and {PARTITIONS - 1}")
        tag = self[partition] = f"{partition:04d}"
        return tag


def events_slot() -> int:
    """The slot of the public stream."""
    return _slot(_EVENTS_TAG)


def _slot(tag: str) -> int:
    """CRC16 (XMODEM) of the hash tag, as the Redis Cluster specification says."""
    return crc_hqx(tag.encode(), 0) & (SLOTS - 1)


# Of a partition's keys. Both are asked at each operation: a look-up is no call.
_TAGS = _Tags()
slot: Callable[[int], int] = tuple(_slot(_TAGS[partition]) for partition in range(PARTITIONS)).__getitem__


@dataclass(frozen=True, slots=True)
class Keyspace:
    """The keys of one release. ``prefix`` holds no brace: the first brace of a key begins its hash tag."""

    prefix: str

    def __post_init__(self) -> None:
        if not self.prefix or "{" in self.prefix or "}" in self.prefix:
            raise ValueError("the prefix of the Redis keys is empty or holds a brace")

    def record(self, address: Address) -> str:
        """Hash: the header (or the tombstone) under the empty name, and a field an attribute."""
        return f"{self.prefix}:{{{_TAGS[address.partition]}}}:s:{address.session_id}"

    def expiry(self, partition: int) -> str:
        """Sorted set: each session's ``member`` by the millisecond at which it expires."""
        return f"{self.prefix}:{{{_TAGS[partition]}}}:x"

    def principals(self, partition: int) -> str:
        """Hash: under the principal key's 16 bytes the ``member`` of each of its sessions, one after the other."""
        return f"{self.prefix}:{{{_TAGS[partition]}}}:p"

    def generation(self, partition: int, principal_key: str) -> str:
        """String: the principal's generation in decimal digits, where it is not 0."""
        return f"{self.prefix}:{{{_TAGS[partition]}}}:g:{principal_key}"

    def outbox(self, partition: int) -> str:
        """Hash of events by their ID, until the keeper has carried them on."""
        return f"{self.prefix}:{{{_TAGS[partition]}}}:o"

    def events(self) -> str:
        """The one public stream, in a slot of its own."""
        return f"{self.prefix}:{{{_EVENTS_TAG}}}"


def member(session_id: str) -> bytes:
    """A session's name in the indexes: the 12 bytes of its ID. They are most of what an index takes."""
    return base64url.decode(session_id)


def session_id_of(name: bytes) -> str:
    """Of its ``member``."""
    return base64url.encode(name)

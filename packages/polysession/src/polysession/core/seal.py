"""Sealing: a store in front of the store. What it hands on is sealed, what it hands back is open, so nothing else
of the core knows of it.

AES-256-GCM (NIST SP 800-38D), by a cipher that is passed in, under a key for each session: HKDF-Expand (RFC 5869;
the ring's keys are uniformly random, so its first step is left out) of a key of the ring ``seal`` and the session ID.
Sealed are the values of attributes and the header's tail (principal, user agent, address, authentication time). Not
sealed are attributes' names, tags, and the header's prefix, which scripts read.

====== ============= =====================================================================
offset size          of a sealed value or tail
====== ============= =====================================================================
0      1             kind: the key's ID, one base64url character (at least 0x2D)
1      4, a tail 12  of the nonce: what the attribute's tag is not
…      … + 16        ciphertext of what follows a plain one's kind byte, and its GCM tag
====== ============= =====================================================================

The nonce is 12 random bytes, of which the first 8 are the attribute's tag, drawn anew for each value: a session's key
seals far fewer than 2**32 times. A write that is tried again has its tag again, and draws the other 4.

Bound to it (AAD): session ID (16), the attribute's name (the tail: none). Moved to another session, name or tag, it
cannot be opened. Who may write to Redis can still put back what was there, or put a plain value: both kinds are read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Protocol, cast

from msgspec import structs

from .clock import Clock
from .codec import PLAIN, SEALED, StoredAttributes, StoredTail, encode_tail, is_sealed, with_tail
from .errors import Unreadable
from .mac import compute
from .record import Address, Attribute, EndReason, Header, Record, Tail, Tombstone, alter
from .store import (
    Absent,
    Change,
    Conflicted,
    Created,
    Ended,
    Exists,
    Full,
    Limit,
    Listed,
    Outdated,
    Rotation,
    Store,
    Written,
)
from .token import Key, KeyRing, newest

NONCE_BYTES = 12
GCM_TAG_BYTES = 16

_SESSIONS = 1024  # whose keys are at hand; about 1 KB each


class Aead(Protocol):
    """AES-GCM under one key. Thread-safe."""

    def encrypt(self, nonce: bytes, data: bytes, bound: bytes, /) -> bytes: ...

    def decrypt(self, nonce: bytes, data: bytes, bound: bytes, /) -> bytes:
        """Raises ``Unreadable`` where key, nonce, ``data`` and ``bound`` do not fit together."""
        ...


Cipher = Callable[[bytes], Aead]  # takes 32 bytes


@dataclass(frozen=True, slots=True)
class Sealer:
    """Seals under the ring's newest key whose time has come, opens by any. An empty ring seals nothing; so does one
    whose keys' time has not come: all readers can have a key before the first writer uses it.

    ``cipher`` ``None``: the extra is not installed; seals nothing, and what is sealed is ``Unreadable``.
    """

    ring: KeyRing
    cipher: Cipher | None
    clock: Clock
    random: Callable[[int], bytes]

    def of(self, session_id: str) -> SessionSealer:
        return SessionSealer(self, session_id.encode("ascii"))

    def sealing_key(self) -> Key | None:
        keys = self.ring.keys
        if self.cipher is None or not keys:
            return None
        now = self.clock.now()
        if len(keys) == 1:  # as nearly always
            return keys[0] if keys[0].activate_after <= now else None
        active = [key for key in keys if key.activate_after <= now]
        return newest(active) if active else None


class SessionSealer:
    """Of one session: its keys are derived once."""

    __slots__ = ("_aeads", "sealer", "session_id")

    def __init__(self, sealer: Sealer, session_id: bytes) -> None:
        self.sealer: Sealer = sealer
        self.session_id: bytes = session_id
        self._aeads: dict[bytes, Aead] = {}

    def seal(self, key: Key | None, data: bytes, *, name: str = "", tag: bytes = b"") -> bytes:
        """``data`` begins with its kind byte; what is not plain is left as it is. ``key``: of ``sealing_key``."""
        if key is None or data[:1] != PLAIN:
            return data
        drawn = self.sealer.random(NONCE_BYTES - len(tag))
        sealed = self._aead(key).encrypt(tag + drawn, data[1:], self.session_id + name.encode())
        return key.id.encode("ascii") + drawn + sealed

    def open_attribute(self, name: str, attribute: Attribute) -> Attribute:
        """What cannot be opened stays sealed, and is ``Unreadable`` when its value is used."""
        if attribute.value[:1] < SEALED:
            return attribute
        try:
            return Attribute(attribute.tag, self.open(attribute.value, name=name, tag=attribute.tag))
        except Unreadable:
            return attribute

    def open(self, data: bytes, *, name: str = "", tag: bytes = b"") -> bytes:
        """What is not sealed is left as it is. Raises ``Unreadable``."""
        if data[:1] < SEALED:
            return data
        aead = self._aeads.get(data[:1]) or self._aead(self._find(data[:1]))
        begin = 1 + NONCE_BYTES - len(tag)
        if len(data) < begin + GCM_TAG_BYTES:
            raise Unreadable("it is sealed and cut short")
        bound = self.session_id + name.encode()
        return PLAIN + aead.decrypt(tag + data[1:begin], data[begin:], bound)

    def _find(self, key_id: bytes) -> Key:
        if self.sealer.cipher is None:
            raise Unreadable("it is sealed, and the extra is missing: pip install 'polysession[seal]'")
        key = self.sealer.ring.find(key_id.decode("ascii", "replace"))
        if key is None:
            raise Unreadable("it is sealed by a key that the ring seal does not hold")
        return key

    def _aead(self, key: Key) -> Aead:
        key_id = key.id.encode("ascii")
        aead = self._aeads.get(key_id)
        if aead is None:
            assert self.sealer.cipher is not None
            aead = self._aeads[key_id] = self.sealer.cipher(derive(key.value, self.session_id))
        return aead


def derive(key: bytes, session_id: bytes) -> bytes:
    """HKDF-Expand with SHA-256, 32 bytes: its first block."""
    return compute(key, b"polysession seal", session_id + b"\x01")


def seal_store(store: Store, sealer: Sealer) -> Store:
    """``store`` behind ``sealer``. Every operation has the store's promises and errors. A header's tail or an attribute
    that cannot be opened stays sealed, and is ``Unreadable`` when it is used: nothing that a session is judged by.
    """
    return cast(Store, _SealedStore(store, sealer))


class _SealedStore:
    """Only what carries attributes or a header's tail is here; a test holds it to that."""

    def __init__(self, store: Store, sealer: Sealer) -> None:
        self._store = store
        self._sealer = sealer
        # A request reads, and then it writes; a page's next requests come soon. Keys are derived once.
        self._of = lru_cache(maxsize=_SESSIONS)(sealer.of)
        self.now = store.now  # asked several times a request: ``__getattr__`` is slow

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def read(self, address: Address) -> Record | Tombstone | None:
        return self._open_record(address, self._store.read(address))

    def _open_record(self, address: Address, found: Record | Tombstone | None) -> Record | Tombstone | None:
        if not isinstance(found, Record):
            return found
        sealer, attributes = self._of(address.session_id), found.attributes
        if isinstance(attributes, StoredAttributes):
            attributes = StoredAttributes(attributes.fields, sealer.open_attribute)
        else:
            attributes = {name: sealer.open_attribute(name, one) for name, one in attributes.items()}
        return Record(_open_header(sealer, found.header), attributes)

    def peek(self, address: Address) -> Record | Tombstone | None:
        return self._open_record(address, self._store.peek(address))

    def create(
        self, address: Address, record: Record, *, limit: Limit | None = None
    ) -> Created | Exists | Outdated | Full:
        sealed = self._seal_record(address, record)
        if limit is None:
            return self._store.create(address, sealed)
        return self._store.create(address, sealed, limit=limit)

    def restore(self, address: Address, record: Record) -> Created | Exists | Outdated:
        return self._store.restore(address, self._seal_record(address, record))

    def write(
        self, address: Address, changes: Mapping[str, Change], *, touch: bool = False
    ) -> Written | Conflicted | Tombstone | Absent:
        sealer = self._of(address.session_id)
        if changes and (key := self._sealer.sealing_key()) is not None:
            changes = {
                name: Change(change.expected, _seal_attribute(sealer, key, name, change.attribute))
                if change.attribute
                else change
                for name, change in changes.items()
            }
        outcome = self._store.write(address, changes, touch=touch)
        return _open_winners(sealer, outcome) if isinstance(outcome, Conflicted) else outcome

    def rotate(self, address: Address, rotation: Rotation) -> Written | Tombstone | Absent | Conflicted:
        if rotation.tail:
            key = self._sealer.sealing_key()
            rotation = replace(rotation, tail=self._of(address.session_id).seal(key, rotation.tail))
        return self._store.rotate(address, rotation)

    def end(
        self,
        address: Address,
        reason: EndReason,
        *,
        principal_key: str = "",
        if_tags: Mapping[str, bytes] | None = None,
        successor: str = "",
        confirm: bool = True,
    ) -> Ended | Tombstone | Absent | Conflicted:
        outcome = self._store.end(
            address,
            reason,
            principal_key=principal_key,
            if_tags=if_tags,
            successor=successor,
            confirm=confirm,
        )
        if isinstance(outcome, Conflicted):
            return _open_winners(self._of(address.session_id), outcome)
        return outcome

    def list(self, partition: int, principal_key: str) -> tuple[tuple[Listed, ...], tuple[Ended, ...]]:
        """A header that cannot be opened is listed without its tail: its session can still be ended."""
        listed, ended = self._store.list(partition, principal_key)
        return tuple(self._open_listed(one) for one in listed), ended

    def _seal_record(self, address: Address, record: Record) -> Record:
        sealer, key = self._of(address.session_id), self._sealer.sealing_key()
        sealed = {name: _seal_attribute(sealer, key, name, one) for name, one in record.attributes.items()}
        return Record(_seal_header(sealer, key, record.header), sealed)

    def _open_listed(self, listed: Listed) -> Listed:
        header = _open_header(self._sealer.of(listed.session_id), listed.header)
        try:
            tail = header.tail.known
        except Unreadable:
            tail = Tail()
        return replace(listed, header=alter(header, tail=tail))


def _seal_attribute(sealer: SessionSealer, key: Key | None, name: str, attribute: Attribute) -> Attribute:
    return Attribute(attribute.tag, sealer.seal(key, attribute.value, name=name, tag=attribute.tag))


def _open_winners(sealer: SessionSealer, outcome: Conflicted) -> Conflicted:
    winners = {name: one and sealer.open_attribute(name, one) for name, one in outcome.winners.items()}
    return replace(outcome, winners=winners)


def _seal_header(sealer: SessionSealer, key: Key | None, header: Header) -> Header:
    tail = sealer.seal(key, encode_tail(header))
    return with_tail(header, tail) if is_sealed(tail) else alter(header, tail=header.tail.known)


def _open_header(sealer: SessionSealer, header: Header) -> Header:
    """Its tail is opened when it is used."""
    tail = header.tail
    if isinstance(tail, StoredTail) and tail.data[:1] >= SEALED:
        return structs.replace(header, tail=StoredTail(tail.data, sealer.open))
    return header

"""Sealed values and tails: only their session, name and tag open them; plain ones are read as ever."""

from __future__ import annotations

import inspect
import json
import secrets
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from polysession.core import seal, values
from polysession.core.codec import (
    SEAL_BYTES,
    StoredTail,
    decode_header,
    decode_record,
    encode_header,
    encode_record,
    with_tail,
)
from polysession.core.errors import Unreadable
from polysession.core.manager import SessionManager
from polysession.core.record import Address, Attribute, Device, Record
from polysession.core.seal import Sealer, derive, seal_store
from polysession.core.store import Change, Conflicted, Created, Store
from polysession.core.token import Key, KeyRing
from polysession.seal import load_cipher
from polysession.stores.memory import MemoryStore
from polysession.testing import (
    START,
    FakeClock,
    make_address,
    make_attribute,
    make_keys,
    make_principal,
    make_record,
)

A, B = Key("A", b"a" * 32), Key("B", b"b" * 32, START + 1000)
DEVICE = Device("Mozilla/5.0 (test)", "2001:db8::1")


class Bench:
    def __init__(self, *keys: Key) -> None:
        self.clock = FakeClock()
        self.inner = MemoryStore(clock=self.clock)
        self.store = self.sealed_by(*keys)

    def sealer(self, *keys: Key, cipher: Any = load_cipher()) -> Sealer:  # noqa: B008
        return Sealer(KeyRing(keys), cipher, self.clock, secrets.token_bytes)

    def sealed_by(self, *keys: Key, **fields: Any) -> Store:
        return seal_store(self.inner, self.sealer(*keys, **fields))

    def create(self, attributes: dict[str, Any], **fields: Any) -> tuple[Address, Record]:
        address, record = make_address(), make_record(START, attributes, device=DEVICE, **fields)
        assert self.store.create(address, record) == Created()
        return address, record

    def stored(self, address: Address) -> Record:
        found = self.inner.read(address)
        assert isinstance(found, Record)
        return found


def sealed_tail(record: Record) -> bytes:
    assert isinstance(record.header.tail, StoredTail)
    return record.header.tail.data


def read(store: Store, address: Address) -> Record:
    found = store.read(address)
    assert isinstance(found, Record)
    return found


def test_what_is_stored_is_sealed_and_comes_back_as_it_was() -> None:
    bench = Bench(A)
    address, record = bench.create({"cart": ["a book"]}, principal="alice", principal_key=make_principal())
    stored = bench.stored(address)
    assert stored.attributes["cart"].value[:1] == b"A"
    assert sealed_tail(stored)[:1] == b"A"
    dump = b"".join(encode_record(stored).values())
    assert not any(word in dump for word in (b"book", b"alice", b"Mozilla", b"2001:db8"))
    assert read(bench.store, address) == record


def test_a_sealed_record_survives_the_way_through_bytes() -> None:
    bench = Bench(A)
    address, _ = bench.create({"cart": [1], "theme": "dark"}, principal="alice", extra={"zz": 1})
    stored = bench.stored(address)
    assert decode_record(encode_record(stored)) == stored
    assert decode_header(encode_header(stored.header)) == stored.header


def test_a_value_grows_by_20_bytes() -> None:
    bench = Bench(A)
    address, record = bench.create({"cart": "x" * 100})
    grown = len(bench.stored(address).attributes["cart"].value) - len(record.attributes["cart"].value)
    assert grown == SEAL_BYTES == 20


def test_equal_values_look_different() -> None:
    bench = Bench(A)
    address, _ = bench.create({})
    tag, value = b"tagtagta", values.encode("same")
    looks = set()
    for _ in range(2):
        bench.store.write(address, {"a": Change(None, Attribute(tag, value))})
        looks.add(bench.stored(address).attributes["a"].value)
        bench.inner.write(address, {"a": Change(tag, None)})
    assert len(looks) == 2


@pytest.mark.parametrize("keys", [(), (B,)], ids=["an empty ring", "a key whose time has not come"])
def test_without_a_key_that_seals_records_are_plain(keys: tuple[Key, ...]) -> None:
    bench = Bench(*keys)
    address, record = bench.create({"cart": [1]})
    assert bench.stored(address) == record == read(bench.store, address)


def test_plain_records_of_earlier_are_read_and_sealed_attribute_by_attribute() -> None:
    bench = Bench()
    address, record = bench.create({"old": 1, "kept": 2}, principal="alice")
    later = bench.sealed_by(A)
    assert read(later, address) == record
    new = make_attribute(3)
    later.write(address, {"old": Change(record.attributes["old"].tag, new)})
    kinds = {name: one.value[:1] for name, one in bench.stored(address).attributes.items()}
    assert kinds == {"old": b"A", "kept": b"\x00"}
    assert read(later, address).attributes == {"old": new, "kept": record.attributes["kept"]}


def test_a_new_key_seals_when_its_time_has_come_and_the_old_one_still_opens() -> None:
    bench = Bench(A, B)
    before, record = bench.create({"cart": [1]})
    bench.clock.advance(seconds=1)
    after, _ = bench.create({"cart": [1]})
    assert bench.stored(before).attributes["cart"].value[:1] == b"A"
    assert bench.stored(after).attributes["cart"].value[:1] == b"B"
    assert read(bench.store, before) == record


def test_who_has_the_key_before_its_time_opens_what_others_seal_with_it() -> None:
    bench = Bench(Key("B", B.value))
    address, record = bench.create({"cart": [1]})
    assert read(bench.sealed_by(A, B), address) == record


def test_the_winners_of_a_conflict_are_open() -> None:
    bench = Bench(A)
    address, record = bench.create({"cart": [1]})
    outcome = bench.store.write(address, {"cart": Change(b"elsewhat", make_attribute([2]))})
    assert outcome == Conflicted({"cart": record.attributes["cart"]})
    ended = bench.store.end(address, "rotated-away", if_tags={"gone": b"elsewhat"})
    assert ended == Conflicted({"cart": record.attributes["cart"], "gone": None})


def test_listed_sessions_show_their_device_and_one_that_cannot_be_opened_does_not_hide_the_others() -> None:
    bench = Bench(A)
    principal_key = make_principal()
    for key in (A, Key("B", B.value)):
        bench.store = bench.sealed_by(key)
        address = make_address(7)
        bench.store.create(address, make_record(START, device=DEVICE, principal_key=principal_key))
    listed, _ = bench.sealed_by(A).list(7, principal_key)
    assert sorted(one.header.device.address for one in listed) == ["", DEVICE.address]


def test_a_restored_session_is_sealed() -> None:
    bench = Bench(A)
    address, record = make_address(), make_record(START, principal="alice", principal_key=make_principal())
    assert isinstance(bench.store.restore(address, record), Created)
    assert sealed_tail(bench.stored(address))[:1] == b"A"
    assert read(bench.store, address).header.principal == "alice"


def moved(bench: Bench, field: str) -> tuple[Address, str]:
    """A sealed value where it does not belong."""
    address, _ = bench.create({"role": "admin"})
    sealed = bench.stored(address).attributes["role"]
    name, tag, value = "role", sealed.tag, sealed.value
    match field:
        case "session":
            address, _ = bench.create({})
        case "name":
            name = "other"
        case "tag":
            tag = b"elsewhat"
        case "byte":
            value = value[:-1] + bytes([value[-1] ^ 1])
        case "length":
            value = value[:20]
    standing = bench.stored(address).attributes.get(name)
    change = Change(standing.tag if standing else None, Attribute(tag, value))
    if standing and standing.tag == tag:  # the same tag is an earlier try: clear the way
        bench.inner.write(address, {name: Change(tag, None)})
        change = Change(None, change.attribute)
    bench.inner.write(address, {name: change})
    return address, name


def test_a_value_where_it_was_sealed_is_open() -> None:
    bench = Bench(A)
    address, name = moved(bench, "nothing")
    assert values.decode(read(bench.store, address).attributes[name].value) == "admin"


@pytest.mark.parametrize("field", ["session", "name", "tag", "byte", "length"])
def test_a_value_that_was_moved_or_altered_is_unreadable(field: str) -> None:
    bench = Bench(A)
    address, name = moved(bench, field)
    with pytest.raises(Unreadable):
        values.decode(read(bench.store, address).attributes[name].value)


def test_a_tail_of_another_session_is_unreadable() -> None:
    bench = Bench(A)
    mine, _ = bench.create({}, principal="mallory", principal_key=make_principal())
    _, record = bench.create({}, principal="alice", principal_key=make_principal())
    tail = sealed_tail(bench.stored(mine))
    other = make_address()
    bench.inner.create(other, Record(with_tail(record.header, tail), record.attributes))
    with pytest.raises(Unreadable, match="belongs elsewhere"):
        _ = read(bench.store, other).header.principal


def test_a_session_whose_tail_is_unreadable_is_never_nobodys() -> None:
    bench = Bench(A)
    keys = replace(make_keys(), seal=KeyRing((A,)))
    manager = SessionManager(bench.inner, keys, clock=bench.clock, cipher=load_cipher())
    session = manager.open(None)
    session["cart"] = [1]
    session.sign_in("alice", generation=0)
    session.commit()
    assert session.address is not None
    assert session.token is not None
    bench.inner._entries[session.address] = damaged(bench.stored(session.address))
    session = manager.open(session.token)
    assert session.exists
    assert session["cart"] == [1]
    for use in (lambda: session.principal, lambda: session.authenticated_within(60), session.end):
        with pytest.raises(Unreadable):
            use()
    with pytest.raises(Unreadable):
        session.sign_in("mallory", generation=0)
    assert isinstance(bench.stored(session.address), Record)


def damaged(record: Record) -> Record:
    tail = sealed_tail(record)
    return Record(with_tail(record.header, tail[:-1] + bytes([tail[-1] ^ 1])), record.attributes)


@pytest.mark.parametrize(
    ("keys", "fields", "says"),
    [
        ((), {}, "ring seal"),
        ((Key("A", b"x" * 32),), {}, "altered"),
        ((A,), {"cipher": None}, "polysession.seal"),
    ],
    ids=["no key", "another key", "no extra"],
)
def test_what_cannot_be_opened_says_why(keys: tuple[Key, ...], fields: dict[str, Any], says: str) -> None:
    bench = Bench(A)
    address, _ = bench.create({"cart": [1]})
    with pytest.raises(Unreadable, match=says):
        _ = read(bench.sealed_by(*keys, **fields), address).header.principal


def test_keys_are_derived_as_hkdf_does() -> None:
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

    session_id = b"ABCDEFGHabcdefgh"
    theirs = HKDFExpand(SHA256(), 32, b"polysession seal\0" + session_id).derive(A.value)
    assert derive(A.value, session_id) == theirs


def test_a_sealed_value_is_laid_out_as_ever() -> None:
    """Golden: a failure means that sealed sessions of the release before cannot be read."""
    bench = Bench()
    sealer = replace(bench.sealer(A), random=lambda count: bytes(range(count)))
    plain, key = values.encode("dark"), sealer.sealing_key()
    sealed = sealer.of("ABCDEFGHabcdefgh").seal(key, plain, name="theme", tag=b"tagtagta")
    assert sealed.hex() == GOLDEN
    assert values.decode(sealer.of("ABCDEFGHabcdefgh").open(sealed, name="theme", tag=b"tagtagta")) == "dark"


WIRE = json.loads((Path(__file__).parents[1] / "golden" / "wire.json").read_text())
GOLDEN = WIRE["sealed"]["bytes"]

CARRIERS = ("Record", "Attribute", "Header", "Change", "Conflicted", "Listed")


def test_every_operation_that_carries_what_is_sealed_is_wrapped() -> None:
    carrying = set()
    for name, method in inspect.getmembers(Store, inspect.isfunction):
        text = " ".join(str(one) for one in inspect.get_annotations(method).values())
        if not name.startswith("_") and any(word in text for word in CARRIERS):
            carrying.add(name)
    carrying -= {"rotate", "offer"}  # their Conflicted has no winners
    assert "rotate" in vars(seal._SealedStore)  # it may bring the header's tail
    assert carrying == {"read", "peek", "create", "restore", "write", "end", "list"}
    assert carrying <= set(vars(seal._SealedStore))


def test_a_header_says_nothing_of_its_sealed_tail() -> None:
    assert "secret" not in repr(with_tail(make_record(START).header, b"Asecret")).partition("tail")[2]

"""Attributes are decoded, opened and counted only when somebody uses them."""

from __future__ import annotations

import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st
from polysession.core import values
from polysession.core.attributes import Attributes
from polysession.core.codec import StoredAttributes, decode_record, encode_attribute, encode_record, size_of
from polysession.core.errors import TooLarge, Unreadable
from polysession.core.record import Attribute, Record
from polysession.core.seal import Sealer, seal_store
from polysession.core.settings import SessionSettings
from polysession.core.token import Key, KeyRing
from polysession.seal import load_cipher
from polysession.stores.memory import MemoryStore
from polysession.testing import START, FakeClock, make_address, make_attribute, make_record

CLOCK = FakeClock()
NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)


def stored(record: Record) -> Record:
    """As it comes back from bytes."""
    found = decode_record(encode_record(record))
    assert isinstance(found, Record)
    return found


def test_a_damaged_attribute_leaves_the_others_readable() -> None:
    fields = encode_record(make_record(START, {"theme": "dark"}))
    found = decode_record({**fields, b"cart": b"short", b"\xff": b"no name"})
    assert isinstance(found, Record)
    attributes = Attributes(found.attributes, SessionSettings())
    assert attributes.get("theme") == "dark"
    with pytest.raises(Unreadable):
        attributes.get("cart")
    with pytest.raises(Unreadable):
        list(attributes)
    attributes.set("theme", "light")
    assert attributes.changes(secrets.token_bytes).keys() == {"theme"}


@given(st.dictionaries(NAMES, st.text(max_size=20), max_size=5), NAMES)
def test_they_are_the_mapping_that_was_encoded(given_values: dict[str, str], other: str) -> None:
    record = make_record(START, given_values)
    lazy = stored(record).attributes
    assert lazy == record.attributes
    assert (other in lazy) == (other in given_values)
    assert lazy.get(other) == record.attributes.get(other)
    assert size_of(lazy) == size_of(record.attributes)
    assert isinstance(lazy, StoredAttributes)
    assert lazy.bulk >= lazy.size


def test_a_name_that_is_no_text_is_not_there() -> None:
    lazy = stored(make_record(START, {"theme": "dark"})).attributes
    assert "\ud800" not in lazy
    assert 7 not in lazy


@pytest.mark.parametrize("sealed", [False, True])
def test_the_limit_of_a_session_is_exact_to_the_byte_sealed_or_not(sealed: bool) -> None:
    inner = MemoryStore(clock=CLOCK)
    ring = KeyRing((Key("A", b"a" * 32),) if sealed else ())
    store = seal_store(inner, Sealer(ring, load_cipher(), CLOCK, secrets.token_bytes))
    address = make_address()
    store.create(address, make_record(CLOCK.now(), {f"name{number}": "x" * 60 for number in range(4)}))
    record = inner.read(address)
    assert isinstance(record, Record)
    inner._entries[address] = stored(record)  # as Redis has it
    found = store.read(address)
    assert isinstance(found, Record)
    size = size_of(found.attributes) + len("new") + len(values.encode("y" * 50))
    for room, fits in ((0, True), (-1, False)):
        settings = SessionSettings(attribute_bytes=64, session_bytes=size + room)
        attributes = Attributes(found.attributes, settings)
        attributes.set("new", "y" * 50)
        if fits:
            assert attributes.changes(secrets.token_bytes)
            continue
        with pytest.raises(TooLarge):
            attributes.changes(secrets.token_bytes)


def test_sessions_that_take_turns_on_a_thread_are_each_opened_by_their_own_key() -> None:
    store = seal_store(
        MemoryStore(clock=CLOCK),
        Sealer(KeyRing((Key("A", b"a" * 32),)), load_cipher(), CLOCK, secrets.token_bytes),
    )
    addresses = [make_address(), make_address()]
    for number, address in enumerate(addresses):
        store.create(address, make_record(CLOCK.now(), {"number": number}))
    for _ in range(2):
        for number, address in enumerate(addresses):
            found = store.read(address)
            assert isinstance(found, Record)
            assert values.decode(found.attributes["number"].value) == number


def test_what_was_assigned_and_then_changed_inside_is_written_as_it_is_now() -> None:
    attributes = Attributes({}, SessionSettings())
    attributes.set("cart", cart := [1])
    attributes.set("theme", "dark")
    attributes.set("theme", "light")
    cart.append(2)
    written = attributes.changes(secrets.token_bytes)
    assert {name: values.decode(_value(one.attribute)) for name, one in written.items()} == {
        "cart": [1, 2],
        "theme": "light",
    }
    attributes.settle(written)
    assert not attributes.changed
    attributes.delete("theme")
    attributes.set("theme", "light")
    assert not attributes.changed


def _value(attribute: Attribute | None) -> bytes:
    assert attribute is not None
    return attribute.value


def test_an_attribute_of_eight_bytes_has_no_value() -> None:
    with pytest.raises(Unreadable):
        StoredAttributes({b"cart": encode_attribute(Attribute(b"tagtagta", b""))})["cart"]
    assert StoredAttributes({b"cart": encode_attribute(make_attribute(1))})["cart"].value == values.encode(1)

"""docs/wire-format.md says what the code does: its tables are the code's constants, and the vectors that the decoder in
TypeScript reads mean the same to ours.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from polysession.core import agent, base64url, codec, token, values
from polysession.core.clock import SystemClock
from polysession.core.errors import Unreadable
from polysession.core.record import END_REASONS, TAG_BYTES, Address, Header, Record, Tombstone
from polysession.core.seal import Sealer, seal_store
from polysession.stores.keys import Keyspace, member, slot
from polysession.stores.memory import MemoryStore

TESTS = Path(__file__).parents[1]
DOCUMENT = (TESTS.parents[2] / "docs" / "wire-format.md").read_text()
GOLDEN: dict[str, Any] = json.loads((TESTS / "golden" / "golden.json").read_text())
WIRE: dict[str, Any] = json.loads((TESTS / "golden" / "wire.json").read_text())


def table(heading: str, number: int = 0) -> list[list[str]]:
    """The cells of a section's table, without its head."""
    section = DOCUMENT.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    tables = re.findall(r"(?:^\|.*\n)+", section + "\n", re.MULTILINE)
    rows = [re.split(r"\s*\|\s*", line.strip("| \n")) for line in tables[number].splitlines()]
    return rows[2:]


def offsets(formats: Sequence[str]) -> list[tuple[int, int]]:
    sizes = [struct.calcsize(f">{one}") for one in formats]
    return [(sum(sizes[:index]), size) for index, size in enumerate(sizes)]


def members(compiled: struct.Struct) -> list[str]:
    """A time is two of them: 16 bits and 32."""
    return re.findall(r"HI|\d*[A-Za-z]", compiled.format.removeprefix(">"))


# --- the tables


def test_the_table_of_the_header_is_the_codes() -> None:
    parts = (codec.PREFIX, codec.PRINCIPAL_PART, codec.ROTATION_PART)
    for number, part in enumerate(parts):
        rows = table("Record", number)
        assert [(int(offset), int(size)) for offset, size, *_ in rows] == offsets(members(part))
    documented = "".join(row[2] for row in table("Record"))
    assert f"struct.unpack('>{documented}', header)" in str(codec.__doc__)
    for part in parts:
        assert f"{part.size} bytes" in DOCUMENT


def test_each_field_of_the_header_is_where_the_tables_say() -> None:
    header = codec.decode_header(bytes.fromhex(GOLDEN["headers"]["signed in"]))
    assert isinstance(header, Header)
    data = bytes.fromhex(GOLDEN["headers"]["signed in"])
    for number, part in enumerate((codec.PREFIX, codec.PRINCIPAL_PART, codec.ROTATION_PART)):
        for offset, size, _, name, *_ in table("Record", number):
            assert data[int(offset) : int(offset) + int(size)] == stored(header, name, int(size)), name
        data = data[part.size :]
    assert data[:1] == codec.PLAIN


def stored(header: Header, name: str, size: int) -> bytes:
    if name == "kind":
        return bytes([codec.RECORD_KIND])
    if name == "flags":
        return bytes([codec.SIGNED_IN_FLAG | codec.RETURNED_FLAG | codec.ROTATED_FLAG])
    value: int | str | bytes = getattr(header, name)
    if name == "principal_key":
        return base64url.decode(header.principal_key)
    if isinstance(value, int):
        return value.to_bytes(size, "big")
    return value.encode() if isinstance(value, str) else value


def test_the_tables_of_tail_tombstone_and_reasons_are_the_codes() -> None:
    header = codec.decode_header(bytes.fromhex(GOLDEN["headers"]["signed in"]))
    assert isinstance(header, Header)
    assert {row[0].strip("`") for row in table("Record", 3)} == codec._tail(
        header.tail.known
    ).keys() - header.extra.keys()
    rows = table("Tombstone")
    *fixed, successor = [(int(offset), int(size)) for offset, size, *_ in rows]
    assert fixed == offsets(members(codec.TOMBSTONE))
    assert successor == (codec.TOMBSTONE.size, codec.SESSION_ID_BYTES)
    assert rows[0][4] == str(codec.TOMBSTONE_KIND)
    assert [(int(number), reason) for number, reason in table("Tombstone", 1)] == list(enumerate(END_REASONS))


def test_the_tables_of_attribute_and_value_are_the_codes() -> None:
    tag, kind, value = table("Attribute")
    assert (int(tag[1]), int(kind[0]), int(value[0])) == (TAG_BYTES, TAG_BYTES, TAG_BYTES + 1)
    assert bytes([0]) == codec.PLAIN == values.PLAIN
    assert min(token.ALPHABET.encode()) == ord(codec.SEALED) == 0x2D
    codes = {row[1]: int(row[0]) for row in table("Value")}
    assert set(codes.values()) == set(values._UNPACKERS)
    samples = {
        "tuple": (1,), "set": {1}, "frozenset": frozenset({1}), "datetime": datetime(2026, 1, 1), "date": date(2026, 1, 1),
        "Decimal": Decimal(1), "UUID": UUID(int=1), "wide int": 2**80,
    }  # fmt: skip
    assert {name: values._pack(sample, 0).code for name, sample in samples.items()} == codes
    assert f"nested up to {values.MAX_DEPTH} deep" in DOCUMENT
    assert f"1 to {values.MAX_NAME_BYTES} bytes" in DOCUMENT


def test_the_table_of_the_token_is_the_codes() -> None:
    text = GOLDEN["tokens"]["s"]
    parts = [text[int(offset) : int(offset) + int(size)] for offset, size, *_ in table("Token")]
    assert "".join(parts) == text
    assert len(text) == token.TOKEN_LENGTH
    assert parts[:-1] == ["s", "M", "TS", "ABCDEFGHabcdefgh", "BC", "abcdefghijklmnopqrstuvwxyz012345"]
    assert f"`{token._SHAPE.pattern}`" in DOCUMENT
    assert token._two_characters(1234) == "TS"


def test_the_table_of_keys_is_the_codes() -> None:
    address, keyspace, principal = Address(7, "ABCDEFGHabcdefgh"), Keyspace("P"), "K" * 21 + "Q"
    filled = {"NNNN": "0007", "<session ID>": address.session_id, "<principal key>": principal}
    names = [row[0].strip("`") for row in table("Keys")]
    for blank, value in filled.items():
        names = [name.replace(blank, value) for name in names]
    assert names == [
        keyspace.record(address),
        keyspace.expiry(7),
        keyspace.principals(7),
        keyspace.generation(7, principal),
        keyspace.outbox(7),
    ]


# --- the vectors


def meaning(value: Any) -> Any:
    """A value in words that every language has."""
    match value:
        case None | bool() | str():
            return value
        case int():
            return {"int": str(value)}
        case float() | Decimal():
            return {"float": value} if isinstance(value, float) else {"decimal": str(value)}
        case bytes():
            return {"bytes": value.hex()}
        case dict():
            return {"mapping": [[meaning(name), meaning(item)] for name, item in value.items()]}
        case list() | tuple():
            return {type(value).__name__: [meaning(item) for item in value]}
        case set() | frozenset():
            return {type(value).__name__: [meaning(item) for item in sorted(value, key=values.encode)]}
        case datetime():
            return {"datetime": value.isoformat(), "fold": value.fold}
        case date():
            return {"date": value.isoformat()}
        case UUID():
            return {"uuid": str(value)}
    raise TypeError(type(value))


def meaning_of_header(found: Header | Tombstone) -> dict[str, Any]:
    if isinstance(found, Tombstone):
        plain = {"reason": found.reason, "ended_at": found.ended_at, "successor": found.successor}
        return {"kind": "tombstone", **plain}
    plain = {
        name: getattr(found, name)
        for name in (
            "returned", "keep", "pepper_id", "rotation_count", "created_at", "last_seen_at", "idle", "absolute_at",
            "generation", "previous_until", "principal_key", "principal", "authenticated_at",
        )
    }  # fmt: skip
    hexed = {name: getattr(found, name).hex() for name in ("secret_hash", "previous_hash", "nonce")}
    device = {"user_agent": found.device.user_agent, "address": found.device.address}
    extra = {name: meaning(value) for name, value in found.extra.items()}
    return {
        "kind": "record",
        "signed_in": bool(found.principal_key),
        **plain,
        **hexed,
        **device,
        "extra": extra,
    }


def meaning_of_attribute(data: str) -> Any:
    return meaning(values.decode(codec.decode_attribute(bytes.fromhex(data)).value))


def test_the_vectors_mean_the_same_to_both_decoders() -> None:
    for name in GOLDEN["attributes"]:
        assert meaning_of_attribute(GOLDEN["attributes"][name]) == WIRE["attributes"][name]
    for vector in WIRE["more attributes"].values():
        assert meaning_of_attribute(vector["bytes"]) == vector["meaning"]
    for vector in WIRE["more tombstones"].values():
        tombstone = codec.decode_header(bytes.fromhex(vector["bytes"]))
        assert meaning_of_header(tombstone) == vector["meaning"]
        assert isinstance(tombstone, Tombstone)
        assert codec.encode_tombstone(tombstone).hex() == vector["bytes"]
    for group in ("headers", "tombstones"):
        for name, data in GOLDEN[group].items():
            assert meaning_of_header(codec.decode_header(bytes.fromhex(data))) == WIRE[group][name]
    assert {name: WIRE[name].keys() for name in ("attributes", "headers", "tombstones", "tokens")} == {
        name: GOLDEN[name].keys() for name in ("attributes", "headers", "tombstones", "tokens")
    }


def test_the_vectors_of_keys_are_the_codes() -> None:
    for vector in WIRE["keys"]:
        keyspace, address = Keyspace(vector["prefix"]), Address(vector["partition"], vector["session_id"])
        principal_key = vector["principal_key"]
        partition = address.partition
        found = (
            keyspace.record(address), keyspace.expiry(partition), keyspace.principals(partition),
            keyspace.generation(partition, principal_key), keyspace.outbox(partition),
            member(address.session_id).hex(), base64url.decode(principal_key).hex(), slot(partition),
        )  # fmt: skip
        names = ("record", "expiry", "principals", "generation", "outbox", "member", "field", "slot")
        assert found == tuple(vector[name] for name in names)


def read_without_keys(data: bytes) -> None:
    """As a manager does, whose ring ``seal`` is empty."""
    header, address, store = codec.decode_header(data), Address(0, "ABCDEFGHabcdefgh"), MemoryStore()
    assert isinstance(header, Header)
    store.create(address, Record(header, {}))
    found = seal_store(store, Sealer(token.KeyRing(()), None, SystemClock(), bytes)).read(address)
    assert isinstance(found, Record)
    _ = found.header.principal


@pytest.mark.parametrize("name", WIRE["later"])
def test_what_a_later_release_writes_is_read_or_refused_as_documented(name: str) -> None:
    vector = WIRE["later"][name]
    refused = pytest.raises(Unreadable)
    if "attribute" in vector:
        with refused:
            meaning_of_attribute(vector["attribute"])
    elif vector["meaning"] == "unreadable":
        with refused:
            read_without_keys(bytes.fromhex(vector["header"]))
    else:
        assert meaning_of_header(codec.decode_header(bytes.fromhex(vector["header"]))) == vector["meaning"]


def test_the_dictionary_of_user_agents_is_the_codes() -> None:
    lines = DOCUMENT.split("```text\n")[1].split("\n```")[0].split("\n")
    assert "".join(lines).encode() == agent.DICTIONARY
    assert f"dictionary of {len(agent.DICTIONARY)} bytes" in DOCUMENT

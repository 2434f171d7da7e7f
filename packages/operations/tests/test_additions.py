"""What the key Job adds to the two Secrets."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from operations.acl import USERS, hash_password, hashes_of
from operations.additions import (
    NoFreeKeyId,
    announce_passwords,
    credentials,
    has_announced,
    is_session_key,
    rotate_session_keys,
    session_keys,
    use_passwords,
)
from polysession.core.token import ALPHABET
from polysession.keys import load_keys

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def mount(folder: Path, data: dict[str, bytes]) -> Path:
    for name, value in data.items():
        file = folder / name.replace(".", "/", 1)
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(value)
    return folder


def test_a_new_secret_holds_every_ring_and_the_library_reads_it(tmp_path: Path):
    made = session_keys({})
    assert sorted(made) == ["csrf.A", "mac.A", "pepper.A", "placement", "seal.A"]
    keys = load_keys(mount(tmp_path, made))
    assert (
        len({keys.placement, *(ring.keys[0].value for ring in (keys.mac, keys.pepper, keys.csrf, keys.seal))})
        == 5
    )
    assert session_keys({}) != made


def test_only_what_is_missing_is_made():
    made = session_keys({})
    assert session_keys(made) == {}
    without = {name: value for name, value in made.items() if name != "csrf.A"}
    assert list(session_keys(without)) == ["csrf.A"]


def test_a_rotation_adds_a_key_to_each_ring_that_signs_later_and_nothing_to_placement(tmp_path: Path):
    made = session_keys({})
    added = rotate_session_keys(made, now=NOW)
    assert sorted(added) == ["csrf.B", "mac.B", "pepper.B", "seal.B"]
    when = {datetime.fromisoformat(json.loads(value)["activate_after"]) for value in added.values()}
    assert when == {NOW + timedelta(minutes=5)}
    keys = load_keys(mount(tmp_path, {**made, **added}))
    assert {len(ring.keys) for ring in (keys.mac, keys.pepper, keys.csrf, keys.seal)} == {2}
    assert sorted(rotate_session_keys({**made, **added}, now=NOW)) == [
        "csrf.C",
        "mac.C",
        "pepper.C",
        "seal.C",
    ]


def test_a_full_ring_is_refused_with_a_sentence():
    made = session_keys({})
    full = {**made, **{f"mac.{letter}": made["mac.A"] for letter in ALPHABET}}
    with pytest.raises(NoFreeKeyId, match="the ring mac holds 64 keys"):
        rotate_session_keys(full, now=NOW)


def test_entries_of_somebody_else_are_no_session_keys():
    assert [
        name for name in ("mac.A", "placement", "mac.AB", "tls.crt", "notes") if is_session_key(name)
    ] == [
        "mac.A",
        "placement",
    ]


def test_new_credentials_fit_together():
    made = credentials({}, prefix="ps")
    assert {f"redis-{user}-password" for user in USERS} < made.keys()
    for user in USERS:
        assert hashes_of(made["redis-acl"].decode())[user] == (
            hash_password(made[f"redis-{user}-password"].decode()),
        )
        assert made[f"redis-{user}-password"] not in made["redis-acl"]
    private = load_pem_private_key(made["orders.pem"], password=None)
    assert load_pem_public_key(made["orders.pub.pem"]) == private.public_key()
    assert credentials(made, prefix="ps") == {}


def test_given_credentials_stay_and_the_acl_follows_them():
    made = credentials({"redis-sessions-password": b"given", "postgres-password": b"mine"}, prefix="ps")
    assert "redis-sessions-password" not in made
    assert "postgres-password" not in made
    assert hashes_of(made["redis-acl"].decode())["sessions"] == (hash_password("given"),)


def test_the_acl_follows_the_release_without_new_passwords():
    made = credentials({}, prefix="ps")
    assert sorted(credentials(made, prefix="shop")) == ["redis-acl"]


def test_a_lost_public_key_is_made_from_the_private_one():
    made = credentials({}, prefix="ps")
    without = {name: value for name, value in made.items() if name != "orders.pub.pem"}
    assert credentials(without, prefix="ps") == {"orders.pub.pem": made["orders.pub.pem"]}


def test_passwords_rotate_in_two_halves_and_the_former_stays_valid_until_the_next():
    data = credentials({}, prefix="ps")
    first = {user: data[f"redis-{user}-password"].decode() for user in USERS}

    data |= announce_passwords(data, prefix="ps")
    assert has_announced(data)
    assert announce_passwords(data, prefix="ps") == {}  # a second Job announces nothing else
    following = {user: data[f"redis-{user}-password-next"].decode() for user in USERS}
    assert hashes_of(data["redis-acl"].decode())["sessions"] == (
        hash_password(following["sessions"]),
        hash_password(first["sessions"]),
    )
    assert data["redis-sessions-password"].decode() == first["sessions"]  # nobody uses the new one yet

    data = {name: value for name, value in {**data, **use_passwords(data)}.items() if value is not None}
    assert not has_announced(data)
    assert data["redis-sessions-password"].decode() == following["sessions"]
    assert credentials(data, prefix="ps") == {}
    assert set(hashes_of(data["redis-acl"].decode())["sessions"]) == {
        hash_password(following["sessions"]),
        hash_password(first["sessions"]),
    }

    data |= announce_passwords(data, prefix="ps")
    assert hash_password(first["sessions"]) not in data["redis-acl"].decode()
    assert hash_password(following["sessions"]) in data["redis-acl"].decode()

"""What the two Secrets lack, computed without a cluster. Nothing that is there is ever replaced, but by a rotation that
was asked for, and then its predecessor stays valid.
"""

from __future__ import annotations

import json
import secrets
import tempfile
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from polysession.core.token import ALPHABET
from polysession.keys import FIRST_SEAL, PLACEMENT, RINGS, SEAL, make_keys

from .acl import USERS, hash_password, hashes_of, render_acl
from .errors import OperationsError

Data = Mapping[str, bytes]

# A Secret's mount follows within two minutes: until then no process may sign with the new key.
ACTIVATE_AFTER = FIRST_SEAL
NEXT = "-next"
_PASSWORDS = ("postgres-password", "users-database-password", "orders-database-password")


class NoFreeKeyId(OperationsError):
    """A ring of 64 keys."""


def session_keys(data: Data) -> dict[str, bytes]:
    """The keys that are missing, by their flat names (`mac.A`): a Secret's key cannot hold a slash."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for name, value in data.items():
            file = root / name.replace(".", "/", 1)
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(value)
        return {_flat(file.relative_to(root)): file.read_bytes() for file in make_keys(root)}


def rotate_session_keys(data: Data, *, now: datetime) -> dict[str, bytes]:
    """One more key a ring, which everybody accepts from its arrival and nobody signs with before ``ACTIVATE_AFTER``."""
    fresh = session_keys({})
    added = {}
    for ring in (*RINGS, SEAL):
        taken = {name.partition(".")[2] for name in data if name.startswith(f"{ring}.")}
        free = next((letter for letter in ALPHABET if letter not in taken), None)
        if free is None:
            raise NoFreeKeyId(
                f"the ring {ring} holds {len(taken)} keys: remove those that nothing uses any more"
            )
        key = json.loads(fresh[f"{ring}.A"])
        key["activate_after"] = (now + ACTIVATE_AFTER).isoformat(timespec="seconds")
        added[f"{ring}.{free}"] = json.dumps(key).encode()
    return added


def credentials(data: Data, *, prefix: str) -> dict[str, bytes]:
    """What is missing, and Redis' users.acl, which follows the passwords' hashes and this release's rules."""
    added: dict[str, bytes] = {}
    if "django-secret-key" not in data:
        added["django-secret-key"] = secrets.token_urlsafe(64).encode()
    for name in (*_PASSWORDS, *(_password(user) for user in USERS)):
        if name not in data:
            added[name] = secrets.token_urlsafe(32).encode()
    added |= _key_pair(data)
    return added | _acl({**data, **added}, prefix=prefix)


def announce_passwords(data: Data, *, prefix: str) -> dict[str, bytes]:
    """First half of a rotation: Redis learns the next passwords, nobody uses them yet."""
    added = {
        f"{_password(user)}{NEXT}": secrets.token_urlsafe(32).encode()
        for user in USERS
        if f"{_password(user)}{NEXT}" not in data
    }
    return added | _acl({**data, **added}, prefix=prefix)


def use_passwords(data: Data) -> dict[str, bytes | None]:
    """Second half, once every node enforces the first: clients get them; the former stay valid until the next
    rotation. ``None``: remove.
    """
    changed: dict[str, bytes | None] = {}
    for user in USERS:
        name = _password(user)
        if f"{name}{NEXT}" in data:
            changed |= {name: data[f"{name}{NEXT}"], f"{name}{NEXT}": None}
    return changed


def has_announced(data: Data) -> bool:
    return any(name.endswith(NEXT) for name in data)


def _password(user: str) -> str:
    return f"redis-{user}-password"


def _acl(data: Data, *, prefix: str) -> dict[str, bytes]:
    """The next password's hash, the password's, and the one before if no next is announced."""
    before = hashes_of(data.get("redis-acl", b"").decode())
    hashes = {}
    for user in USERS:
        named = [
            data[name].decode() for name in (f"{_password(user)}{NEXT}", _password(user)) if name in data
        ]
        known = list(dict.fromkeys(hash_password(password) for password in named))
        hashes[user] = [*known, *(one for one in before.get(user, ()) if one not in known)][:2]
    text = render_acl(hashes, prefix=prefix).encode()
    return {"redis-acl": text} if data.get("redis-acl") != text else {}


def _key_pair(data: Data) -> dict[str, bytes]:
    """Ed25519, by which orders signs what it asks of users."""
    added = {}
    if "orders.pem" in data:
        key = serialization.load_pem_private_key(data["orders.pem"], password=None)
    else:
        key = Ed25519PrivateKey.generate()
        added["orders.pem"] = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    if "orders.pub.pem" not in data:
        added["orders.pub.pem"] = key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    return added


def _flat(path: Path) -> str:
    return str(path).replace("/", ".")


def is_session_key(name: str) -> bool:
    """One of the Secret's entries that the rings are made of."""
    ring, _, key_id = name.partition(".")
    return name == PLACEMENT or (ring in (*RINGS, SEAL) and len(key_id) == 1)

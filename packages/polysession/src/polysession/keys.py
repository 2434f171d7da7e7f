"""The key files of ``docs/configuration.md``: read once at start; ``python -m polysession.keys DIR`` makes
what is missing.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import secrets
import sys
from datetime import UTC, datetime
from pathlib import Path

from .core.errors import InvalidSettings
from .core.token import ALPHABET, Key, KeyRing, Keys

RINGS = ("mac", "pepper", "csrf")
PLACEMENT = "placement"
KEY_BYTES = 32


class _FaultError(Exception):
    """One sentence about one file, without its content."""


def load_keys(directory: Path) -> Keys:
    """Raises ``InvalidSettings`` with every fault, none of which holds a value."""
    faults: list[str] = []
    rings = {name: _load_ring(directory / name, faults) for name in RINGS}
    placement = _load_key(directory / PLACEMENT, faults, key_id="A")
    if faults or placement is None:
        raise InvalidSettings(tuple(faults))
    return Keys(placement=placement.value, **rings)


def make_keys(directory: Path) -> tuple[Path, ...]:
    """Makes what is missing (directories 0700, files 0600) and overwrites nothing. Returns what was made.

    A ring that holds a key is complete: adding one to it is a rotation, which needs a time from which it
    signs.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = []
    for name in RINGS:
        ring = directory / name
        ring.mkdir(mode=0o700, exist_ok=True)
        if not _key_files(ring) and _make_key(ring / "A"):
            made.append(ring / "A")
    if _make_key(directory / PLACEMENT):
        made.append(directory / PLACEMENT)
    return tuple(made)


def _load_ring(directory: Path, faults: list[str]) -> KeyRing:
    try:
        files = _key_files(directory)
    except OSError as error:
        faults.append(f"{directory}: {error.strerror}; `python -m polysession.keys` makes it")
        return KeyRing(())
    for file in files:
        if len(file.name) != 1 or file.name not in ALPHABET:
            faults.append(f"{file}: a key's file name is its ID, one base64url character")
    keys = tuple(key for file in files if (key := _load_key(file, faults, key_id=file.name)) is not None)
    if not files:
        faults.append(f"{directory}: holds no key; `python -m polysession.keys` makes one")
    elif keys and all(key.activate_after > _now() for key in keys):
        faults.append(f"{directory}: no key signs yet, each has a later activate_after")
    return KeyRing(keys)


def _key_files(ring: Path) -> list[Path]:
    """Without hidden ones: Kubernetes mounts a Secret by links named ``..data``."""
    return sorted(file for file in ring.iterdir() if not file.name.startswith("."))


def _load_key(file: Path, faults: list[str], *, key_id: str) -> Key | None:
    try:
        return _parse_key(file.read_bytes(), key_id)
    except OSError as error:
        faults.append(f"{file}: {error.strerror}; `python -m polysession.keys` makes what is missing")
    except _FaultError as fault:
        faults.append(f"{file}: {fault}")
    return None


def _parse_key(text: bytes, key_id: str) -> Key:
    try:
        content = json.loads(text)
    except ValueError as cause:
        raise _FaultError("is not JSON") from cause
    if not isinstance(content, dict) or not isinstance(content.get("key"), str):
        raise _FaultError('is not {"key": "<base64url>"}')
    return Key(key_id, _parse_value(content["key"]), _parse_time(content.get("activate_after")))


def _parse_value(text: str) -> bytes:
    try:
        value = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as cause:
        raise _FaultError("key is not base64url") from cause
    if len(value) != KEY_BYTES:
        raise _FaultError(f"key must be {KEY_BYTES} bytes, it is {len(value)}")
    return value


def _parse_time(text: object) -> int:
    """RFC 3339 to milliseconds; missing: at once."""
    if text is None:
        return 0
    try:
        moment = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise _FaultError("activate_after must be a time of RFC 3339, such as 2026-01-31T12:00:00Z")
    return int(moment.timestamp() * 1000)


def _make_key(file: Path) -> bool:
    """``False``: it is there already, or another process made it at the same moment.

    Written aside and linked into place: a reader finds the whole key or none.
    """
    if file.exists():
        return False
    key = base64.urlsafe_b64encode(secrets.token_bytes(KEY_BYTES)).rstrip(b"=").decode()
    aside = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as stream:
            json.dump({"key": key}, stream)
        os.link(aside, file)
    except FileExistsError:
        return False
    finally:
        aside.unlink()
    return True


def _now() -> int:
    return int(datetime.now(UTC).timestamp() * 1000)


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print("usage: python -m polysession.keys DIR", file=sys.stderr)
        return 2
    directory = Path(arguments[0])
    for path in make_keys(directory):
        print(f"made {path}")
    load_keys(directory)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

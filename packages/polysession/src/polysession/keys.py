"""The key files of ``docs/configuration.md``: read at start, and again when they change (the one exception to settings
being read once); ``python -m polysession keys DIR`` makes what is missing.
"""

from __future__ import annotations

import base64
import binascii
import json
import logging
import os
import secrets
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

from .core import base64url
from .core.clock import Clock, SystemClock
from .core.errors import InvalidSettings
from .core.events import Events
from .core.token import ALPHABET, Key, KeyRing, Keys

RINGS = ("mac", "pepper", "csrf")
SEAL = "seal"  # a ring that may be missing or empty: then nothing is sealed
PLACEMENT = "placement"
KEY_BYTES = 32
CHECK_MS = 1000
# How long after it was made a first key seals in a directory that is in use: until then every reader has it.
FIRST_SEAL = timedelta(minutes=5)

_log = logging.getLogger(__name__)


class _FaultError(Exception):
    """One sentence about one file, without its content."""


class KeyDirectory:
    """A ``KeySource``: the keys of a directory, looked at again at most once a second, by whoever asks.

    Every change is taken whole or not at all: a fault (one file is wrong, no key signs, the placement key is another)
    or a change while it is read keeps the keys that are there, and is tried again a second later. A fault is logged
    once, without a value, and counted. Thread-safe. Raises ``InvalidSettings`` when made, never later.
    """

    def __init__(self, directory: Path, *, clock: Clock | None = None, events: Events | None = None) -> None:
        self._directory = directory = directory.absolute()  # also after a chdir
        self._clock = clock or SystemClock()
        self._events = events or Events()
        self._checked_at = self._clock.now()
        # Before the files are read: what changes meanwhile is found by the next look. One tuple: threads see both.
        self._seen = _look(directory), load_keys(directory, now=self._checked_at)
        self._faults: tuple[str, ...] = ()

    def __call__(self) -> Keys:
        now = self._clock.now()
        if abs(now - self._checked_at) >= CHECK_MS:
            self._checked_at = now
            self._check(now)
        return self._seen[1]

    def _check(self, now: int) -> None:
        seen, keys = self._seen
        look = _look(self._directory)
        if look == seen:
            return
        try:
            read = load_keys(self._directory, now=now)
            if read.placement != keys.placement:
                raise InvalidSettings(
                    (f"{self._directory / PLACEMENT}: is another key, and is fixed for life",)
                )
        except InvalidSettings as error:
            self._refuse(error.faults)
            return
        if _look(self._directory) != look:
            return
        self._seen, self._faults = (look, read if read != keys else keys), ()
        if read != keys:
            self._events.keys_read("renewed")
            _log.info("session keys were read again: %s", _describe(read))

    def _refuse(self, faults: tuple[str, ...]) -> None:
        if faults != self._faults:
            self._faults = faults
            self._events.keys_read("refused")
            _log.error("session keys changed and were refused, the old ones stay: %s", "; ".join(faults))


def load_keys(directory: Path, *, now: int | None = None) -> Keys:
    """Raises ``InvalidSettings`` with every fault, none of which holds a value. ``now``: milliseconds."""
    directory, now = directory.absolute(), _now() if now is None else now
    faults: list[str] = []
    if (fault := _directory_fault(directory)) is not None:
        raise InvalidSettings((fault,))
    rings = {name: _load_ring(directory, name, faults, now=now) for name in RINGS}
    rings[SEAL] = _load_ring(directory, SEAL, faults)
    placement = _load_key(directory / PLACEMENT, faults, key_id="A")
    if faults or placement is None:
        raise InvalidSettings(tuple(faults))
    return Keys(placement=placement.value, **rings)


def make_keys(directory: Path) -> tuple[Path, ...]:
    """Makes what is missing (directories 0700, files 0600) and overwrites nothing. Returns what was made.

    A ring that holds a key is complete: adding one to it is a rotation, which needs a time from which it
    signs. So does the first key of ``seal`` where the other keys are in use.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    in_use = (directory / PLACEMENT).exists()
    made = []
    for name in (*RINGS, SEAL):
        if _key_files(directory, name):
            continue
        ring = directory / name
        ring.mkdir(mode=0o700, exist_ok=True)
        later = datetime.now(UTC) + FIRST_SEAL if in_use and name == SEAL else None
        if _make_key(ring / "A", activate_after=later):
            made.append(ring / "A")
    if _make_key(directory / PLACEMENT):
        made.append(directory / PLACEMENT)
    return tuple(made)


def _directory_fault(directory: Path) -> str | None:
    """One sentence in place of one a file."""
    try:
        if stat.S_ISDIR(directory.stat().st_mode):
            return None
    except FileNotFoundError:
        return f"The directory {directory} does not exist: `python -m polysession keys {directory}` makes one"
    except OSError as error:
        return f"The directory {directory} of the session keys cannot be read: {error.strerror}"
    return f"{directory} is no directory: give the one of the session keys"


def _look(directory: Path) -> tuple[object, ...]:
    """Differs when the directory's keys may: a file or, as Kubernetes does it, a link on the way was replaced."""
    found: list[object] = []
    for name in (*RINGS, SEAL):
        try:
            files = _key_files(directory, name)
        except OSError as error:
            found.append((name, error.errno))
            continue
        found += [_stat(file) for _, file in files]
    return (*found, _stat(directory / PLACEMENT))


def _stat(file: Path) -> tuple[object, ...]:
    try:
        seen = file.stat()
    except OSError as error:
        return str(file), error.errno
    return str(file), seen.st_dev, seen.st_ino, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns


def _describe(keys: Keys) -> str:
    """Key IDs by ring, no value."""
    return ", ".join(
        f"{name} {''.join(key.id for key in ring.keys) or '(none)'}"
        for name in (*RINGS, SEAL)
        if isinstance(ring := getattr(keys, name), KeyRing)
    )


def _load_ring(directory: Path, name: str, faults: list[str], *, now: int | None = None) -> KeyRing:
    """``now`` ``None``: the ring may be missing, and no key need sign."""
    ring = directory / name
    try:
        files = _key_files(directory, name)
    except OSError as error:
        faults.append(f"{ring}: {error.strerror}; `python -m polysession keys {directory}` makes it")
        return KeyRing(())
    ids = [key_id for key_id, _ in files]
    for key_id, file in files:
        if len(key_id) != 1 or key_id not in ALPHABET:
            faults.append(f"{file}: a key's file name is its ID, one base64url character")
        elif ids.count(key_id) > 1 and file.parent == ring:
            faults.append(f"{file}: is there twice, also as {name}.{key_id}; remove one")
    keys = tuple(key for key_id, file in files if (key := _load_key(file, faults, key_id=key_id)) is not None)
    if now is None:
        return KeyRing(keys)
    if not files:
        faults.append(f"{ring}: holds no key; `python -m polysession keys {directory}` makes one")
    elif keys and all(key.activate_after > now for key in keys):
        faults.append(f"{ring}: no key signs yet, each has a later activate_after")
    return KeyRing(keys)


def _key_files(directory: Path, name: str) -> list[tuple[str, Path]]:
    """IDs and files of a ring: ``mac/A``, and flat as ``mac.A``, for the keys of a Kubernetes Secret hold no ``/``.

    Without hidden ones: Kubernetes mounts a Secret by links named ``..data``.
    """
    ring = directory / name
    flat = [(file.name.removeprefix(f"{name}."), file) for file in directory.glob(f"{name}.*")]
    deep = [(file.name, file) for file in ring.iterdir()] if ring.exists() else []
    return sorted(one for one in (*deep, *flat) if not one[0].startswith("."))


def _load_key(file: Path, faults: list[str], *, key_id: str) -> Key | None:
    try:
        return _parse_key(file.read_bytes(), key_id)
    except OSError as error:
        is_missing = isinstance(error, FileNotFoundError) and file.name == PLACEMENT
        hint = f"; `python -m polysession keys {file.parent}` makes it" if is_missing else ""
        faults.append(f"{file}: {error.strerror}{hint}")
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


def _make_key(file: Path, *, activate_after: datetime | None = None) -> bool:
    """``False``: it is there already, or another process made it at the same moment.

    Written aside and linked into place: a reader finds the whole key or none.
    """
    if file.exists():
        return False
    key = base64url.encode(secrets.token_bytes(KEY_BYTES))
    content = {"key": key}
    if activate_after is not None:
        content["activate_after"] = activate_after.isoformat(timespec="seconds")
    aside = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as stream:
            json.dump(content, stream)
        os.link(aside, file)
    except FileExistsError:
        return False
    finally:
        aside.unlink()
    return True


def _now() -> int:
    return int(datetime.now(UTC).timestamp() * 1000)

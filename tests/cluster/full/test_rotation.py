"""Each ring gets a key and each Redis user a password, while people are signed in."""

from __future__ import annotations

import base64
import json
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from tests.cluster import release, store
from tests.cluster.kind import ORIGIN
from tests.cluster.pods import Pods, wait
from tests.cluster.shell import NAMESPACE, RELEASE, kubectl
from tests.cluster.traffic import traffic
from tests.person import Person

RINGS, PASSWORDS = f"{RELEASE}-session-keys", f"{RELEASE}-credentials"
USER = "redis-sessions-password"
ACTIVE_WITHIN = 420  # five minutes until it signs, and what a mounted Secret takes to be seen


def test_a_rotation_signs_nobody_out(on_redis: Pods, measured: Callable[[object], None]) -> None:
    """And what it made is used: new sessions are signed with the new key, services show Redis the new password."""
    number = int(read(RINGS)["metadata"].get("annotations", {}).get("polysession/rotation", "0")) + 1
    rotated = ("--set", f"secrets.rotation={number}")
    rings, passwords = entries(RINGS), entries(PASSWORDS)
    person = Person(ORIGIN).sign_up().sign_in()
    former = signed_with(person)
    with traffic(ORIGIN, seed=21) as seen:
        time.sleep(5)
        measured(f"helm upgrade {release.upgrade(*rotated):.0f} s")
        took = wait(
            lambda: signs_otherwise(person, former), "the new key signs", seconds=ACTIVE_WITHIN, pause=10
        )
        time.sleep(10)
    measured(f"the new key signs {took:.0f} s later: {seen}")
    seen.assert_store_grade()
    assert person.current()["account"]["username"] == person.name  # of a token that the former key signed

    added = entries(RINGS).keys() - rings.keys()
    assert Counter(name.partition(".")[0] for name in added) == dict.fromkeys(
        ("mac", "pepper", "csrf", "seal"), 1
    )
    kept_all = all(entries(RINGS)[name] == value for name, value in rings.items())
    assert kept_all
    before, now = passwords[USER].decode(), entries(PASSWORDS)[USER].decode()
    is_new, is_mounted = now != before, store.mounted_password() == now
    assert is_new
    assert is_mounted
    assert store.accepts(now)
    assert store.accepts(before)  # until the next rotation
    assert not store.accepts("not " + now)

    result = digest()
    measured(f"the same number again: {release.upgrade(*rotated):.0f} s, and changes nothing")
    assert digest() == result
    on_redis.wait_ready(seconds=120)


def signed_with(person: Person) -> str:
    """The ID of the key of the ring ``mac``: docs/wire-format.md."""
    assert person.cookie is not None
    return person.cookie[1]


def signs_otherwise(person: Person, former: str) -> bool:
    """Every worker of every pod, as far as eight sessions show it."""
    return all(signed_with(person.elsewhere()) != former for _ in range(8))


def read(secret: str) -> dict[str, Any]:
    return dict(json.loads(kubectl("get", "secret", secret, "--namespace", NAMESPACE, "-o", "json")))


def entries(secret: str) -> dict[str, bytes]:
    return {name: base64.b64decode(value) for name, value in read(secret)["data"].items()}


def digest() -> dict[str, int]:
    """What both hold, without their contents: a failed comparison is printed."""
    return {
        f"{secret}:{name}": hash(value)
        for secret in (RINGS, PASSWORDS)
        for name, value in entries(secret).items()
    }

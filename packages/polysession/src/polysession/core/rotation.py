"""Rotation by age: pure functions. A new secret for the same session, without a moment at which a browser's
requests, sent in parallel or answered by nobody, lose it.

The record goes through three states, told apart by its header alone:

* *at rest*: ``secret_hash`` opens it. Once it is ``due``, the first request draws a nonce.
* *offered* (``nonce``, and ``previous_until`` 0): ``secret_hash`` still opens it, and each answer to it carries
  the successor, HMAC(pepper, secret and nonce): the same one for every request. ``previous_hash`` is the
  successor's. An answer that is lost costs nothing: the next one carries it again.
* *accepted*: at its first use the successor becomes ``secret_hash`` and the old one ``previous_hash``, which works
  until ``previous_until`` (requests that were under way) and never after it: then it is a copy (``STOLEN``).

The nonce stays after that: it proves that the present secret follows the previous one by age, and not by a
privilege change, whose old secret is never let in. (A flag would have to survive scripts of an earlier release.)
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from enum import Enum

from .codec import with_tail
from .errors import InvalidToken
from .record import Header, alter
from .store import Offer, Offered, Rotation
from .token import MAX_ROTATION_COUNT, Keys, Token, derive_secret, fits_any_pepper, hash_secret

NONCE_BYTES = 8
LOST_NONCE = b"\xff" * NONCE_BYTES  # of an offer that the ledger brought back: it derives nothing


class Standing(Enum):
    """What a genuine token (its MAC is ours) is to the record that it names."""

    CURRENT = "current"
    FIRST_USE = "first use"  # of the successor
    GRACE = "grace"  # the successor was used a moment ago; this request was under way
    LATE = "late"  # replaced a moment ago by a privilege change: refused, no alarm, the cookie is left alone
    AHEAD = "ahead"  # newer than the record: Redis lost a rotation. Refused as LATE is: no alarm, no cookie
    STOLEN = "stolen"  # an old secret after its grace: one of two that hold the session's tokens copied them
    FOREIGN = "foreign"  # not this session's, as far as anybody can tell

    @property
    def opens(self) -> bool:
        return self in (Standing.CURRENT, Standing.FIRST_USE, Standing.GRACE)

    @property
    def spares_cookie(self) -> bool:
        """The browser has, or may have, a newer token: it is neither set nor cleared."""
        return self in (Standing.LATE, Standing.AHEAD)


def judge(keys: Keys, token: Token, header: Header, *, now: int) -> Standing:
    """Compares in constant time. ``now``: the store's, in milliseconds."""
    try:
        given = hash_secret(keys, token.secret, header.pepper_id)
    except InvalidToken:
        return Standing.FOREIGN  # the pepper is gone: nobody can tell any more whose secret it is
    if hmac.compare_digest(given, header.secret_hash):
        return Standing.CURRENT
    replaced_now = now < header.previous_until
    # By any pepper: a privilege change may have moved to a newer one.
    if fits_any_pepper(keys, token.secret, header.previous_hash):
        if is_offered(header):
            return Standing.FIRST_USE
        if not _precedes(keys, token.secret, header):
            return Standing.LATE if replaced_now else Standing.FOREIGN
        return Standing.GRACE if replaced_now else Standing.STOLEN
    return _judge_count(token.rotation_count, header, replaced_now=replaced_now)


def _judge_count(count: int, header: Header, *, replaced_now: bool) -> Standing:
    """A secret that the record does not know (any more). The count is under the token's MAC."""
    if count > header.rotation_count:
        return Standing.AHEAD
    if count == header.rotation_count:
        return Standing.FOREIGN
    if replaced_now:
        return Standing.LATE
    # One behind may be a privilege change whose answer was lost, or a record that was restored. Two behind, or an
    # offer on top of it, is proof: meanwhile somebody used the token between.
    proof = is_offered(header) or count + 1 < header.rotation_count
    return Standing.STOLEN if proof else Standing.FOREIGN


def is_offered(header: Header) -> bool:
    """The successor is known and was not used yet."""
    return bool(header.nonce and header.previous_hash) and header.previous_until == 0


def is_due(header: Header, now: int, *, rotate_after: int) -> bool:
    """``rotate_after`` in milliseconds; 0: never. Counted from the start, or the end of the last grace.

    Signed-in sessions only: an anonymous one holds no identity, ends at sign-in, and a late answer with its
    successor must not overwrite the cookie of that sign-in.
    """
    if not rotate_after or not header.principal_key:
        return False
    return is_offered(header) or now >= max(header.created_at, header.previous_until) + rotate_after


def offer(keys: Keys, secret: str, header: Header, *, random: Callable[[int], bytes]) -> Offer:
    """What is offered to the holder of the current ``secret``: what stands, or else a new draw."""
    nonce = header.nonce if is_offered(header) else random(NONCE_BYTES)
    derived = derive_secret(keys, secret, header.pepper_id, nonce)
    # The same pepper: whoever meets the successor has only the record to tell by.
    return Offer(header.secret_hash, hash_secret(keys, derived, header.pepper_id), nonce, next_count(header))


def successor(keys: Keys, secret: str, header: Header, offered: Offered) -> str | None:
    """The secret that was offered to the holder of the current ``secret``. ``None``: it was derived from another
    one, or the nonce is not known any more (a record that was repaired after a failover).
    """
    derived = derive_secret(keys, secret, header.pepper_id, offered.nonce)
    given = hash_secret(keys, derived, header.pepper_id)
    return derived if hmac.compare_digest(given, offered.successor_hash) else None


def accept(header: Header, *, until: int) -> Rotation:
    """The successor becomes the secret. ``until``: so long the old one works."""
    return Rotation(
        expected_hash=header.secret_hash,
        secret_hash=header.previous_hash,
        pepper_id=header.pepper_id,
        rotation_count=next_count(header),
        previous_until=until,
        generation=header.generation,
    )


def rotated(header: Header, rotation: Rotation) -> Header:
    """The header after it."""
    return alter(
        with_tail(header, rotation.tail) if rotation.tail else header,
        secret_hash=rotation.secret_hash,
        pepper_id=rotation.pepper_id,
        rotation_count=rotation.rotation_count,
        previous_hash=rotation.expected_hash,
        previous_until=max(1, rotation.previous_until),  # 0 is an offer's
        generation=max(header.generation, rotation.generation),
    )


def repeated(header: Header, rotation: Rotation) -> Header:
    """The header after the ledger's rotation (``previous_until`` 0: long ago) of a record that may have lost it. By age,
    one count ahead, it becomes an offer: the browser may hold either secret. A privilege change replaces.
    """
    if rotation.rotation_count > header.rotation_count + 1:
        return rotated(header, rotation)
    if is_offered(header) and header.previous_hash == rotation.secret_hash:
        return header
    return alter(header, nonce=LOST_NONCE, previous_hash=rotation.secret_hash, previous_until=0)


def next_count(header: Header, *, step: int = 1) -> int:
    """By age 1, at a privilege change 2: it never shares a count, hence an event ID, with an offer that nobody
    used.
    """
    return min(header.rotation_count + step, MAX_ROTATION_COUNT)


def _precedes(keys: Keys, secret: str, header: Header) -> bool:
    """The record's secret is the successor by age of ``secret``."""
    if not header.nonce:
        return False
    derived = derive_secret(keys, secret, header.pepper_id, header.nonce)
    return hmac.compare_digest(hash_secret(keys, derived, header.pepper_id), header.secret_hash)

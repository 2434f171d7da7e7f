"""Who calls: a signed assertion between services, for one audience, one subject and 30 seconds.

A JWT (RFC 7519) signed with Ed25519 (RFC 8037). The verifier holds public keys only, so a stolen verifier can
sign nothing. The algorithm is pinned (RFC 8725 section 3.1). A key's ID is its file's name without ``.pem``;
the issuer is its part before the first dot, so ``flask-orders.2026.pem`` can follow ``flask-orders.pem``.
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from chassis.errors import InvalidAssertion, InvalidKey

LIFETIME = 30
LEEWAY = 2
ALGORITHM = "EdDSA"
_KEY_ID = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True)
class Claims:
    """What a verified assertion says. Times are Unix seconds."""

    issuer: str
    audience: str
    subject: str
    issued_at: int
    expires_at: int
    id: str


class Signer:
    """Signs assertions with one private key. Safe to share between threads."""

    def __init__(
        self, private_key_file: Path, issuer: str | None = None, *, clock: Callable[[], float] = time.time
    ) -> None:
        """Read the key. ``issuer`` is derived from the file's name; one that is given must agree with it."""
        self._key_id = private_key_file.stem
        self._issuer = issuer or issuer_of(self._key_id)
        self._clock = clock
        if self._issuer != issuer_of(self._key_id):
            raise InvalidKey(f"the key's ID, up to its first dot, is the issuer: name the file {issuer}.pem")
        try:
            key = load_pem_private_key(private_key_file.read_bytes(), password=None)
        except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise InvalidKey("the private key cannot be read: give an Ed25519 key as PEM") from error
        if not isinstance(key, Ed25519PrivateKey):
            raise InvalidKey("the assertion's private key is not Ed25519")
        self._key = key

    def sign(self, audience: str, subject: str) -> str:
        """Return an assertion that says to ``audience``: this service asks about ``subject``, for 30 s."""
        now = int(self._clock())
        claims = {
            "iss": self._issuer,
            "aud": audience,
            "sub": subject,
            "iat": now,
            "exp": now + LIFETIME,
            "jti": uuid.uuid4().hex,
        }
        return jwt.encode(claims, self._key, algorithm=ALGORITHM, headers={"kid": self._key_id})


class Verifier:
    """Verifies assertions for one audience. Safe to share between threads.

    A key's file is read again when its modification time or size changes, so keys are added, replaced and
    withdrawn without a restart.
    """

    def __init__(
        self, public_keys_dir: Path, audience: str, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._directory = public_keys_dir
        self._audience = audience
        self._clock = clock
        self._cache: dict[str, tuple[tuple[int, int], Ed25519PublicKey]] = {}

    def verify(self, token: str, subject: str) -> Claims:
        """Return the claims of an assertion about ``subject``, or raise InvalidAssertion."""
        try:
            key_id = jwt.get_unverified_header(token).get("kid")
            claims = jwt.decode(
                token,
                self._key(key_id),
                algorithms=[ALGORITHM],
                audience=self._audience,
                # Times are checked below, by the clock that was passed in.
                options={
                    "require": ["exp", "iat", "iss", "aud", "sub", "jti"],
                    "verify_exp": False,
                    "verify_iat": False,
                    "verify_nbf": False,
                    "strict_aud": True,
                },
            )
        except jwt.PyJWTError as error:
            raise InvalidAssertion(f"not a valid assertion: {type(error).__name__}") from error
        if claims["iss"] != issuer_of(str(key_id)):
            raise InvalidAssertion("the issuer does not own this key")
        if claims["sub"] != subject:
            raise InvalidAssertion("it is about somebody else")
        issued_at, expires_at = self._check_times(claims)
        return Claims(
            issuer=claims["iss"],
            audience=self._audience,
            subject=subject,
            issued_at=issued_at,
            expires_at=expires_at,
            id=str(claims["jti"]),
        )

    def _check_times(self, claims: dict[str, Any]) -> tuple[int, int]:
        issued_at, expires_at = claims["iat"], claims["exp"]
        # bool is an int: a claim of true must not pass as second 1.
        if type(issued_at) is not int or type(expires_at) is not int:
            raise InvalidAssertion("its times are not whole seconds")
        now = self._clock()
        if expires_at - issued_at > LIFETIME:
            raise InvalidAssertion("it lives longer than it may")
        if issued_at > now + LEEWAY:
            raise InvalidAssertion("it comes from the future")
        if expires_at <= now - LEEWAY:
            raise InvalidAssertion("it has expired")
        return issued_at, expires_at

    def _key(self, key_id: object) -> Ed25519PublicKey:
        # The ID comes from the caller and becomes a file name: nothing but the pattern may pass.
        if not isinstance(key_id, str) or _KEY_ID.fullmatch(key_id) is None:
            raise InvalidAssertion("no usable key ID")
        path = self._directory / f"{key_id}.pem"
        try:
            stat = path.stat()
            version = (stat.st_mtime_ns, stat.st_size)
            cached = self._cache.get(key_id)
            if cached is not None and cached[0] == version:
                return cached[1]
            key = load_pem_public_key(path.read_bytes())
        except FileNotFoundError as error:
            self._cache.pop(key_id, None)
            raise InvalidAssertion("unknown key") from error
        except (OSError, ValueError, UnsupportedAlgorithm) as error:
            raise InvalidAssertion("the caller's public key cannot be read") from error
        if not isinstance(key, Ed25519PublicKey):
            raise InvalidAssertion("the caller's public key is not Ed25519")
        self._cache[key_id] = (version, key)
        return key


def issuer_of(key_id: str) -> str:
    """Return the service that owns a key."""
    return key_id.partition(".")[0]

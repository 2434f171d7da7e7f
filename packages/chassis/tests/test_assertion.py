from pathlib import Path
from typing import Any

import jwt
import pytest
from chassis.assertion import Signer, Verifier
from chassis.errors import InvalidAssertion, InvalidKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

NOW = 1_800_000_000.0


class Clock:
    now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def make_pair(directory: Path, key_id: str) -> Path:
    """Write `private/<key_id>.pem` and `public/<key_id>.pem`; return the private one."""
    key = Ed25519PrivateKey.generate()
    (directory / "private").mkdir(exist_ok=True)
    (directory / "public").mkdir(exist_ok=True)
    private = directory / "private" / f"{key_id}.pem"
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (directory / "public" / f"{key_id}.pem").write_bytes(
        key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    return private


@pytest.fixture
def private(tmp_path: Path) -> Path:
    return make_pair(tmp_path, "flask-orders")


@pytest.fixture
def verifier(tmp_path: Path, private: Path, clock: Clock) -> Verifier:
    return Verifier(tmp_path / "public", "django-users", clock=clock)


def forge(private: Path, key_id: str = "flask-orders", **changes: Any) -> str:
    """An assertion signed with the right key whose claims are not what they should be; None removes one."""
    claims = {
        "iss": "flask-orders",
        "aud": "django-users",
        "sub": "u1",
        "iat": int(NOW),
        "exp": int(NOW) + 30,
        "jti": "1",
    } | changes
    return jwt.encode(
        {name: value for name, value in claims.items() if value is not None},
        private.read_bytes(),
        algorithm="EdDSA",
        headers={"kid": key_id},
    )


def test_an_assertion_proves_caller_audience_and_subject(
    private: Path, verifier: Verifier, clock: Clock
) -> None:
    claims = verifier.verify(Signer(private, clock=clock).sign("django-users", "u1"), "u1")
    assert (claims.issuer, claims.audience, claims.subject) == ("flask-orders", "django-users", "u1")
    assert claims.expires_at - claims.issued_at == 30


def test_it_is_refused_after_thirty_seconds_and_the_leeway(
    private: Path, verifier: Verifier, clock: Clock
) -> None:
    token = Signer(private, clock=clock).sign("django-users", "u1")
    clock.now = NOW + 31
    verifier.verify(token, "u1")
    clock.now = NOW + 32
    with pytest.raises(InvalidAssertion, match="expired"):
        verifier.verify(token, "u1")


@pytest.mark.parametrize(
    "changes",
    [
        {"sub": "u2"},
        {"aud": "someone-else"},
        {"aud": ["django-users", "someone-else"]},
        {"iss": "django-users"},
        {"exp": int(NOW) + 31},
        {"exp": True},
        {"iat": int(NOW) + 3, "exp": int(NOW) + 30},
        {"iat": int(NOW) - 3600, "exp": int(NOW) + 30},
        *({name: None} for name in ("iss", "aud", "sub", "iat", "exp", "jti")),
    ],
)
def test_a_claim_that_is_wrong_or_missing_is_refused(
    private: Path, verifier: Verifier, changes: dict[str, Any]
) -> None:
    with pytest.raises(InvalidAssertion):
        verifier.verify(forge(private, **changes), "u1")


def test_the_forger_of_these_tests_makes_good_assertions_when_nothing_is_changed(
    private: Path, verifier: Verifier
) -> None:
    assert verifier.verify(forge(private), "u1").subject == "u1"


def test_an_assertion_for_another_user_is_refused(private: Path, verifier: Verifier, clock: Clock) -> None:
    with pytest.raises(InvalidAssertion, match="somebody else"):
        verifier.verify(Signer(private, clock=clock).sign("django-users", "u1"), "u2")


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
def test_no_other_algorithm_is_accepted(tmp_path: Path, verifier: Verifier, algorithm: str) -> None:
    secret = "k" * 64 if algorithm == "HS256" else None
    claims = {"iss": "flask-orders", "aud": "django-users", "sub": "u1", "jti": "1"}
    claims |= {"iat": int(NOW), "exp": int(NOW) + 30}  # type: ignore[dict-item]
    token = jwt.encode(claims, secret, algorithm=algorithm, headers={"kid": "flask-orders"})  # type: ignore[arg-type]
    with pytest.raises(InvalidAssertion):
        verifier.verify(token, "u1")


@pytest.mark.parametrize("key_id", ["../private/flask-orders", "/etc/passwd", ".", "", "unknown", "a\x00b"])
def test_a_key_id_is_a_name_in_the_directory_and_nothing_else(
    private: Path, verifier: Verifier, key_id: str
) -> None:
    with pytest.raises(InvalidAssertion):
        verifier.verify(forge(private, key_id), "u1")


@pytest.mark.parametrize("token", ["", "a.b.c", "not a token", "x" * 5000])
def test_what_is_no_token_is_refused(verifier: Verifier, token: str) -> None:
    with pytest.raises(InvalidAssertion):
        verifier.verify(token, "u1")


def test_a_caller_cannot_speak_for_another_with_its_own_key(tmp_path: Path, verifier: Verifier) -> None:
    other = make_pair(tmp_path, "other")
    with pytest.raises(InvalidAssertion, match="issuer"):
        verifier.verify(forge(other, "other", iss="flask-orders"), "u1")


def test_a_new_key_of_a_caller_works_without_a_restart_and_a_withdrawn_one_does_not(
    tmp_path: Path, private: Path, verifier: Verifier, clock: Clock
) -> None:
    old = Signer(private, clock=clock).sign("django-users", "u1")
    verifier.verify(old, "u1")
    new = Signer(make_pair(tmp_path, "flask-orders.2026"), "flask-orders", clock=clock)
    assert verifier.verify(new.sign("django-users", "u1"), "u1").issuer == "flask-orders"
    (tmp_path / "public" / "flask-orders.pem").unlink()
    with pytest.raises(InvalidAssertion, match="unknown key"):
        verifier.verify(old, "u1")


def test_a_signer_without_a_usable_key_fails_at_start(tmp_path: Path, private: Path) -> None:
    (tmp_path / "bad.pem").write_text("no key")
    with pytest.raises(InvalidKey):
        Signer(tmp_path / "bad.pem")
    with pytest.raises(InvalidKey):
        Signer(tmp_path / "missing.pem")
    with pytest.raises(InvalidKey, match=r"name the file orders\.pem"):
        Signer(private, "orders")

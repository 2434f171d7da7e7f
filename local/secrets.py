"""Secrets of one machine, made once and kept 0600. None is in the checkout."""

import datetime
import ipaddress
import os
import secrets as random_source
import subprocess
from collections.abc import Callable
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from local.errors import StepFailed
from local.layout import HOST, Layout

CALLER = "flask-orders"
"""The key ID under which the orders service signs its assertions, and its name as their issuer."""


class Secrets:
    """Where each secret is. `make` creates what is missing and overwrites nothing."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        folder = layout.secrets
        self.session_keys = folder / "session-keys"
        self.django_secret_key = folder / "django-secret-key"
        self.assertion_private_key = folder / "assertion" / f"{CALLER}.pem"
        self.assertion_public_keys = folder / "assertion-public"
        self.certificate = folder / "edge.crt"
        self.certificate_key = folder / "edge.key"

    def database_password(self, service: str) -> Path:
        """The file with the password of a service's role."""
        return self._layout.secrets / f"database-password-{service}"

    def make(self) -> None:
        """Create what is missing. Two at a time is excluded by the lock that the caller holds."""
        _folder(self._layout.secrets)
        for service in ("users", "orders"):
            _keep(self.database_password(service), lambda: random_source.token_urlsafe(32).encode())
        _keep(self.django_secret_key, lambda: random_source.token_urlsafe(64).encode())
        self._make_assertion_keys()
        if self._layout.tls:
            self._make_certificate()
        self._make_session_keys()

    def _make_assertion_keys(self) -> None:
        _folder(self.assertion_private_key.parent)
        _folder(self.assertion_public_keys)
        _keep(self.assertion_private_key, lambda: _private_pem(ed25519.Ed25519PrivateKey.generate()))
        private = serialization.load_pem_private_key(self.assertion_private_key.read_bytes(), password=None)
        public = private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        _keep(self.assertion_public_keys / f"{CALLER}.pem", lambda: public)

    def _make_certificate(self) -> None:
        _keep(self.certificate_key, lambda: _private_pem(ec.generate_private_key(ec.SECP256R1())))
        key = serialization.load_pem_private_key(self.certificate_key.read_bytes(), password=None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise StepFailed(f"{self.certificate_key} is not the key that we made.", "Run `make reset`.")
        _keep(self.certificate, lambda: _self_signed(key))

    def _make_session_keys(self) -> None:
        command = [str(self._layout.python), "-m", "polysession", "keys", str(self.session_keys)]
        made = subprocess.run(
            command, capture_output=True, text=True, env=self._layout.environment(), check=False
        )
        if made.returncode:
            raise StepFailed(
                "The session keys could not be made.",
                "Run `local/install.sh`, then try again.",
                evidence=(made.stdout + made.stderr).splitlines()[-10:],
            )


def _folder(path: Path) -> None:
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.chmod(0o700)


def _keep(path: Path, make: Callable[[], bytes]) -> None:
    """Write a secret that is not there yet: whole or not at all, and never readable by others."""
    if path.exists():
        return
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(make())
    draft.rename(path)


def _private_pem(key: ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _self_signed(key: ec.EllipticCurvePrivateKey) -> bytes:
    """A certificate for the loopback, for a year: only a client that was told to will trust it."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Polysession on one machine")])
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.IPAddress(ipaddress.ip_address(HOST)), x509.DNSName("localhost")]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + datetime.timedelta(days=365))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM)

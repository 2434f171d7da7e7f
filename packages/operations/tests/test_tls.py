"""Whom the manager and the guard believe, on a redis-server that speaks TLS."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from operations.nodes import Access, Names, NodeError, Nodes, Resolve
from operations.observe import Observer

from .nodes_for_tests import _free_port

# What charts/polysession/values.yaml says of a certificate: one for all pods.
DOMAIN = "shop-redis-nodes.shop.svc.cluster.local"
POD = f"shop-redis-3.{DOMAIN}"
_NOT_USED = ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "crl_sign")
_USAGE = x509.KeyUsage(
    digital_signature=True,
    key_cert_sign=True,
    encipher_only=False,
    decipher_only=False,
    **dict.fromkeys(_NOT_USED, False),
)


@dataclass(frozen=True)
class Authority:
    """``certificate`` signed itself; a server shows it with ``key``, and who trusts it has it as a file."""

    certificate: Path
    key: Path


def make_authority(folder: Path, name: str) -> Authority:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tests")])
    now, public = datetime.now(UTC), key.public_key()
    certificate = (
        x509.CertificateBuilder(subject, subject, public, x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_USAGE, critical=True)  # Python 3.13 asks for it
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    folder.mkdir()
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "tls.crt").write_bytes(certificate.public_bytes(pem))
    (folder / "tls.key").write_bytes(private)
    return Authority(folder / "tls.crt", folder / "tls.key")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("tls") / "ours", f"*.{DOMAIN}")


@pytest.fixture(scope="module")
def address(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Of a server with TLS only."""
    folder, port = tmp_path_factory.mktemp("redis"), _free_port()
    options = {
        "port": "0",
        "tls-port": str(port),
        "tls-cert-file": str(authority.certificate),
        "tls-key-file": str(authority.key),
        "tls-ca-cert-file": str(authority.certificate),
        "tls-auth-clients": "no",
        "bind": "127.0.0.1",
        "cluster-enabled": "yes",
        "dir": str(folder),
        "save": "",
    }
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(["redis-server", *words], stdout=log, stderr=log)
    try:
        wait_until_ready(folder / "log", server)
        yield f"127.0.0.1:{port}"
    finally:
        server.kill()
        server.wait()


def wait_until_ready(log: Path, server: subprocess.Popen[bytes], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while "Ready to accept connections" not in log.read_text():
        assert server.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)


def nodes_of(authority: Authority) -> Nodes:
    return Nodes(Access(tls_ca_file=authority.certificate))


def leads_to(address: str) -> Resolve:
    return lambda host, port: address


def test_an_observer_asks_a_pod_whose_certificate_has_its_name(address: str, authority: Authority):
    nodes = nodes_of(authority)
    observer = Observer(nodes, Names(f"shop-redis-{{ordinal}}.{DOMAIN}:6379"), leads_to(address))
    observed = observer.look(1)
    assert (observer.reasons, [member.address for member in observed.members]) == ({}, [address])
    assert nodes.ask(address, "PING") == "PONG"
    nodes.close()


def test_an_observer_asks_no_pod_whose_certificate_has_another_name(address: str, authority: Authority):
    nodes = nodes_of(authority)
    other = Names("shop-redis-{ordinal}.other-redis-nodes.shop.svc.cluster.local:6379")
    observer = Observer(nodes, other, leads_to(address))
    assert observer.look(1).silent == {0}
    assert re.search(r"CLUSTER NODES at .*[Hh]ostname mismatch", observer.reasons[0])
    nodes.close()


def test_an_address_that_no_name_led_to_is_refused(address: str, authority: Authority):
    nodes = nodes_of(authority)
    with pytest.raises(NodeError, match="cannot be verified"):
        nodes.ask(address, "PING")
    nodes.remember(leads_to(address))(POD, 6379)
    assert nodes.ask(address, "PING") == "PONG"
    nodes.close()
    with pytest.raises(NodeError, match="cannot be verified"):
        nodes.ask(address, "PING")


def test_an_authority_that_the_system_trusts_is_none_of_ours(
    address: str, authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.certificate))
    other = make_authority(tmp_path / "other", f"*.{DOMAIN}")
    nodes = nodes_of(other)
    nodes.remember(leads_to(address))(POD, 6379)
    with pytest.raises(NodeError, match="certificate verify failed"):
        nodes.ask(address, "PING")

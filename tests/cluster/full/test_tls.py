"""Redis speaks TLS: to the services, to its replicas, on its bus."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.cluster import kind, release
from tests.cluster.certificates import make_certificates
from tests.cluster.landing.test_2_helm_test import test_helm_test_passes
from tests.cluster.landing.test_4_restarts import test_no_session_is_lost_while_redis_restarts
from tests.cluster.pods import REDIS, Pods
from tests.cluster.shell import NAMESPACE, kubectl

__all__ = ["test_helm_test_passes", "test_no_session_is_lost_while_redis_restarts"]

SECRET = "redis-tls"
DOMAIN = f"{NAMESPACE}.svc.cluster.local"
NAMES = (f"{REDIS}.{DOMAIN}", f"*.{REDIS}-nodes.{DOMAIN}")
VALUES = (
    *("--set", "global.redis.tls.enabled=true"),
    *("--set", f"global.redis.tls.existingSecret={SECRET}"),
)

pytestmark = pytest.mark.usefixtures("on_tls")


@pytest.fixture(scope="module")
def on_tls(pods: Pods) -> Iterator[None]:
    kind.make_namespace()
    meta = {"name": SECRET, "namespace": NAMESPACE}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "stringData": make_certificates(NAMES)}
    kubectl("apply", "-f", "-", text=json.dumps(secret))
    try:
        release.renew(*VALUES)
        pods.wait_ready(seconds=180)
        yield
    finally:
        release.uninstall()
        kubectl("delete", "secret", SECRET, "--namespace", NAMESPACE)


def test_nobody_reaches_redis_without_tls() -> None:
    assert "NOAUTH" in said("--tls", "--cacert", "/etc/redis-tls/ca.crt")
    assert "NOAUTH" not in said()


def said(*words: str) -> str:
    """To a PING from a pod of another node of the cluster, by name."""
    shell = ("exec", f"{REDIS}-0", "--namespace", NAMESPACE, "-c", "redis", "--", "timeout", "5")
    host = ("redis-cli", "-h", f"{REDIS}-1.{REDIS}-nodes.{DOMAIN}")
    return kubectl(*shell, *host, *words, "ping", check=False)

"""A Redis Cluster and a PostgreSQL of somebody else, in another namespace."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml

from tests.cluster import kind, release
from tests.cluster.kind import ORIGIN
from tests.cluster.landing.test_2_helm_test import test_helm_test_passes
from tests.cluster.pods import Pods
from tests.cluster.shell import NAMESPACE, RELEASE, ROOT, kubectl
from tests.cluster.traffic import traffic

__all__ = ["test_helm_test_passes"]

DATA = "data"
HOST = f"postgres.{DATA}.svc.cluster.local"
NODES = [f"redis-{ordinal}.redis.{DATA}.svc.cluster.local" for ordinal in range(6)]
VALUES: dict[str, Any] = {
    "global": {
        "redis": {"nodes": [f"{node}:6379" for node in NODES[:3]], "username": ""},
        "networkPolicy": {
            "egress": [
                {
                    "to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": DATA}}}],
                    "ports": [{"protocol": "TCP", "port": port} for port in (5432, 6379)],
                }
            ]
        },
    },
    "redis": {"enabled": False},
    "postgres": {"enabled": False},
    "users": {"database": {"host": HOST}},
    "orders": {"database": {"host": HOST}},
}

pytestmark = pytest.mark.usefixtures("on_stores_of_others")


@pytest.fixture(scope="module")
def on_stores_of_others(on_redis: Pods, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """In place of a release with its own, whose passwords for the databases are used again."""
    kind.make_namespace(DATA)
    try:
        kubectl("apply", "-f", "-", text=json.dumps(passwords()))
        kubectl("apply", "-f", str(ROOT / "tests/cluster/full/data.yaml"))
        space = ("--namespace", DATA, "--timeout", "180s")
        kubectl("rollout", "status", "statefulset/redis", *space)
        kubectl("rollout", "status", "deployment/postgres", *space)
        form_cluster()
        file = tmp_path_factory.mktemp("external") / "values.yaml"
        file.write_text(yaml.safe_dump(VALUES))
        release.renew("--values", str(file))
        yield
    finally:
        release.uninstall()
        kubectl("delete", "namespace", DATA, "--wait", "--timeout", "120s")


def passwords() -> dict[str, Any]:
    """The Secret of the other PostgreSQL."""
    words = ("get", "secret", f"{RELEASE}-credentials", "--namespace", NAMESPACE, "-o", "json")
    ours = json.loads(kubectl(*words))["data"]
    entries = {name: ours[f"{name}-database-password"] for name in ("users", "orders")}
    data = {**entries, "postgres": ours["postgres-password"]}
    meta = {"name": "databases", "namespace": DATA}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "data": data}


def form_cluster() -> None:
    addresses = kubectl(
        *("get", "pods", "--namespace", DATA, "--selector", "app=redis"),
        *("-o", "jsonpath={range .items[*]}{.status.podIP}:6379 {end}"),
    ).split()
    words = ("exec", "redis-0", "--namespace", DATA, "--", "redis-cli", "--cluster", "create")
    kubectl(*words, *addresses, "--cluster-replicas", "1", "--cluster-yes")


def test_the_release_has_neither_store_and_serves(pods: Pods, measured: Callable[[object], None]) -> None:
    names = {pod.metadata.name.removeprefix(f"{RELEASE}-") for pod in pods.all()}
    assert not {name for name in names if name.startswith(("redis", "postgres"))}
    with traffic(ORIGIN, seed=26) as seen:
        time.sleep(30)
    measured(f"{len(names)} pods: {seen}")
    seen.assert_strict()

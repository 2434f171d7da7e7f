"""What runs in the namespace, by the Kubernetes API."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from kubernetes import client, config  # type: ignore[import-untyped]

from tests.cluster.shell import CONTEXT, KUBECONFIG, NAMESPACE, RELEASE

REDIS = f"{RELEASE}-redis"


class Pods:
    """One namespace of our cluster, and of no other."""

    def __init__(self, namespace: str = NAMESPACE) -> None:
        loaded = config.new_client_from_config(config_file=str(KUBECONFIG), context=CONTEXT)
        self.namespace = namespace
        self.core = client.CoreV1Api(loaded)
        self.apps = client.AppsV1Api(loaded)

    def all(self, name: str | None = None) -> list[Any]:
        """That are not on their way out; ``name``: the chart's."""
        selector = f"app.kubernetes.io/name={name}" if name else ""
        found = self.core.list_namespaced_pod(self.namespace, label_selector=selector).items
        return [pod for pod in found if pod.metadata.deletion_timestamp is None]

    def redis(self) -> list[Any]:
        """By ordinal."""
        found = [pod for pod in self.all() if pod.metadata.name.rpartition("-")[0] == REDIS]
        return sorted(found, key=lambda pod: int(pod.metadata.name.rpartition("-")[2]))

    def redis_volumes(self) -> set[str]:
        """Claims of Redis pods, also of such as are gone; but not what is on its way out."""
        selector = "app.kubernetes.io/name=redis-cluster"
        found: list[Any] = self.core.list_namespaced_persistent_volume_claim(
            self.namespace, label_selector=selector
        ).items
        return {one.metadata.name for one in found if one.metadata.deletion_timestamp is None}

    def unready(self) -> list[str]:
        """Of what should serve, which a set owns: others end."""
        return [
            pod.metadata.name
            for pod in self.all()
            if any(one.kind in ("ReplicaSet", "StatefulSet") for one in pod.metadata.owner_references or [])
            and not any(one.type == "Ready" and one.status == "True" for one in pod.status.conditions or [])
        ]

    def wait_ready(self, *, seconds: float) -> float:
        """Until every pod that should be there is there and Ready. Returns the seconds that it took."""
        return wait(lambda: not self._missing() and not self.unready(), "all pods are Ready", seconds=seconds)

    def _missing(self) -> bool:
        sets = self.apps.list_namespaced_stateful_set(self.namespace).items
        deployments = self.apps.list_namespaced_deployment(self.namespace).items
        return any(
            (one.status.ready_replicas or 0) < (one.spec.replicas or 0) for one in (*sets, *deployments)
        )

    def restart(self, kind: str, name: str) -> None:
        """As ``kubectl rollout restart``."""
        stamp = {"kubectl.kubernetes.io/restartedAt": datetime.now(UTC).isoformat()}
        patch = {"spec": {"template": {"metadata": {"annotations": stamp}}}}
        change = {
            "deployment": self.apps.patch_namespaced_deployment,
            "statefulset": self.apps.patch_namespaced_stateful_set,
        }[kind]
        change(name, self.namespace, patch)

    def wait_rolled(self, kind: str, name: str, *, seconds: float) -> float:
        """Until every pod is of the newest template, and Ready, and no other is left."""
        read = {
            "deployment": self.apps.read_namespaced_deployment,
            "statefulset": self.apps.read_namespaced_stateful_set,
        }[kind]

        def rolled() -> bool:
            found = read(name, self.namespace)
            status, wanted = found.status, found.spec.replicas
            return bool(
                status.observed_generation == found.metadata.generation
                and status.updated_replicas == wanted
                and status.ready_replicas == wanted
                and (status.replicas or 0) == wanted
                and getattr(status, "current_revision", None) == getattr(status, "update_revision", None)
            )

        return wait(rolled, f"{kind} {name} has rolled", seconds=seconds)

    def delete(self, names: list[str]) -> None:
        for name in names:
            self.core.delete_namespaced_pod(name, self.namespace)


def wait(done: Callable[[], bool], what: str, *, seconds: float, pause: float = 0.5) -> float:
    """Raises AssertionError when it is not so in time. Returns the seconds that it took."""
    started = time.monotonic()
    while not done():
        assert time.monotonic() - started < seconds, f"not within {seconds:.0f} s: {what}"
        time.sleep(pause)
    return time.monotonic() - started

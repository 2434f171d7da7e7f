"""The cluster: one control plane, two workers, one port on 127.0.0.1, and a class of volumes that every node has."""

from __future__ import annotations

import json
import os

import yaml

from tests.cluster.shell import (
    KUBECONFIG,
    NAME,
    NAMESPACE,
    NODES,
    ROOT,
    STATE,
    documents,
    helm,
    kubectl,
    run,
)

PORT, NODE_PORT = 8480, 30400
ORIGIN = f"http://127.0.0.1:{PORT}"
_RESTRICTED = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn", "audit")}


def exists() -> bool:
    return NAME in run("kind", "get", "clusters").split()


def create() -> None:
    """With a kubeconfig file of its own: the user's current context stays what it is."""
    shared = STATE / "shared"
    shared.mkdir(parents=True, exist_ok=True)
    shared.chmod(0o777)
    mounts = [{"hostPath": str(shared), "containerPath": "/var/shared"}]
    port = {"containerPort": NODE_PORT, "hostPort": PORT, "listenAddress": "127.0.0.1"}
    config = {
        "kind": "Cluster",
        "apiVersion": "kind.x-k8s.io/v1alpha4",
        "nodes": [
            {"role": "control-plane", "extraMounts": mounts, "extraPortMappings": [port]},
            *({"role": "worker", "extraMounts": mounts} for _ in NODES),
        ],
    }
    words = ["kind", "create", "cluster", "--name", NAME, "--kubeconfig", str(KUBECONFIG)]
    if image := os.environ.get("KIND_NODE_IMAGE"):
        words += ["--image", image]
    run(*words, "--wait", "180s", "--config", "-", text=yaml.safe_dump(config))
    _add_shared_class()


def _add_shared_class() -> None:
    """Volumes of ``standard`` are bound to the node that made them: a pod that is drained could not follow."""
    paths = {"node": "DEFAULT_PATH_FOR_NON_LISTED_NODES", "paths": ["/var/local-path-provisioner"]}
    classes = {"standard": {"nodePathMap": [paths]}, "shared": {"sharedFileSystemPath": "/var/shared"}}
    data = {"data": {"config.json": json.dumps({"storageClassConfigs": classes})}}
    space = ("--namespace", "local-path-storage")
    kubectl(*space, "patch", "configmap", "local-path-config", "--patch", json.dumps(data))
    kubectl(*space, "rollout", "restart", "deployment/local-path-provisioner")
    kubectl("apply", "-f", "-", text=(ROOT / "tests/cluster/shared.yaml").read_text())
    kubectl(*space, "rollout", "status", "deployment/local-path-provisioner", "--timeout", "120s")


def delete() -> None:
    run("kind", "delete", "cluster", "--name", NAME, "--kubeconfig", str(KUBECONFIG))


def make_namespace(name: str = NAMESPACE) -> None:
    """It admits nothing but what Pod Security's ``restricted`` allows."""
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": _RESTRICTED}}
    kubectl("apply", "-f", "-", text=yaml.safe_dump(space))


# --- Images


def build_images() -> None:
    run("docker", "buildx", "bake", "--progress", "quiet", seconds=1800)


def load_images(chart: str, *values: str) -> tuple[str, ...]:
    """Those of the chart that this machine has, ours among them; the workers pull the others. One call: one archive."""
    return _load(wanted(chart, *values))


def load_missing_images(chart: str, *values: str) -> tuple[str, ...]:
    """The same, without what a worker has by that name."""
    return _load(wanted(chart, *values) - loaded())


def wanted(chart: str, *values: str) -> set[str]:
    """Images of the chart. Helm 3 asks no cluster here, and takes Kubernetes for older than the charts do."""
    return images_of(helm("template", NAME, chart, *values, "--kube-version", "1.31.0"))


def _load(wanted: set[str]) -> tuple[str, ...]:
    here = tuple(one for one in sorted(wanted) if run("docker", "image", "ls", "-q", one).strip())
    if here:
        run("kind", "load", "docker-image", *here, "--name", NAME, "--nodes", ",".join(NODES), seconds=1800)
    return here


def loaded() -> set[str]:
    """By every worker, under the names that charts use."""
    lists = [
        run("docker", "exec", node, "ctr", "-n", "k8s.io", "images", "ls", "-q").split() for node in NODES
    ]
    names = set.intersection(*(set(one) for one in lists))
    return {name.removeprefix("docker.io/").removeprefix("library/") for name in names}


def images_of(manifest: str) -> set[str]:
    """Of every container in a manifest."""
    found: set[str] = set()

    def look(value: object) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                if key == "image" and isinstance(inner, str):
                    found.add(inner)
                look(inner)
        elif isinstance(value, list):
            for inner in value:
                look(inner)

    for document in documents(manifest):
        look(document)
    return found


def retag(image: str, tag: str) -> None:
    """Another name for an image that the workers have, as a release of it would be."""
    repository, _, _ = image.rpartition(":")
    prefix = "docker.io/" if "/" in repository else "docker.io/library/"
    for node in NODES:
        names = (f"{prefix}{image}", f"{prefix}{repository}:{tag}")
        run("docker", "exec", node, "ctr", "-n", "k8s.io", "images", "tag", "--force", *names)


def revision_of_redis() -> str:
    """Another one: its pods were rolled, or are about to be."""
    path = "-o=jsonpath={.items[*].status.updateRevision}"
    chosen = ("--selector", "app.kubernetes.io/name=redis-cluster")
    return kubectl("--namespace", NAMESPACE, "get", "statefulset", *chosen, path)

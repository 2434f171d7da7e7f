"""What a cluster looked like when something failed, in a folder."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from tests.cluster.shell import NAMESPACE, RELEASE, STATE, CommandFailed, kubectl


def collect(step: str) -> Path:
    """Never fails: what cannot be had is left out."""
    folder = STATE / "evidence" / step
    shutil.rmtree(folder, ignore_errors=True)  # of an earlier run
    folder.mkdir(parents=True)
    space = ("--namespace", NAMESPACE)
    for name, words in {
        "pods.txt": ("get", "pods,jobs,pvc,services,endpointslices", "-o", "wide", *space),
        "describe.txt": ("describe", "pods,statefulsets,deployments,jobs", *space),
        "events.txt": ("get", "events", "--sort-by", ".lastTimestamp", *space),
        "nodes.txt": ("describe", "nodes"),
    }.items():
        _write(folder / name, *words)
    for pod in _pods():
        for container in pod["spec"]["containers"]:
            name = f"{pod['metadata']['name']}.{container['name']}"
            words = ("logs", pod["metadata"]["name"], "-c", container["name"], "--tail", "2000", *space)
            _write(folder / f"{name}.log", *words)
            _write(folder / f"{name}.previous.log", *words, "--previous")
    _write(
        folder / "cluster-nodes.txt", *space, "logs", f"deployment/{RELEASE}-redis-manager", "--tail", "50"
    )
    for pod in _pods():
        if pod["metadata"]["labels"].get("app.kubernetes.io/name") == "redis-cluster":
            name = pod["metadata"]["name"]
            _write(
                folder / f"cluster-nodes.{name}.txt", *space, "exec", name, "--", "cat", "/data/nodes.conf"
            )
    return folder


def _pods() -> list[dict]:  # type: ignore[type-arg]
    try:
        found: list[dict] = json.loads(kubectl("get", "pods", "-o", "json", "--namespace", NAMESPACE))[
            "items"
        ]  # type: ignore[type-arg]
    except (CommandFailed, ValueError):
        return []
    return found


def _write(file: Path, *words: str) -> None:
    said = kubectl(*words, check=False)
    if said:
        file.write_text(said)

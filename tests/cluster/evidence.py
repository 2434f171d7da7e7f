"""What a cluster looked like when something failed, in a folder."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from tests.cluster.shell import NAMESPACE, STATE, CommandFailed, kubectl

RESTRICTED = "pod-security.kubernetes.io/enforce=restricted"


def collect(step: str) -> Path:
    """Of every namespace that the tests made. Never fails: what cannot be had is left out."""
    folder = STATE / "evidence" / step
    shutil.rmtree(folder, ignore_errors=True)  # of an earlier run
    folder.mkdir(parents=True)
    _write(folder / "nodes.txt", "describe", "nodes")
    for space in _spaces():
        _look(folder if space == NAMESPACE else folder / space, "--namespace", space)
    return folder


def _look(folder: Path, *space: str) -> None:
    folder.mkdir(exist_ok=True)
    for name, words in {
        "pods.txt": ("get", "pods,jobs,pvc,services,endpointslices", "-o", "wide"),
        "describe.txt": ("describe", "pods,statefulsets,deployments,jobs"),
        "events.txt": ("get", "events", "--sort-by", ".lastTimestamp"),
    }.items():
        _write(folder / name, *words, *space)
    for pod in _items("pods", *space):
        name = pod["metadata"]["name"]
        for container in pod["spec"]["containers"]:
            words = ("logs", name, "-c", container["name"], "--tail", "2000", *space)
            _write(folder / f"{name}.{container['name']}.log", *words)
            _write(folder / f"{name}.{container['name']}.previous.log", *words, "--previous")
        if pod["metadata"]["labels"].get("app.kubernetes.io/component") == "redis":
            words = ("exec", name, "-c", "redis", *space, "--", "cat", "/data/nodes.conf")
            _write(folder / f"cluster-nodes.{name}.txt", *words)


def _spaces() -> list[str]:
    return [one["metadata"]["name"] for one in _items("namespaces", "--selector", RESTRICTED)]


def _items(kind: str, *words: str) -> list[dict[str, Any]]:
    try:
        return list(json.loads(kubectl("get", kind, "-o", "json", *words))["items"])
    except (CommandFailed, ValueError):
        return []


def _write(file: Path, *words: str) -> None:
    said = kubectl(*words, check=False)
    if said:
        file.write_text(said)

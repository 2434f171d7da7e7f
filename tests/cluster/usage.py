"""Memory and CPU of the containers, as the kubelets measure them."""

from __future__ import annotations

import json

from tests.cluster.shell import NAMESPACE, NODES, RELEASE, kubectl

MIB = 1 << 20


def usage() -> dict[str, tuple[float, float]]:
    """By pod, without the release's name: working set in MiB, CPU in thousandths of a core."""
    found: dict[str, tuple[float, float]] = {}
    for node in NODES:
        summary = json.loads(kubectl("get", "--raw", f"/api/v1/nodes/{node}/proxy/stats/summary"))
        for pod in summary["pods"]:
            if pod["podRef"]["namespace"] == NAMESPACE:
                memory = pod.get("memory", {}).get("workingSetBytes", 0) / MIB
                cpu = pod.get("cpu", {}).get("usageNanoCores", 0) / 1e6
                found[pod["podRef"]["name"].removeprefix(f"{RELEASE}-")] = (memory, cpu)
    return found


def table(found: dict[str, tuple[float, float]]) -> str:
    """A component a line: pods, the largest working set, CPU of all."""
    by_component: dict[str, list[tuple[float, float]]] = {}
    for name, one in sorted(found.items()):
        component = (
            name.rsplit("-", 1)[0] if name.startswith(("redis-", "postgres-")) else name.split("-", 1)[0]
        )
        component = {"redis-exporter": "redis-exporter", "redis-manager": "redis-manager"}.get(
            "-".join(name.split("-")[:2]), component
        )
        by_component.setdefault(component, []).append(one)
    lines = [
        f"{component}: {len(pods)} x {max(memory for memory, _ in pods):.0f} MiB, {sum(cpu for _, cpu in pods):.0f} m"
        for component, pods in by_component.items()
    ]
    memory, cpu = (sum(one[index] for one in found.values()) for index in (0, 1))
    return "; ".join([*lines, f"all: {memory:.0f} MiB, {cpu:.0f} m"])

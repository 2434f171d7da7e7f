"""Step 8: what an uninstall leaves is what a reinstall needs, and nothing else."""

from __future__ import annotations

from collections.abc import Callable

from tests.cluster import release
from tests.cluster.pods import Pods, wait
from tests.cluster.shell import NAMESPACE, RELEASE, kubectl

# Of every namespace, and what is a record of what was.
NOT_OURS = ("configmap/kube-root-ca.crt", "serviceaccount/default", "event", "endpoints", "lease")


def left() -> set[str]:
    kinds = kubectl("api-resources", "--verbs=list", "--namespaced", "-o", "name").split()
    words = ("get", ",".join(kinds), "--namespace", NAMESPACE, "-o", "name", "--ignore-not-found")
    found = {line.replace(".v1/", "/") for line in kubectl(*words).split()}
    return {one for one in found if not one.startswith(NOT_OURS)}


def test_volumes_and_secrets_stay_and_nothing_else(pods: Pods, measured: Callable[[object], None]) -> None:
    release.uninstall()
    wait(lambda: not pods.core.list_namespaced_pod(pods.namespace).items, "the last pod has gone", seconds=60)
    found = left()
    measured(f"left: {', '.join(sorted(found))}")
    assert {one for one in found if not one.startswith("persistentvolumeclaim/")} == {
        f"secret/{RELEASE}-session-keys",
        f"secret/{RELEASE}-credentials",
    }
    assert len(found) > 2

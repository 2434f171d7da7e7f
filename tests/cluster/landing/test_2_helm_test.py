"""Step 2: sign in, order, sign out everywhere; by Helm's own means, from inside the cluster."""

from __future__ import annotations

from tests.cluster.shell import RELEASE, helm


def test_helm_test_passes() -> None:
    """Helm prints what the pod said; Helm 3's ``--logs`` would ask for it when the pod has gone."""
    helm("test", RELEASE, "--timeout", "120s")

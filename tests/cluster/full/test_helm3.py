"""Helm 3 installs, tests, upgrades and rolls back what Helm 4 does."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster import release
from tests.cluster.full.modules import HELM_3, build
from tests.cluster.landing.test_2_helm_test import test_helm_test_passes
from tests.cluster.landing.test_7_upgrade import test_upgrade_and_rollback_under_traffic
from tests.cluster.pods import Pods
from tests.cluster.shell import helm

__all__ = ["test_helm_test_passes", "test_upgrade_and_rollback_under_traffic"]

pytestmark = pytest.mark.usefixtures("installed_by_helm_3")


@pytest.fixture(scope="module")
def installed_by_helm_3(pods: Pods, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """First on the PATH while the module runs."""
    folder: Path = tmp_path_factory.mktemp("helm3")
    build(HELM_3, folder)
    release.uninstall()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", str(folder), prepend=os.pathsep)
        assert helm("version", "--short").startswith("v3.")
        release.renew()
        pods.wait_ready(seconds=180)
        yield
        release.uninstall()

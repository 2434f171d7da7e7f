"""Before a chart release: what takes longer than a landing has, 75 minutes at most. Each module installs what it needs."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Any

import pytest

from tests.cluster import release
from tests.cluster.full.modules import definitions
from tests.cluster.limit import Limit
from tests.cluster.pods import Pods
from tests.cluster.shell import kubectl

_limit = Limit(minutes=75)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, Any, Any]:
    return (yield from _limit.hold(item))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    return (yield from _limit.hold(item))


@pytest.fixture(scope="module")
def on_redis(pods: Pods) -> Pods:
    """The platform of ``ci/kind-values.yaml``, Ready."""
    return _installed(pods)


@pytest.fixture(scope="module")
def on_valkey(pods: Pods) -> Pods:
    """The same with ``engine: valkey``."""
    return _installed(pods, *release.VALKEY)


@pytest.fixture(scope="module")
def defined(our_cluster: None) -> Iterator[None]:
    """Kinds of the Prometheus operator and of Gateways; nobody acts on them."""
    files = [word for file in definitions() for word in ("-f", str(file))]
    kubectl("apply", "--server-side", *files)
    kubectl("wait", "--for=condition=Established", *files, "--timeout", "60s")
    yield
    kubectl("delete", *files, "--timeout", "60s")


def _installed(pods: Pods, *values: str) -> Pods:
    """Anew, unless nobody has upgraded what is there."""
    if not release.is_as_installed(*values):
        release.renew(*values)
    pods.wait_ready(seconds=180)
    return pods

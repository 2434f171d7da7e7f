"""A Service of the release on a port of 127.0.0.1: through the kubelet, so no network policy needs a hole for tests."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from tests.cluster.shell import CONTEXT, KUBECONFIG, NAMESPACE, RELEASE


class NoForward(AssertionError):
    """No pod of the Service takes a connection now."""


@contextmanager
def forwarded(
    service: str, port: int, *, release: str = RELEASE, local: int | None = None
) -> Iterator[httpx.Client]:
    """A client of ``<release>-<service>``, while the block runs; ``local``: on that port. Raises ``NoForward``."""
    words = ["--namespace", NAMESPACE, "port-forward", "--address", "127.0.0.1"]
    process = subprocess.Popen(
        ["kubectl", "--context", CONTEXT, *words, f"service/{release}-{service}", f"{local or ''}:{port}"],
        env={**os.environ, "KUBECONFIG": str(KUBECONFIG)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert process.stdout is not None
        said = process.stdout.readline()
        found = re.search(r"127\.0\.0\.1:(\d+) ->", said)
        if found is None:
            raise NoForward(f"kubectl port-forward to {service} said: {said}")
        with httpx.Client(base_url=f"http://127.0.0.1:{found[1]}", timeout=20, trust_env=False) as client:
            yield client
    finally:
        process.terminate()
        process.wait(10)
        if process.stdout is not None:
            process.stdout.close()

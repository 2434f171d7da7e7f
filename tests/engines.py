"""The store on other engines than Debian's Redis 7: its contract and `WAIT`, on six nodes in containers.

`python -m tests.engines`; with POLYSESSION_FULL=1 every test of the store that needs no other server.
Needs a Docker engine; the containers use this machine's own network, on loopback, and are removed at the end.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

LIBRARY = Path(__file__).resolve().parent.parent / "packages" / "polysession"
IMAGES = ("redis:8.0", "valkey/valkey:9.1")
CONTRACT = (
    "tests/stores/test_redis.py::TestRedisStore",
    "tests/stores/test_asynchronous.py::TestAsyncRedisStore",
    "tests/stores/test_confirmation.py",
)
EVERYTHING = tuple(
    f"tests/stores/test_{name}.py"
    for name in (
        "redis",
        "asynchronous",
        "confirmation",
        "failures",
        "rotation",
        "full_memory",
        "increments",
        "breaker",
    )
)


def missing() -> str | None:
    """Why there is nothing to run on; `None`: a Docker engine is up."""
    try:
        done = subprocess.run(["docker", "info"], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired) as fault:
        return f"no Docker engine is up ({type(fault).__name__})"
    return None if done.returncode == 0 else "no Docker engine is up (`docker info`)"


def main() -> int:
    if reason := missing():
        print(f"skipped: {reason}")
        return 2
    failed = 0
    for image in IMAGES:
        began, code = (
            time.monotonic(),
            run(image, EVERYTHING if os.environ.get("POLYSESSION_FULL") else CONTRACT),
        )
        print(
            f"{image}: {'passed' if code == 0 else 'FAILED'} in {time.monotonic() - began:.0f} s", flush=True
        )
        failed += code != 0
    return 1 if failed else 0


def run(image: str, tests: Sequence[str]) -> int:
    token = secrets.token_hex(4)
    environment = {**os.environ, "TEST_ENGINE_IMAGE": image, "TEST_ENGINE_RUN": token}
    # Pulled here, where the time that it takes is nobody's deadline.
    found = subprocess.run(["docker", "image", "inspect", image], capture_output=True, check=False)
    if found.returncode and subprocess.run(["docker", "pull", "--quiet", image], check=False).returncode:
        return 1
    try:
        command = (sys.executable, "-m", "pytest", *tests)
        return subprocess.run(command, cwd=LIBRARY, env=environment, check=False).returncode
    finally:
        remove(token)


def remove(token: str) -> None:
    """What an interrupted run left; a whole one has removed its containers itself."""
    label = f"label=polysession-engine={token}"
    listed = subprocess.run(
        ["docker", "ps", "--all", "--quiet", "--filter", label], capture_output=True, text=True, check=False
    )
    if left := listed.stdout.split():
        subprocess.run(["docker", "rm", "--force", *left], capture_output=True, check=False)


if __name__ == "__main__":
    sys.exit(main())

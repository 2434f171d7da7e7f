"""`engine` changed on a volume that holds data: what the two servers do, and what a pod says instead."""

from __future__ import annotations

import secrets
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.charts.rendering import CHARTS

IMAGES = {"redis": "redis:8.0", "valkey": "valkey/valkey:9.1"}
SCRIPT = CHARTS / "redis-cluster/scripts/engine.sh"
OPTIONS = ("--dir", "/data", "--appendonly", "yes", "--save", "", "--bind", "127.0.0.1")


def docker(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["docker", *words], capture_output=True, text=True, check=False)


def has_images() -> bool:
    try:
        return all(docker("image", "inspect", image).returncode == 0 for image in IMAGES.values())
    except OSError:
        return False


needs_images = pytest.mark.skipif(not has_images(), reason="needs a Docker engine with both engines' images")


def engine_says(engine: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", str(SCRIPT), str(folder)], env={"ENGINE": engine}, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(("holds", "begins"), [("redis", b"REDIS0012\xfa\t"), ("valkey", b"VALKEY080\xfa")])
def test_a_pod_refuses_a_volume_of_the_other_engine_with_what_to_do(
    tmp_path: Path, holds: str, begins: bytes
):
    other = "valkey" if holds == "redis" else "redis"
    assert engine_says(other, tmp_path).returncode == 0  # nothing is there yet
    (tmp_path / "appendonlydir").mkdir()
    assert engine_says(other, tmp_path).returncode == 0
    (tmp_path / "appendonlydir/appendonly.aof.1.base.rdb").write_bytes(begins + b"\x00" * 100_000)
    assert engine_says(holds, tmp_path).returncode == 0
    refused = engine_says(other, tmp_path)
    assert refused.returncode == 1
    assert f"holds data of {holds}, and the chart's engine is {other}" in refused.stderr
    assert f"Set engine: {holds} again, or roll back." in refused.stderr


@pytest.fixture
def volume() -> Iterator[str]:
    name = f"engines-{secrets.token_hex(4)}"
    docker("volume", "create", name)
    yield name
    docker("volume", "rm", "--force", name)


@needs_images
@pytest.mark.parametrize(("first", "second"), [("redis", "valkey"), ("valkey", "redis")])
def test_neither_engine_reads_the_others_files_and_the_pod_knows_before(volume: str, first: str, second: str):
    run(volume, first)
    mounts = ("--volume", f"{volume}:/data", "--volume", f"{SCRIPT}:/engine.sh:ro")

    def says(engine: str) -> subprocess.CompletedProcess[str]:
        return docker(
            "run", "--rm", *mounts, "--env", f"ENGINE={engine}", IMAGES[engine], "sh", "/engine.sh", "/data"
        )

    assert says(first).returncode == 0
    assert "neither reads the other's files" in says(second).stderr
    alone = docker("run", "--rm", *mounts, IMAGES[second], f"{second}-server", *OPTIONS)
    assert alone.returncode != 0
    assert "base.rdb" in alone.stdout + alone.stderr
    run(volume, first, keys="1")  # and it left them as they were


def run(volume: str, engine: str, *, keys: str = "") -> None:
    """Until it has written a key, or has those that it shall have; then stop it."""
    name = f"{volume}-{engine}"
    docker(
        "run", "--detach", "--name", name, "--volume", f"{volume}:/data",
        IMAGES[engine], f"{engine}-server", *OPTIONS, "--appendfsync", "always",
    )  # fmt: skip
    wanted = (("dbsize",), keys) if keys else (("set", "key", "value"), "OK")
    try:
        deadline = time.monotonic() + 120
        while docker("exec", name, f"{engine}-cli", *wanted[0]).stdout.strip() != wanted[1]:
            assert time.monotonic() < deadline, docker("logs", name).stdout
            time.sleep(0.2)
    finally:
        docker("stop", name)
        docker("rm", "--force", name)

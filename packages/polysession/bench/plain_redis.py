"""One redis-server of our own, with the settings of the platform's nodes."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory

import redis


@contextmanager
def plain_redis() -> Iterator[redis.Redis]:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    settings = ["--save", "", "--appendonly", "yes", "--hz", "100", "--hash-max-listpack-value", "1024"]
    with TemporaryDirectory() as folder:
        command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--dir", folder, *settings]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:  # noqa: S603 - our own words
            try:
                with redis.Redis(port=port) as client:
                    _wait_for(client, process)
                    yield client
            finally:
                process.terminate()
                process.wait()


def _wait_for(client: redis.Redis, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 10
    while True:
        try:
            client.ping()
            return
        except redis.ConnectionError:
            if process.poll() is not None or time.monotonic() > end:
                raise
            time.sleep(0.02)

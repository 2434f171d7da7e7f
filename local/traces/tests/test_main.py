"""The program as the platform runs it, fed by the real exporter."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

ROOT = Path(__file__).parents[3]


def get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=5) as answer:
        return json.load(answer)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    database = tmp_path / "new" / "traces.sqlite"
    command = [sys.executable, "-m", "local.traces", "--bind", address, "--database", str(database)]
    process = subprocess.Popen(command, cwd=ROOT, env={"PATH": os.environ["PATH"]})
    try:
        deadline = time.monotonic() + 20
        while True:
            try:
                assert get(f"http://{address}/livez") == {"status": "live"}
                break
            except OSError:
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.05)
        yield f"http://{address}"
    finally:
        process.terminate()
        assert process.wait(timeout=20) == 0


@pytest.mark.parametrize("compression", [Compression.NoCompression, Compression.Gzip])
def test_a_span_of_the_sdk_is_found_at_once(running: str, compression: Compression) -> None:
    provider = TracerProvider(resource=Resource.create({"service.name": "sdk"}), shutdown_on_exit=False)
    exporter = OTLPSpanExporter(f"{running}/v1/traces", compression=compression)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with provider.get_tracer("test").start_as_current_span("work", attributes={"session.id": "id1"}) as span:
        trace_id = f"{span.get_span_context().trace_id:032x}"
    provider.shutdown()
    [trace] = get(f"{running}/api/traces/{trace_id}")["data"]
    assert trace["spans"][0]["operationName"] == "work"
    assert get(f"{running}/api/services")["data"] == ["sdk"]

"""A complete environment, without anything behind it."""

from pathlib import Path

import pytest


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Every required setting, set; the test changes what it is about."""
    password = tmp_path / "password"
    password.write_text("correct horse battery staple\n")
    keys = tmp_path / "keys"
    keys.mkdir()
    values = {
        "PUBLIC_URL": "https://shop.example",
        "BIND": "127.0.0.1:7200",
        "DATABASE_URL": "postgresql://orders@db.example:5433/orders",
        "DATABASE_PASSWORD_FILE": str(password),
        "REDIS_NODES": "10.0.0.1:6379, 10.0.0.2:6380",
        "SESSION_KEYS_DIR": str(keys),
        "PROMETHEUS_MULTIPROC_DIR": str(tmp_path / "metrics"),
    }
    for name in ("OTEL_EXPORTER_OTLP_ENDPOINT", "WORKERS", "THREADS", "LOG_LEVEL", "TRUSTED_PROXIES"):
        monkeypatch.delenv(name, raising=False)
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return values

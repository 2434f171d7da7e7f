import ipaddress
import traceback
from pathlib import Path

import pytest
from chassis.errors import InvalidSettings
from chassis.settings import ServiceSettings, load

pytestmark = pytest.mark.usefixtures("environment")


def test_a_complete_environment_becomes_typed_settings() -> None:
    settings = load(ServiceSettings)
    assert settings.redis_nodes == (("10.0.0.1", 6379), ("10.0.0.2", 6380))
    assert settings.trusted_proxies == (ipaddress.ip_network("127.0.0.1/32"),)
    assert (settings.workers, settings.threads, settings.session_idle_seconds) == (2, 8, 1800)
    assert settings.public_origin == "https://shop.example"
    assert settings.secure_cookies


def test_every_fault_is_named_in_one_message_that_holds_no_value(monkeypatch: pytest.MonkeyPatch) -> None:
    marker = "s3cr3tvalue"
    bad = {
        "PUBLIC_URL": f"ftp://{marker}",
        "BIND": marker,
        "WORKERS": marker,
        "DATABASE_URL": f"mysql://{marker}",
        "DATABASE_PASSWORD_FILE": f"/nowhere/{marker}",
        "REDIS_NODES": marker,
        "REDIS_PASSWORD_FILE": f"/nowhere/{marker}",
        "REDIS_TLS_CA_FILE": f"/nowhere/{marker}",
        "SESSION_KEYS_DIR": f"/nowhere/{marker}",
        "SESSION_PREFIX": f"{{{marker}}}",
        "TRUSTED_PROXIES": marker,
        "LOG_LEVEL": marker,
        "OTEL_EXPORTER_OTLP_ENDPOINT": marker,
        "STORE_DEADLINE_MS": f"{marker}0",
    }
    for name, value in bad.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(InvalidSettings) as caught:
        load(ServiceSettings)
    assert {fault.partition(":")[0] for fault in caught.value.faults} == set(bad)
    assert marker not in "".join(traceback.format_exception(caught.value))


def test_an_empty_required_variable_counts_as_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIND", "")
    with pytest.raises(InvalidSettings, match="BIND: is required"):
        load(ServiceSettings)


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("http://localhost:8400", "http://localhost:8400"),
        ("http://127.0.0.1:8400/", "http://127.0.0.1:8400"),
        ("http://[::1]:8400", "http://[::1]:8400"),
        ("https://SHOP.example:443/", "https://shop.example"),
    ],
)
def test_an_origin_is_kept_as_browsers_write_it(
    monkeypatch: pytest.MonkeyPatch, url: str, origin: str
) -> None:
    monkeypatch.setenv("PUBLIC_URL", url)
    settings = load(ServiceSettings)
    assert settings.public_origin == origin
    assert settings.secure_cookies is url.startswith("https")


@pytest.mark.parametrize(
    "url", ["http://shop.example", "http://10.0.0.1:8400", "http://127.0.0.1.evil.example"]
)
def test_http_is_refused_outside_of_loopback(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("PUBLIC_URL", url)
    with pytest.raises(InvalidSettings, match="loopback"):
        load(ServiceSettings)


@pytest.mark.parametrize("url", ["https://a.example/path", "https://u:p@a.example", "https://a.example?x=1"])
def test_a_public_url_is_nothing_but_an_origin(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("PUBLIC_URL", url)
    with pytest.raises(InvalidSettings, match="PUBLIC_URL"):
        load(ServiceSettings)


def test_the_password_is_in_the_dsn_escaped_and_in_no_repr(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("p@ss/w:rd\n")
    settings = load(ServiceSettings)
    assert settings.database_dsn == "postgresql://orders:p%40ss%2Fw%3Ard@db.example:5433/orders"
    assert "p@ss" not in repr(settings) + repr(settings.database)


def test_the_proxies_may_be_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRUSTED_PROXIES", "10.244.0.0/16, fd00::/8,127.0.0.1")
    assert [str(network) for network in load(ServiceSettings).trusted_proxies] == [
        *("10.244.0.0/16", "fd00::/8", "127.0.0.1/32")
    ]


def test_a_password_in_the_url_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://orders:hunter2@db.example/orders")
    with pytest.raises(InvalidSettings, match="DATABASE_PASSWORD_FILE") as caught:
        load(ServiceSettings)
    assert "hunter2" not in str(caught.value)


def test_a_user_of_the_store_needs_a_password_and_a_password_no_user(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("REDIS_USERNAME", "sessions")
    with pytest.raises(InvalidSettings, match="REDIS_PASSWORD_FILE: is required with REDIS_USERNAME"):
        load(ServiceSettings)
    monkeypatch.setenv("REDIS_PASSWORD_FILE", str(tmp_path / "password"))
    assert load(ServiceSettings).redis_username == "sessions"
    monkeypatch.delenv("REDIS_USERNAME")
    assert load(ServiceSettings).redis_password_file == tmp_path / "password"


def test_an_empty_secret_file_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("\n")
    with pytest.raises(InvalidSettings, match="DATABASE_PASSWORD_FILE: the file is empty"):
        load(ServiceSettings)


def test_an_absolute_timeout_is_not_shorter_than_the_idle_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SESSION_ABSOLUTE_SECONDS", "60")
    with pytest.raises(InvalidSettings, match="SESSION_ABSOLUTE_SECONDS: must not be shorter"):
        load(ServiceSettings)

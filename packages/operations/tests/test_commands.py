"""Settings, health and the pieces around the loop."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import ThreadingHTTPServer

import httpx
import pytest
from operations.__main__ import main
from operations.metrics import Health, Metrics, serve
from operations.observed import Member, Observed
from operations.settings import (
    InvalidEnvironment,
    guard_settings,
    keys_settings,
    redis_settings,
    trial_settings,
)
from operations.trial import Browser
from operations.wanted import Shape, Wanted, parse_shape

REDIS = {
    "OPERATIONS_NODES": "r-redis-{ordinal}.r-redis-nodes.ns.svc.cluster.local:6379",
    "OPERATIONS_PRIMARIES": "3",
}


def test_settings_have_defaults_that_fit_the_chart():
    settings = redis_settings(REDIS)
    assert settings.wanted == Wanted(3, 1)
    assert settings.bind == ("0.0.0.0", 9400)
    assert guard_settings({}).hook == "upgrade"
    assert keys_settings({"OPERATIONS_NAMESPACE": "ns"}).prefix == "ps"


def test_every_fault_of_the_environment_is_in_one_message():
    with pytest.raises(InvalidEnvironment) as caught:
        redis_settings(
            {"OPERATIONS_NODES": "redis:6379", "OPERATIONS_PRIMARIES": "many", "OPERATIONS_BIND": "here"}
        )
    for name in ("OPERATIONS_NODES", "OPERATIONS_PRIMARIES", "OPERATIONS_BIND"):
        assert name in str(caught.value)
    with pytest.raises(InvalidEnvironment, match="OPERATIONS_NODES is missing"):
        redis_settings({"OPERATIONS_PRIMARIES": "3"})
    with pytest.raises(InvalidEnvironment, match="upgrade or rollback"):
        guard_settings({"OPERATIONS_HOOK": "install"})
    with pytest.raises(InvalidEnvironment, match="redis or valkey"):
        guard_settings({"OPERATIONS_ENGINE": "keydb"})
    with pytest.raises(InvalidEnvironment, match="OPERATIONS_EDGE_URL is missing"):
        trial_settings({"OPERATIONS_PUBLIC_URL": "https://shop.example.com"})


@pytest.mark.parametrize("command", ["manager", "guard", "try", "keys"])
def test_a_command_that_lacks_settings_fails_with_a_sentence(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    for name in ("NODES", "PRIMARIES", "NAMESPACE", "EDGE_URL", "PUBLIC_URL"):
        monkeypatch.delenv(f"OPERATIONS_{name}", raising=False)
    assert main([command]) == 1
    assert "is missing" in capsys.readouterr().out


def test_a_recorded_shape_is_obeyed_when_it_is_smaller():
    wanted = Wanted(4, 1, takeover_seconds=20)
    assert wanted.smaller(None) == wanted
    assert wanted.smaller(Shape(5, 1)) == wanted
    assert wanted.smaller(Shape(3, 1)) == Wanted(3, 1, takeover_seconds=20)
    assert parse_shape({}) is None
    assert parse_shape({"primaries": "0", "replicas": "1"}) is None
    assert parse_shape({"primaries": "3", "replicas": "1"}) == Shape(3, 1)


@pytest.fixture
def served() -> Iterator[tuple[ThreadingHTTPServer, Metrics, Health, list[float]]]:
    clock = [100.0]
    metrics, health = Metrics(), Health(lambda: clock[0])
    server = serve(("127.0.0.1", 0), metrics, health)
    yield server, metrics, health, clock
    server.shutdown()
    server.server_close()


def status(server: ThreadingHTTPServer, path: str) -> int:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}{path}") as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def test_it_is_ready_once_all_slots_were_served_and_alive_while_it_turns(
    served: tuple[ThreadingHTTPServer, Metrics, Health, list[float]],
):
    server, _, health, clock = served
    assert (status(server, "/livez"), status(server, "/readyz"), status(server, "/other")) == (200, 503, 404)
    health.turn(served=True)
    assert status(server, "/readyz") == 200
    health.turn(served=False)  # a later loss is in the metrics
    assert status(server, "/readyz") == 200
    clock[0] += 61
    assert (status(server, "/livez"), status(server, "/readyz")) == (503, 503)


def test_metrics_tell_what_lacks(served: tuple[ThreadingHTTPServer, Metrics, Health, list[float]]):
    server, metrics, _, _ = served
    primary = Member(0, "10.0.0.1:6379", "a", slots=frozenset(range(100)), placed_on="n1")
    replica = Member(1, "10.0.0.2:6379", "b", primary_id="a", synced=False, placed_on="n1")
    metrics.show(Observed((primary, replica), frozenset({2})), Wanted(1, 1), converged=False, now=5.0)
    with urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}/metrics") as answer:
        text = answer.read().decode()
    for line in (
        "redis_shards_on_one_node 1.0",
        "redis_shards_lacking_replicas 1.0",
        "redis_slots_unserved 16284.0",
        "redis_pods_silent 1.0",
        "redis_manager_converged 0.0",
    ):
        assert line in text


def test_a_browser_keeps_secure_cookies_and_drops_what_ends():
    browser = Browser("laptop")
    lines = [
        ("set-cookie", "__Host-session=abc; Path=/; Secure; HttpOnly"),
        ("set-cookie", 'csrf="x=y"; Path=/'),
    ]
    browser.take(httpx.Response(200, headers=lines))
    assert browser.cookies == {"__Host-session": "abc", "csrf": '"x=y"'}
    browser.take(httpx.Response(200, headers=[("set-cookie", '__Host-session=""; Max-Age=0; Path=/')]))
    assert browser.cookies == {"csrf": '"x=y"'}

"""The metrics of docs/configuration.md, from the library's own behaviour."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest
from polysession.core.errors import StoreUnavailable
from polysession.core.events import AllEvents, MigrationOutcome
from polysession.core.manager import SessionManager
from polysession.stores.memory import MemoryStore
from polysession.telemetry.prometheus import LiveSessions, PrometheusEvents
from polysession.testing import FakeClock, memory_manager
from prometheus_client import CollectorRegistry, generate_latest


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


def value(registry: CollectorRegistry, name: str, **labels: str) -> float | None:
    return registry.get_sample_value(f"polysession_{name}", labels)


def test_sessions_are_counted_as_they_are_created_judged_and_ended(registry: CollectorRegistry) -> None:
    clock = FakeClock()
    manager = memory_manager(clock=clock, events=PrometheusEvents(registry))
    session = manager.open(None)
    session["cart"] = {}
    session.commit()
    one, other = manager.open(session.token), manager.open(session.token)
    one["cart"]["a"], other["cart"]["b"] = 1, 2
    one.commit()
    other.commit()
    other.sign_in("42", generation=1)
    other.commit()
    clock.advance(seconds=1800)
    assert manager.open(other.token).principal is None
    manager.open("forged")
    counted = {
        ("sessions_created_total", "kind", "anonymous"): 1,
        ("sessions_created_total", "kind", "signed_in"): 1,
        ("sessions_ended_total", "reason", "rotated-away"): 1,
        ("sessions_ended_total", "reason", "idle"): 1,
        ("sessions_ended_total", "reason", "theft"): 0,
        ("sessions_validated_total", "result", "live"): 2,
        ("sessions_validated_total", "result", "ended"): 1,
        ("sessions_validated_total", "result", "invalid"): 1,
        ("sessions_validated_total", "result", "unknown"): 0,
        ("conflicts_total", "outcome", "merged"): 1,
        ("conflicts_total", "outcome", "last_write"): 0,
    }
    found = {(name, label, given): value(registry, name, **{label: given}) for name, label, given in counted}
    assert found == counted


def test_migrations_are_counted_by_outcome_and_each_is_there_from_the_start(
    registry: CollectorRegistry,
) -> None:
    AllEvents(PrometheusEvents(registry)).migrated("partly")
    found = {
        one: value(registry, "sessions_migrated_total", outcome=one) for one in get_args(MigrationOutcome)
    }
    assert found == {"whole": 0, "partly": 1, "refused": 0}


def test_store_operations_are_timed_by_outcome(registry: CollectorRegistry) -> None:
    times = iter([1.0, 1.2, 2.0, 2.25])
    events = PrometheusEvents(registry, timer=lambda: next(times))
    with events.operation("read", {}):
        pass
    with pytest.raises(StoreUnavailable), events.operation("read", {}):
        raise StoreUnavailable("read", "timed out")
    name = "store_operation_duration_seconds"
    assert value(registry, f"{name}_sum", operation="read", outcome="ok") == pytest.approx(0.2)
    assert value(registry, f"{name}_count", operation="read", outcome="unavailable") == 1


def test_the_clock_skew_is_a_gauge(registry: CollectorRegistry) -> None:
    PrometheusEvents(registry).clock_skew(-1.5)
    assert value(registry, "store_clock_skew_seconds") == -1.5


def test_two_listeners_of_one_process_share_their_metrics(registry: CollectorRegistry) -> None:
    PrometheusEvents(registry).ended("logout")
    PrometheusEvents(registry).ended("logout")
    assert value(registry, "sessions_ended_total", reason="logout") == 2


def test_live_sessions_are_asked_for_at_each_scrape(registry: CollectorRegistry) -> None:
    manager = memory_manager()
    registry.register(LiveSessions(manager))
    assert value(registry, "sessions_live") == 0
    session = manager.open(None)
    session["a"] = 1
    session.commit()
    assert value(registry, "sessions_live") == 1
    assert b"# TYPE polysession_sessions_live gauge" in generate_latest(registry)


def test_a_store_that_gives_no_answer_gives_no_sample(registry: CollectorRegistry) -> None:
    class Away(MemoryStore):
        def count(self) -> int:
            raise StoreUnavailable("count", "test")

    manager: SessionManager = memory_manager(store=Away())
    registry.register(LiveSessions(manager))
    assert value(registry, "sessions_live") is None


def test_the_counts_of_several_processes_add_up(tmp_path: Path) -> None:
    count = "from polysession.telemetry.prometheus import PrometheusEvents as P; P().ended('logout')"
    environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    for _ in range(2):
        subprocess.run([sys.executable, "-c", count], env=environment, check=True)
    read = (
        "from prometheus_client import CollectorRegistry, generate_latest, multiprocess\n"
        "r = CollectorRegistry(); multiprocess.MultiProcessCollector(r); print(generate_latest(r).decode())"
    )
    shown = subprocess.run(
        [sys.executable, "-c", read], env=environment, check=True, capture_output=True, text=True
    )
    assert 'polysession_sessions_ended_total{reason="logout"} 2.0' in shown.stdout
    assert 'polysession_sessions_ended_total{reason="theft"} 0.0' in shown.stdout


def test_every_metric_of_the_library_is_in_the_documentation(registry: CollectorRegistry) -> None:
    PrometheusEvents(registry)
    registry.register(LiveSessions(memory_manager()))
    documented = (Path(__file__).parents[4] / "docs" / "configuration.md").read_text()
    kinds = {"counter": "_total"}
    for family in registry.collect():
        assert f"`{family.name}{kinds.get(family.type, '')}`" in documented

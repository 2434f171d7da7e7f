"""charts/observability: the rules fire when they should, by promtool, which reads the configuration, too."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.charts.rendering import objects

RULES = Path(__file__).resolve().parents[2] / "charts/observability/rules"


@pytest.fixture(scope="module")
def promtool() -> str:
    found = shutil.which("promtool")
    assert found, "promtool is missing: Debian's package prometheus has it (make install)"
    return found


def test_every_rule_fires_when_it_should_and_not_before(promtool: str) -> None:
    done = subprocess.run(
        [promtool, "test", "rules", "polysession.test.yaml"], cwd=RULES, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_rules_are_what_prometheus_reads(promtool: str) -> None:
    done = subprocess.run(
        [promtool, "check", "rules", "polysession.yaml"], cwd=RULES, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 rules found" in done.stdout


@pytest.mark.parametrize(
    ("options", "source", "target"),
    [
        ((), "__meta_kubernetes_pod_ip", "redis://$1:6379"),
        (
            ("--set", "global.redis.tls.enabled=true"),  # a certificate has names, and no addresses
            "__meta_kubernetes_pod_name",
            "rediss://$1.polysession-redis-nodes.shop.svc.cluster.local:6379",
        ),
    ],
)
def test_each_redis_node_is_asked_by_what_its_exporter_can_trust(
    promtool: str, tmp_path: Path, options: tuple[str, ...], source: str, target: str
) -> None:
    (maps,) = [
        each["data"]
        for each in objects("observability", *options)
        if each["kind"] == "ConfigMap" and each["metadata"]["name"] == "polysession-prometheus"
    ]
    text = maps["prometheus.yml"]
    (tmp_path / "prometheus.yml").write_text(text.replace("/etc/prometheus/", f"{RULES}/"))
    done = subprocess.run(
        [promtool, "check", "config", "prometheus.yml"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    redis = next(job for job in yaml.safe_load(text)["scrape_configs"] if job["job_name"] == "redis")
    rule = next(rule for rule in redis["relabel_configs"] if rule.get("target_label") == "__param_target")
    assert (rule["source_labels"], rule["replacement"]) == ([source], target)

"""What the Redis chart promises beyond what all charts do."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from operations.guard import PATIENCE_SECONDS

from tests.charts.rendering import CHARTS, Object, objects, pods, refusal

SCRIPTS = sorted((CHARTS / "redis-cluster/scripts").glob("*.sh"))
TLS = ("--set", "global.redis.tls.enabled=true,global.redis.tls.existingSecret=certificates")


def one(kind: str, name: str, *options: str, chart: str = "redis-cluster") -> Object:
    return next(
        each
        for each in objects(chart, *options)
        if (each["kind"], each["metadata"]["name"]) == (kind, f"polysession-{name}")
    )


def config(*options: str) -> Mapping[str, str]:
    lines = one("ConfigMap", "redis", *options)["data"]["redis.conf"].splitlines()
    return dict(line.split(" ", 1) for line in lines if line)


def environment(container: Object) -> Mapping[str, Any]:
    return {entry["name"]: entry.get("value", entry.get("valueFrom")) for entry in container["env"]}


def container(owner: Object) -> Object:
    found: Object = owner["spec"]["template"]["spec"]["containers"][0]
    return found


def test_nothing_is_evicted_and_half_the_limit_is_for_keys():
    settings = config()
    assert settings["maxmemory-policy"] == "noeviction"
    assert settings["maxmemory"] == "128mb"
    for limit, keys in (("1Gi", "512mb"), ("1.5Gi", "768mb"), ("300M", "143mb"), ("536870912", "256mb")):
        assert config("--set", f"resources.limits.memory={limit},persistence.size=3Gi")["maxmemory"] == keys
    assert config("--set", "maxmemory=100mb")["maxmemory"] == "100mb"


@pytest.mark.parametrize(
    "options",
    [
        "maxmemory=192mb",  # three quarters
        "maxmemory=1gb,resources.limits.memory=2G,persistence.size=3Gi",
        "maxmemory=1gb,resources.limits.memory=null,persistence.size=3Gi",
        "resources.limits.memory=682Mi",  # a third of the volume
        "resources.limits.memory=8Gi,persistence.enabled=false",
    ],
)
def test_memory_that_leaves_room_for_a_fork_and_a_rewritten_file_is_accepted(options: str):
    assert refusal("redis-cluster", "--set", options) == ""


def test_the_settings_are_those_that_the_store_was_measured_with():
    expected = {
        "appendonly": "yes",
        "appendfsync": "everysec",
        "hz": "100",
        "hash-max-listpack-value": "1024",
        "min-replicas-to-write": "0",
        "repl-diskless-sync-delay": "0",
        "cluster-node-timeout": "5000",
        "cluster-require-full-coverage": "no",
        "cluster-allow-replica-migration": "no",
        "cluster-preferred-endpoint-type": "hostname",
    }
    assert expected.items() <= config().items()
    assert "cluster-replica-validity-factor" not in config()


def test_the_manager_and_the_pods_agree_on_names_and_shape():
    options = ("--set", "primaries=4,replicas=2")
    pods = one("StatefulSet", "redis", *options)
    assert pods["spec"]["replicas"] == 12
    settings = environment(container(one("Deployment", "redis-manager", *options)))
    domain = environment(container(pods))["NODES_DOMAIN"]
    assert settings["OPERATIONS_NODES"] == f"{pods['metadata']['name']}-{{ordinal}}.{domain}:6379"
    assert domain.startswith(f"{pods['spec']['serviceName']}.shop.svc.")
    assert (settings["OPERATIONS_PRIMARIES"], settings["OPERATIONS_REPLICAS"]) == ("4", "2")


def test_the_domain_of_the_nodes_is_spelled_once():
    """And by the StatefulSet, whose Service it is of: a certificate, the exporter and two Prometheuses go by it."""
    files = [*CHARTS.glob("*/templates/*"), *CHARTS.glob("*/config/*")]
    spelled = [path.relative_to(CHARTS) for path in files if '"redis-nodes"' in path.read_text()]
    assert sorted(map(str, spelled)) == [
        "common/templates/_urls.tpl",
        "redis-cluster/templates/statefulset.yaml",
    ]


@pytest.mark.parametrize("engine", ["redis", "valkey"])
def test_the_command_is_ours_and_starts_the_engine(engine: str):
    pod = container(one("StatefulSet", "redis", "--set", f"engine={engine}"))
    assert pod["command"] == ["/bin/sh", "/etc/redis/start.sh"]
    assert environment(pod)["ENGINE"] == engine
    assert engine in pod["image"]


def test_no_password_is_an_argument_or_in_the_environment_of_a_node():
    pod = container(one("StatefulSet", "redis"))
    assert "secretKeyRef" not in str(pod)
    start = next(path for path in SCRIPTS if path.name == "start.sh").read_text()
    assert 'exec "$ENGINE-server" /tmp/redis.conf' in start
    assert "umask 077" in start


def test_a_pod_looks_whose_data_its_volume_holds_before_its_server_does():
    start = next(path for path in SCRIPTS if path.name == "start.sh").read_text()
    assert start.index("set -eu") < start.index("sh /etc/redis/engine.sh /data\n") < start.index("exec ")
    assert one("ConfigMap", "redis")["data"]["engine.sh"]
    # What it said is in the pod's status, where `kubectl describe` shows it.
    assert container(one("StatefulSet", "redis"))["terminationMessagePolicy"] == "FallbackToLogsOnError"


def test_a_change_of_the_config_rolls_the_pods_and_a_version_does_not():
    def checksum(*options: str) -> str:
        template = one("StatefulSet", "redis", *options)["spec"]["template"]
        return str(template["metadata"]["annotations"]["checksum/config"])

    assert checksum() != checksum("--set-string", "extraConfig.tcp-keepalive=60")
    assert checksum() == checksum("--set", "podDisruptionBudget.enabled=false")


def test_what_scales_in_is_deleted_and_what_is_uninstalled_stays():
    assert one("StatefulSet", "redis")["spec"]["persistentVolumeClaimRetentionPolicy"] == {
        "whenScaled": "Delete",
        "whenDeleted": "Retain",
    }


def test_the_bus_is_open_to_the_release_s_own_nodes_only():
    policy = one("NetworkPolicy", "redis")["spec"]
    bus = [rule for rule in policy["ingress"] if {"port": 16379, "protocol": "TCP"} in rule["ports"]]
    assert len(bus) == 1
    (peer,) = bus[0]["from"]
    assert peer["podSelector"]["matchLabels"] == {"app.kubernetes.io/instance": "polysession"}
    assert peer["podSelector"]["matchExpressions"][0]["values"] == ["redis"]


def test_each_hook_runs_the_guard_once_and_ends_in_time():
    for hook in ("upgrade", "rollback"):
        job = one("Job", f"guard-{hook}")
        assert job["metadata"]["annotations"]["helm.sh/hook"] == f"pre-{hook}"
        assert job["spec"]["backoffLimit"] == 0
        assert environment(container(job))["OPERATIONS_HOOK"] == hook
        assert environment(container(job))["OPERATIONS_ENGINE"] == "redis"
        drain = int(environment(container(job))["OPERATIONS_DRAIN_SECONDS"])
        # It waits for replicas, records, drains, and puts back what was recorded before if that failed.
        assert job["spec"]["activeDeadlineSeconds"] > drain + 3 * PATIENCE_SECONDS
    assert not [
        each for each in objects("redis-cluster", "--set", "guard.enabled=false") if each["kind"] == "Job"
    ]


def test_each_pod_sees_its_own_passwords_only():
    def entries(owner: Object) -> Sequence[str]:
        volumes = owner["spec"]["template"]["spec"]["volumes"]
        items = next(volume["secret"]["items"] for volume in volumes if volume["name"] == "credentials")
        return sorted(item["key"] for item in items)

    assert entries(one("StatefulSet", "redis")) == [
        "redis-acl",
        "redis-probe-password",
        "redis-replica-password",
    ]
    manager = one("Deployment", "redis-manager")
    assert entries(manager) == ["redis-acl", "redis-manager-password", "redis-replica-password"]
    assert entries(one("Job", "guard-upgrade")) == ["redis-manager-password"]


def test_tls_closes_the_plain_port_and_clients_get_the_ca_only():
    settings = config(*TLS)
    assert (settings["port"], settings["tls-port"], settings["tls-replication"], settings["tls-cluster"]) == (
        "0",
        "6379",
        "yes",
        "yes",
    )
    manager = one("Deployment", "redis-manager", *TLS)
    tls = next(volume for volume in manager["spec"]["template"]["spec"]["volumes"] if volume["name"] == "tls")
    assert tls["secret"]["items"] == [{"key": "ca.crt", "path": "ca.crt"}]
    assert environment(container(manager))["OPERATIONS_TLS_CA_FILE"] == "/etc/redis-tls/ca.crt"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ("primaries=2", "primaries"),
        ("engine=keydb", "engine"),
        ("podDisruptionBudget.maxUnavailable=2", "could then take both pods of a shard"),
        ("podDisruptionBudget.maxUnavailable=50%", "could then take both pods of a shard"),
        ("podDisruptionBudget.maxUnavailable=0", "/podDisruptionBudget/maxUnavailable"),
        ("topologySpread=hard,persistence.enabled=false", "would lose its data"),
        ("maxmemory=193mb", "Set maxmemory to 192mb at most, resources.limits.memory to 258Mi at least"),
        ("maxmemory=1gb,persistence.size=3Gi", "more than three quarters of its memory limit 256Mi"),
        ("resources.limits.memory=null", "Redis needs resources.limits.memory"),
        ("resources.limits.memory=1Gi", "Set persistence.size to 1536Mi at least"),
        (
            "resources.limits.memory=1Gi",
            "where the first install has fixed it, set maxmemory to 341mb at most",
        ),
        ("persistence.size=383Mi", "persistence.size of Redis is 383Mi"),
        ("extraConfig.maxmemory-policy=allkeys-lru", "the chart decides this one"),
        ("global.redis.tls.enabled=true", "needs global.redis.tls.existingSecret"),
        ("replica=2", "replica"),
        ("manager.takeover=5", "takeover"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_a_sentence(options: str, sentence: str):
    assert sentence in refusal("redis-cluster", "--set", options)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_scripts_are_for_any_posix_shell(script: Any):
    assert subprocess.run(["sh", "-n", str(script)], check=False).returncode == 0
    assert not re.search(r"\[\[|\bfunction\b|<<<|\$'", script.read_text())


def test_who_has_a_password_in_its_environment_is_named_where_a_rotation_is_explained():
    """It has the one of its start, and two rotations later that is none."""
    rotation = (CHARTS / "UPGRADING.md").read_text().partition("## A rotation")[2].partition("\n## ")[0]
    stale = [
        f"deployment/{one.owner['metadata']['name']}"
        for one in pods(objects("polysession"))
        if "secretKeyRef" in str(one.spec)
    ]
    assert stale == re.findall(r"rollout restart (\S+)`", rotation)


def test_the_exporter_trusts_no_node_that_the_ca_does_not_know():
    exporter = one("Deployment", "redis-exporter", *TLS)
    settings = environment(container(exporter))
    assert "REDIS_EXPORTER_SKIP_TLS_VERIFICATION" not in settings
    (mount,) = container(exporter)["volumeMounts"]
    assert settings["REDIS_EXPORTER_TLS_CA_CERT_FILE"] == f"{mount['mountPath']}/ca.crt"
    (volume,) = exporter["spec"]["template"]["spec"]["volumes"]
    assert (volume["name"], volume["secret"]["items"]) == (
        mount["name"],
        [{"key": "ca.crt", "path": "ca.crt"}],
    )
    plain = one("Deployment", "redis-exporter")
    assert not [name for name in environment(container(plain)) if "TLS" in name]
    assert "volumeMounts" not in container(plain)


@pytest.mark.parametrize("options", [(), TLS])
def test_an_operators_prometheus_asks_each_node_through_the_exporter(options: Sequence[str]):
    wanted = one("PodMonitor", "redis-exporter", "--set", "exporter.podMonitor.enabled=true", *options)[
        "spec"
    ]
    nodes = one("StatefulSet", "redis", *options)
    assert (
        wanted["selector"]["matchLabels"].items() <= nodes["spec"]["template"]["metadata"]["labels"].items()
    )
    (endpoint,) = wanted["podMetricsEndpoints"]
    assert endpoint["path"] == "/scrape"
    assert endpoint["port"] in {port["name"] for port in container(nodes)["ports"]}
    written = {rule["targetLabel"]: rule for rule in endpoint["relabelings"]}
    service = one("Service", "redis-exporter")
    address = f"{service['metadata']['name']}.shop.svc.cluster.local:{service['spec']['ports'][0]['port']}"
    assert written["__address__"]["replacement"] == address
    target = written["__param_target"]
    if options:  # a certificate has names, and no addresses
        assert target["sourceLabels"] == ["__meta_kubernetes_pod_name"]
        domain = environment(container(nodes))["NODES_DOMAIN"]
        assert target["replacement"] == f"rediss://$1.{domain}:6379"
    else:
        assert target == {
            "sourceLabels": ["__meta_kubernetes_pod_ip"],
            "targetLabel": "__param_target",
            "replacement": "redis://$1:6379",
        }

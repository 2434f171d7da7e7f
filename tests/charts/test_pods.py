"""Every pod of every scenario: restricted, sized, probed, and without what it does not need."""

from __future__ import annotations

import re

import pytest

from tests.charts.rendering import SCENARIOS, Object, Pods, objects, pods, scenario

SELECTOR_LABELS = {
    "app.kubernetes.io/name",
    "app.kubernetes.io/instance",
    "app.kubernetes.io/component",
}


@pytest.fixture(params=SCENARIOS, scope="module")
def all_pods(request: pytest.FixtureRequest) -> list[Pods]:
    found = list(pods(objects("polysession", *scenario(request.param))))
    assert len(found) >= 6
    return found


def containers(of: list[Pods]) -> list[tuple[str, Object]]:
    return [(f"{one.name} {c['name']}", c) for one in of for c in one.containers]


def test_pod_security_restricted_holds(all_pods: list[Pods]):
    """https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted, and a read-only root."""
    kinds = {
        "configMap",
        "downwardAPI",
        "emptyDir",
        "persistentVolumeClaim",
        "projected",
        "secret",
        "ephemeral",
    }
    for one in all_pods:
        security = one.spec["securityContext"]
        assert security["runAsNonRoot"] is True, one.name
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}, one.name
        assert security.get("runAsUser", 1) != 0, one.name
        assert "sysctls" not in security, one.name
        assert not {"hostNetwork", "hostPID", "hostIPC", "serviceAccount"} & one.spec.keys(), one.name
        for volume in one.spec.get("volumes", ()):
            assert set(volume) - {"name"} <= kinds, (one.name, volume)
        for container in one.containers:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "capabilities": {"drop": ["ALL"]},
                "readOnlyRootFilesystem": True,
                "runAsNonRoot": True,
            }, one.name
            assert not [port for port in container.get("ports", ()) if "hostPort" in port], one.name


def test_requests_and_a_memory_limit_and_no_cpu_limit(all_pods: list[Pods]):
    for name, container in containers(all_pods):
        resources = container["resources"]
        assert resources["requests"].keys() == {"cpu", "memory"}, name
        assert resources["limits"].keys() == {"memory"}, name
        ratio = mebibytes(resources["limits"]["memory"]) / mebibytes(resources["requests"]["memory"])
        assert 1.6 <= ratio <= 2.7, name


def mebibytes(amount: str) -> int:
    match = re.fullmatch(r"(\d+)(Mi|Gi)", amount)
    assert match, amount
    return int(match[1]) * {"Mi": 1, "Gi": 1024}[match[2]]


def test_what_runs_on_is_asked_whether_it_lives_and_whether_it_is_ready(all_pods: list[Pods]):
    for one in all_pods:
        for container in () if one.passing else one.spec["containers"]:
            ports = {p for port in container["ports"] for p in (port.get("name"), port["containerPort"])}
            probes = {kind: container[kind] for kind in ("livenessProbe", "readinessProbe")}
            probes |= {"startupProbe": container["startupProbe"]} if slow_to_start(one) else {}
            for kind, probe in probes.items():
                asked = probe.get("httpGet") or probe.get("tcpSocket")
                assert probe.get("exec") or asked["port"] in ports, (one.name, kind)
                # One second, the default, kills pods of a busy node.
                assert probe.get("timeoutSeconds", 1) > 1, (one.name, kind)


def slow_to_start(one: Pods) -> bool:
    """Python's imports, a database's recovery: liveness must not end them."""
    return one.labels["app.kubernetes.io/component"] in ("users", "keeper", "orders", "redis", "postgres")


def test_every_image_has_a_version_or_a_digest(all_pods: list[Pods]):
    for name, container in containers(all_pods):
        assert re.search(r"(:[^/:]+|@sha256:[0-9a-f]{64})$", container["image"]), name
        assert not container["image"].endswith(":latest"), name
        assert container["imagePullPolicy"] == "IfNotPresent", name


def test_no_token_but_for_who_asks_the_api_server(all_pods: list[Pods]):
    with_token = {one.labels["app.kubernetes.io/component"] for one in all_pods if mounts_token(one)}
    assert with_token <= {"keys", "prometheus"}


def mounts_token(one: Pods) -> bool:
    assert "automountServiceAccountToken" in one.spec, one.name
    projected = [v for v in one.spec.get("volumes", ()) if "serviceAccountToken" in str(v)]
    return bool(one.spec["automountServiceAccountToken"] or projected)


def test_no_service_links(all_pods: list[Pods]):
    """They would put POSTGRES_PORT=tcp://… into the settings' environment."""
    assert [one.name for one in all_pods if one.spec.get("enableServiceLinks") is not False] == []


def test_pod_templates_carry_the_selector_labels_only(all_pods: list[Pods]):
    for one in all_pods:
        if one.owner["kind"] != "Pod":
            assert one.labels.keys() == SELECTOR_LABELS, one.name
        for claim in one.owner["spec"].get("volumeClaimTemplates", ()):
            assert claim["metadata"].get("labels", {}).keys() <= SELECTOR_LABELS, one.name


def test_no_secret_in_an_environment_variable(all_pods: list[Pods]):
    """Neither by value nor by reference: an environment shows in too many places. Names and paths may be there."""
    for name, container in containers(all_pods):
        if container["name"] == "exporter":
            continue  # its password file maps addresses, and it asks pods by theirs; the ACL lets it read statistics
        for variable in container.get("env", ()):
            assert "secretKeyRef" not in str(variable), (name, variable["name"])
            if re.search(r"PASSWORD|SECRET|TOKEN|CREDENTIAL", variable["name"]):
                is_path = variable["value"].startswith("/")
                assert is_path or variable["name"].endswith("_SECRET"), (name, variable["name"])
        assert "envFrom" not in container, name


def test_no_variable_comes_twice(all_pods: list[Pods]):
    for name, container in containers(all_pods):
        names = [variable["name"] for variable in container.get("env", ())]
        assert len(names) == len(set(names)), name


def test_a_variable_that_another_uses_comes_before_it(all_pods: list[Pods]):
    for name, container in containers(all_pods):
        seen: set[str] = set()
        for variable in container.get("env", ()):
            used = set(re.findall(r"\$\((\w+)\)", str(variable.get("value", ""))))
            assert used <= seen, (name, variable["name"])
            seen.add(variable["name"])


def test_each_pod_sees_only_its_own_credentials(all_pods: list[Pods]):
    seen: dict[str, set[str]] = {}
    for one in all_pods:
        for volume in one.spec.get("volumes", ()):
            secret = volume.get("secret", {})
            if "credentials" in secret.get("secretName", ""):
                component = one.labels["app.kubernetes.io/component"]
                seen.setdefault(component, set()).update(item["key"] for item in secret["items"])
    own = {"users-database-password", "redis-sessions-password", "django-secret-key", "orders.pub.pem"}
    assert seen["users"] == seen["keeper"] == own
    assert seen["orders"] == {"orders-database-password", "redis-sessions-password", "orders.pem"}
    assert seen["orders-migrate"] == {"orders-database-password"}


def test_the_keeper_and_the_migrations_take_their_own_values_and_nobody_elses():
    ours = "users.keeper.priorityClassName=low,users.keeper.resources.limits.memory=200Mi"
    theirs = "users.priorityClassName=high,users.nodeSelector.disk=fast,users.autoscaling.enabled=true"
    found = {
        p.labels["app.kubernetes.io/component"]: p
        for p in pods(objects("polysession", "--set", f"{ours},{theirs}"))
    }
    keeper, users = found["keeper"], found["users"]
    assert (keeper.spec["priorityClassName"], users.spec["priorityClassName"]) == ("low", "high")
    assert (keeper.owner["spec"]["replicas"], "replicas" in users.owner["spec"]) == (1, False)
    assert "nodeSelector" not in keeper.spec
    assert keeper.containers[0]["resources"]["limits"]["memory"] == "200Mi"
    assert users.containers[0]["resources"]["limits"]["memory"] == "448Mi"
    assert "topologySpreadConstraints" not in found["users-migrate"].spec


def test_tmp_is_a_bounded_memory_volume(all_pods: list[Pods]):
    for one in all_pods:
        for volume in one.spec.get("volumes", ()):
            if volume["name"] == "tmp":
                assert volume["emptyDir"]["medium"] == "Memory", one.name
                assert volume["emptyDir"]["sizeLimit"], one.name


def test_the_services_stop_in_the_order_that_loses_no_request(all_pods: list[Pods]):
    for one in all_pods:
        component = one.labels["app.kubernetes.io/component"]
        if component in ("users", "orders"):
            assert one.spec["containers"][0]["lifecycle"] == {"preStop": {"sleep": {"seconds": 5}}}
            assert one.spec["terminationGracePeriodSeconds"] == 40
        if component == "edge":
            environment = {v["name"]: v.get("value") for v in one.spec["containers"][0]["env"]}
            # Caddy goes on serving while it says so; its image has no shell to sleep in.
            delay, grace = (
                environment[name].removesuffix("s") for name in ("EDGE_SHUTDOWN_DELAY", "EDGE_GRACE")
            )
            assert (int(delay) >= 5, grace) == (True, "20")
            assert int(delay) + int(grace) < one.spec["terminationGracePeriodSeconds"]


def test_the_edge_knows_whether_browsers_come_by_https():
    """Else nothing would tell them to stay there: TLS ends before it."""
    options = ("--set", "global.publicUrl=https://shop.example.com")
    edge = next(p for p in pods(objects("polysession", *options)) if p.name.endswith("-edge"))
    environment = {v["name"]: v.get("value") for v in edge.spec["containers"][0]["env"]}
    assert environment["EDGE_PUBLIC_URL"] == "https://shop.example.com"


def test_the_settings_of_a_service_are_settings_that_it_has(all_pods: list[Pods]):
    from orders.config import Config as OrdersConfig
    from users.config import Config as UsersConfig

    foreign = re.compile(r"^(OTEL|K8S|PG)")
    known = {"users": UsersConfig, "keeper": UsersConfig, "orders": OrdersConfig}
    for one in all_pods:
        if config := known.get(one.labels["app.kubernetes.io/component"]):
            names = {v["name"] for v in one.spec["containers"][0]["env"]}
            fields = {field.upper() for field in config.model_fields}
            assert {n for n in names - fields if not foreign.match(n)} == set(), one.name
            required = {n.upper() for n, field in config.model_fields.items() if field.is_required()}
            assert required <= names, one.name

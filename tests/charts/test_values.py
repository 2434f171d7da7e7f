"""What values are refused, with which sentence; and that each does what it says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.charts.rendering import (
    APPLICATIONS,
    CHARTS,
    SCENARIOS,
    Pods,
    helm,
    objects,
    pods,
    refusal,
    scenario,
)

URL = "global.publicUrl=http://localhost:8400"
LET_OUT = "global.networkPolicy.egress[0].ports[0].port=6379"


def maps(values: Any, path: str = "") -> Iterator[str]:
    """The path of each map of values, the outermost first."""
    if isinstance(values, dict):
        yield path
        for key, value in values.items():
            yield from maps(value, f"{path}{key}.")


def closed() -> list[tuple[str, str]]:
    """Each level of each chart; maps whose keys are the reader's own are not among them."""
    found = []
    for chart in APPLICATIONS:
        values = yaml.safe_load((CHARTS / chart / "values.yaml").read_text())
        schema = json.loads((CHARTS / chart / "values.schema.json").read_text())
        for path in maps(values):
            if level(schema, path).get("additionalProperties") is False:
                found.append((chart, path))
    return found


def level(schema: Any, path: str) -> Any:
    here = schema
    for key in path.split(".")[:-1]:
        here = here.get("properties", {}).get(key, {})
        if "$ref" in here:
            here = schema["$defs"][here["$ref"].removeprefix("#/$defs/")]
    return here


@pytest.mark.parametrize(("chart", "path"), closed())
def test_a_typo_is_refused_at_every_level(chart: str, path: str):
    said = refusal(chart, "--set", f"{URL},{path}tpyo=1")
    assert "tpyo" in said
    assert "not allowed" in said


@pytest.mark.parametrize("chart", APPLICATIONS)
def test_every_map_with_fixed_keys_is_closed(chart: str):
    values = yaml.safe_load((CHARTS / chart / "values.yaml").read_text())
    free = {"settings.", "postgres.", "users.", "orders.", "shell.", "redis.", "observability."}
    levels = {path for one, path in closed() if one == chart}
    open_ones = {p for p in maps(values) if p not in levels and get(values, p)}
    if chart == "observability":
        open_ones.discard("global.")
        open_ones = {p for p in open_ones if not p.startswith("global.")}
    assert open_ones <= free


def get(values: Any, path: str) -> Any:
    for key in path.split(".")[:-1]:
        values = values[key]
    return values


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ("global.publicUrl=", "Set global.publicUrl to the origin that browsers use"),
        ("global.publicUrl=http://shop.example.com", "http is for loopback only"),
        ("global.publicUrl=http://localhost.example.com", "http is for loopback only"),
        ("global.publicUrl=https://shop.example.com/app", "write an origin and nothing after it"),
        ("global.publicUrl=ftp://shop.example.com", "write an origin and nothing after it"),
        ("redis.enabled=false", "set global.redis.nodes"),
        (f"global.redis.nodes={{a:6379}},{LET_OUT}", "set redis.enabled to false"),
        ("postgres.enabled=false", "set users.database.host"),
        (f"postgres.enabled=false,users.database.host=db,{LET_OUT}", "set orders.database.host"),
        (f"users.database.host=db,orders.database.host=db,{LET_OUT}", "set postgres.enabled to false"),
        (f"users.database.host=db,orders.enabled=false,{LET_OUT}", "set postgres.enabled to false"),
        ("observability.enabled=false", "global.collector.enabled is the Collector of charts/observability"),
        (f"global.otlpEndpoint=http://c:4318,{LET_OUT}", "set one of the two"),
        ("global.collector.enabled=false,global.otlpEndpoint=c:4318", "write http://host:port"),
        ("global.collector.enabled=false,global.otlpEndpoint=http://c:4318/otlp", "and no path"),
        (
            "global.collector.enabled=false,global.otlpEndpoint=http://c:4318",
            "List it in global.networkPolicy.egress",
        ),
        ("global.redis.tls.enabled=true", "needs global.redis.tls.existingSecret"),
        ("global.session.absoluteSeconds=60", "would end before it could idle out"),
        (
            "secrets.rotation=1,global.sessionKeys.existingSecret=a,global.credentials.existingSecret=b",
            "rotate your existing ones",
        ),
        (
            f"secrets.rotation=1,redis.enabled=false,global.redis.nodes={{a:6379}},{LET_OUT}",
            "an existing Redis Cluster does not learn it",
        ),
        ("redis.auth.enabled=false", "belong together"),
        ("global.redis.username=", "belong together"),
        ("shell.service.nodePort=30400", "set the type to NodePort"),
        ("shell.service.externalTrafficPolicy=Local", "nothing from outside comes to a ClusterIP"),
        ("shell.ingress.enabled=true", "needs an https origin"),
        ("global.publicUrl=https://a.example,shell.httpRoute.enabled=true", "needs httpRoute.parentRefs"),
        ("users.autoscaling.enabled=true,users.autoscaling.minReplicas=9", "more than maxReplicas"),
        ("users.image.tag=latest", "/image/tag"),
        ("users.replicas=0", "/replicas"),
        ("users.image.digest=abc", "/image/digest"),
        ("orders.resources.requests.memory=lots", "/resources/requests/memory"),
        ("redis.primaries=2", "/primaries"),
    ],
)
def test_what_cannot_work_is_refused_with_a_sentence(options: str, sentence: str):
    assert sentence in refusal("polysession", "--set", options)


@pytest.mark.parametrize(
    "url",
    [
        "https://shop.example.com",
        "https://shop.example.com:8443",
        "http://localhost:8400",
        "http://shop.localhost",
        "http://127.0.0.1:8480",
        "http://[::1]:8400",
    ],
)
def test_https_and_loopback_are_origins(url: str):
    assert refusal("polysession", "--set", f"global.publicUrl={url}") == ""


@pytest.mark.parametrize("known", ["global.credentials.existingSecret=b", "global.redis.username="])
def test_the_rings_alone_rotate_where_the_key_job_does_not_change_a_redis_password(known: str):
    external = f"redis.enabled=false,global.redis.nodes={{a:6379}},{LET_OUT}"
    assert refusal("polysession", "--set", f"secrets.rotation=1,{external},{known}") == ""


@pytest.mark.parametrize("service", ["users", "orders"])
def test_one_service_may_ask_an_existing_postgresql_and_the_other_the_release_s_own(service: str):
    assert refusal("polysession", "--set", f"{service}.database.host=db,{LET_OUT}") == ""


def test_a_release_that_begins_with_a_digit_is_refused():
    done = helm("template", "1st", "charts/polysession")
    assert "a Service's name begins with a letter" in done.stderr


@pytest.mark.parametrize("chart", APPLICATIONS)
def test_a_kubernetes_that_is_too_old_is_refused(chart: str):
    """A provider's own builds of 1.31 are not."""
    assert "kubeVersion" in refusal(chart, "--set", URL, "--kube-version", "1.30.9")
    assert refusal(chart, "--set", URL, "--kube-version", "v1.31.0-gke.100") == ""


@pytest.mark.parametrize("chart", [*APPLICATIONS, "common"])
def test_lint_finds_nothing(chart: str):
    done = helm("lint", "--strict", f"charts/{chart}", "--set", URL if chart != "common" else "a=b")
    assert done.returncode == 0, done.stdout
    assert "[WARNING]" not in done.stdout
    assert "[ERROR]" not in done.stdout


@pytest.mark.parametrize("name", SCENARIOS)
def test_lint_finds_nothing_in_a_scenario(name: str):
    done = helm("lint", "--strict", "charts/polysession", *scenario(name))
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    "path", sorted(CHARTS.glob("*/ci/*-values.yaml")), ids=lambda p: f"{p.parents[1].name}-{p.name}"
)
def test_every_scenario_of_every_chart_renders_and_has_notes(path: Path):
    chart = path.parents[1].name
    options = ("--values", str(path), "--set", URL) if chart == "observability" else ("--values", str(path))
    assert objects(chart, *options, release="alone")
    said = helm("install", "alone", f"charts/{chart}", *options, "--dry-run=client").stdout
    assert len(said.partition("NOTES:")[2].strip()) > 40


def test_a_redis_that_asks_for_no_password_gets_none():
    options = "global.redis.username=,redis.auth.enabled=false"
    for one in pods(objects("polysession", "--set", options)):
        if one.labels["app.kubernetes.io/component"] in ("users", "orders", "keeper"):
            assert "redis-sessions-password" not in str(one.spec)
            assert not [
                v
                for v in one.containers[0]["env"]
                if v["name"].startswith("REDIS_") and "NODES" not in v["name"]
            ]


def test_with_tls_clients_see_the_ca_and_never_the_servers_key():
    options = "global.redis.tls.enabled=true,global.redis.tls.existingSecret=redis-tls"
    servers, clients = {"redis"}, {"users", "orders", "keeper", "redis-manager"}
    seen = set()
    for one in pods(objects("polysession", "--set", options)):
        component = one.labels["app.kubernetes.io/component"]
        secrets = [v["secret"] for v in one.spec.get("volumes", ()) if "secret" in v]
        for secret in (s for s in secrets if s["secretName"] == "redis-tls"):
            seen.add(component)
            keys = {item["key"] for item in secret.get("items", ())}
            assert component in servers or keys == {"ca.crt"}, one.name
        if component in ("users", "orders", "keeper"):
            environment = {v["name"]: v.get("value") for v in one.containers[0]["env"]}
            assert environment["REDIS_TLS_CA_FILE"] == "/etc/polysession/redis/ca.crt"
    assert servers | clients <= seen


def test_null_takes_a_variable_away():
    users = next(
        p
        for p in pods(objects("polysession", "--set", "users.extraEnv.TRUSTED_PROXIES=null"))
        if p.name.endswith("-users")
    )
    assert "TRUSTED_PROXIES" in str(
        next(p for p in pods(objects("polysession")) if p.name.endswith("-users")).spec
    )
    assert "TRUSTED_PROXIES" not in str(users.spec)


def test_existing_secrets_leave_neither_job_nor_rights():
    secrets = "global.sessionKeys.existingSecret=a,global.credentials.existingSecret=b"
    kinds = [one["kind"] for one in objects("polysession", "--set", secrets) if is_keys(one)]
    assert kinds == []
    one_left = [o for o in objects("polysession", "--set", secrets.partition(",")[0]) if is_keys(o)]
    role = next(o for o in one_left if o["kind"] == "Role")
    assert role["rules"][0]["resourceNames"] == ["polysession-credentials"]


def is_keys(one: Any) -> bool:
    return bool(one["metadata"]["labels"]["app.kubernetes.io/component"] == "keys")


def test_registry_digest_and_pull_secrets_reach_every_image():
    digest = "sha256:" + "a" * 64
    options = "global.imageRegistry=registry.example.com/m/,global.imagePullSecrets={pull}"
    for one in pods(objects("polysession", "--set", f"{options},users.image.digest={digest}")):
        assert one.spec["imagePullSecrets"] == [{"name": "pull"}], one.name
        for container in one.containers:
            assert container["image"].startswith("registry.example.com/m/"), one.name
            if container["name"] == "users":
                assert container["image"] == f"registry.example.com/m/polysession/users@{digest}"


def test_extra_environment_wins_and_keeps_its_numbers():
    set_env = "users.extraEnv.WORKERS=1048576,users.extraEnv.LOG_LEVEL=debug,users.extraEnv.NEW=true"
    users = next(p for p in pods(objects("polysession", "--set", set_env)) if p.name.endswith("-users"))
    environment = {v["name"]: v.get("value") for v in users.spec["containers"][0]["env"]}
    assert (environment["WORKERS"], environment["LOG_LEVEL"], environment["NEW"]) == (
        "1048576",
        "debug",
        "true",
    )


@pytest.mark.parametrize(
    ("section", "components"),
    [
        ("users", {"users", "keeper", "users-migrate"}),
        ("orders", {"orders", "orders-migrate"}),
        ("shell", {"edge"}),
        ("tools", {"keys", "try"}),
    ],
)
def test_extra_volumes_are_mounted_in_the_pods_of_their_section_and_nowhere_else(
    section: str, components: set[str]
):
    volume = {"name": "own-ca", "configMap": {"name": "own-ca"}}
    mount = {"name": "own-ca", "mountPath": "/etc/own-ca", "readOnly": True}
    values = {"extraVolumes": [volume], "extraVolumeMounts": [mount]}
    options = (
        word
        for key, value in values.items()
        for word in ("--set-json", f"{section}.{key}={json.dumps(value)}")
    )
    found = set()
    for one in pods(objects("polysession", *options)):
        if volume in one.spec.get("volumes", ()):
            found.add(one.labels["app.kubernetes.io/component"])
            assert mount in one.containers[0]["volumeMounts"], one.name
    assert found == components


def test_the_cluster_domain_is_in_every_full_name():
    text = json.dumps(objects("polysession", "--set", "global.clusterDomain=example.internal"))
    assert "svc.example.internal" in text
    assert "cluster.local" not in text


def test_ids_are_left_to_openshift():
    for one in pods(objects("polysession", *scenario("openshift"))):
        assert one.spec["securityContext"].keys() == {"runAsNonRoot", "seccompProfile"}, one.name


def test_the_trial_s_postgresql_takes_the_connections_of_a_rollout():
    """What the page says of them; keeper, migrations and an administrator have a few of their own."""
    from orders.config import Config

    a_worker = Config.model_fields["database_pool_size"].default
    found = list(pods(objects("polysession")))
    services = [p for p in found if p.labels["app.kubernetes.io/component"] in ("users", "orders")]
    workers = [
        int(variable["value"])
        for one in services
        for variable in one.containers[0]["env"] * (one.count + 1)
        if variable["name"] == "WORKERS"
    ]
    database = next(p for p in found if p.labels["app.kubernetes.io/component"] == "postgres")
    (most,) = [int(word.partition("=")[2]) for word in database.containers[0]["args"] if "max_conn" in word]
    assert sum(workers) * a_worker <= most - 8
    said = f"up to {workers[0] * a_worker} connections to PostgreSQL, {a_worker} a worker; the trial's takes {most}"
    assert said in (CHARTS / "README.md").read_text()


def test_both_services_get_the_same_session_times():
    settings: dict[str, dict[str, str]] = {}
    for one in pods(
        objects("polysession", "--set", "global.session.idleSeconds=60,global.session.prefix=shop")
    ):
        component = one.labels["app.kubernetes.io/component"]
        if component in ("users", "orders", "keeper"):
            env = {v["name"]: v.get("value", "") for v in one.spec["containers"][0]["env"]}
            settings[component] = {k: v for k, v in env.items() if k.startswith("SESSION")}
    assert settings["users"] == settings["orders"] == settings["keeper"]
    assert settings["users"]["SESSION_IDLE_SECONDS"] == "60"
    assert settings["users"]["SESSION_PREFIX"] == "shop"


def amount(of: Pods, kind: str, what: str, unit: str) -> int:
    """Of `requests` or `limits`."""
    return of.count * sum(int(c["resources"][kind][what].removesuffix(unit)) for c in of.containers)


def test_requests_fit_four_gibibytes_and_a_core():
    """With the surge of a rollout and a fourth shard; what charts/README.md says is what is rendered."""
    lasting = [p for p in pods(objects("polysession")) if not p.passing]
    memory = sum(amount(p, "requests", "memory", "Mi") for p in lasting)
    limits = sum(amount(p, "limits", "memory", "Mi") for p in lasting)
    cpu = sum(amount(p, "requests", "cpu", "m") for p in lasting)
    surge = sum(amount(replace(p, count=1), "requests", "memory", "Mi") for p in lasting if p.count == 2)
    fourth = sum(amount(replace(p, count=2), "requests", "memory", "Mi") for p in lasting if p.count == 6)
    assert memory + surge + fourth <= 4096
    assert cpu <= 1000
    said = (CHARTS / "README.md").read_text()
    assert f"{memory:,} MiB and {cpu}m" in said
    assert f"limits of {limits:,} MiB" in said

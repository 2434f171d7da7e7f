"""Objects among one another: names, selectors, network policies, hooks, what refers to what."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
import yaml

from tests.charts.rendering import (
    APPLICATIONS,
    CHARTS,
    SCENARIOS,
    Object,
    helm,
    name_of,
    objects,
    parsed,
    pods,
    rendered,
    scenario,
)

LONG = "a-release-whose-name-is-as-long-as-helm-lets-it-be-ok"


@pytest.fixture(params=SCENARIOS, scope="module")
def every(request: pytest.FixtureRequest) -> Sequence[Object]:
    return objects("polysession", *scenario(request.param))


def of_kind(every: Sequence[Object], *kinds: str) -> list[Object]:
    return [one for one in every if one["kind"] in kinds]


def selects(selector: Mapping[str, str], labels: Mapping[str, str]) -> bool:
    return bool(selector) and selector.items() <= labels.items()


@pytest.mark.parametrize("name", SCENARIOS)
def test_names_begin_with_the_release_and_have_at_most_40_characters(name: str):
    """A Deployment's pods add 17 to theirs, and 63 is the end. Helm allows 53 for a release."""
    assert len(LONG) == 53
    for release in ("polysession", LONG):
        for one in objects("polysession", *scenario(name), release=release):
            own = one["metadata"]["name"]
            assert len(own) <= 40, name_of(one)
            assert own.startswith(f"{release[:18]}"), name_of(one)
            assert re.fullmatch(r"[a-z]([a-z0-9-]*[a-z0-9])?", own), name_of(one)


@pytest.mark.parametrize("other", ["other", LONG[:-1] + "x", "polysession.two", "polysession-redis"])
def test_two_releases_share_no_name(other: str):
    first, second = ({name_of(one) for one in objects("polysession", release=r)} for r in (LONG, other))
    assert first & second == set()
    third = {name_of(one) for one in objects("polysession")}
    assert third & second == set()


def test_no_object_comes_twice(every: Sequence[Object]):
    hooks = Counter(
        (name_of(one), one["metadata"].get("annotations", {}).get("helm.sh/hook")) for one in every
    )
    assert [name for name, count in hooks.items() if count > 1] == []


def test_objects_say_what_they_are_and_where(every: Sequence[Object]):
    for one in every:
        assert one["metadata"]["namespace"] == "shop", name_of(one)
        labels = one["metadata"]["labels"]
        assert labels["app.kubernetes.io/part-of"] == "polysession", name_of(one)
        assert labels["app.kubernetes.io/instance"] == "polysession", name_of(one)
        assert {"app.kubernetes.io/version", "app.kubernetes.io/managed-by", "helm.sh/chart"} <= labels.keys()


def test_no_object_is_of_an_api_that_is_gone(every: Sequence[Object]):
    allowed = re.compile(
        r"v1|(apps|batch|policy)/v1|autoscaling/v2|(networking|rbac\.authorization)\.k8s\.io/v1"
        r"|gateway\.networking\.k8s\.io/v1|monitoring\.coreos\.com/v1"
    )
    assert [name_of(one) for one in every if not allowed.fullmatch(one["apiVersion"])] == []


def test_selectors_match_their_pods_and_nobody_elses(every: Sequence[Object]):
    templates = list(pods(every))
    for one in of_kind(every, "Deployment", "StatefulSet"):
        selector = one["spec"]["selector"]["matchLabels"]
        matched = [p.name for p in templates if selects(selector, p.labels)]
        assert matched == [name_of(one)]


def test_no_service_budget_policy_or_monitor_dangles(every: Sequence[Object]):
    labels = [one.labels for one in pods(every)]
    ports = {
        (one.labels["app.kubernetes.io/component"], port.get("name") or port["containerPort"])
        for one in pods(every)
        for container in one.containers
        for port in container.get("ports", ())
    }
    for one in every:
        match one["kind"]:
            case "Service":
                selector = one["spec"]["selector"]
                for port in one["spec"]["ports"]:
                    assert (selector["app.kubernetes.io/component"], port["targetPort"]) in ports, name_of(
                        one
                    )
            case "NetworkPolicy":
                selector = one["spec"]["podSelector"].get("matchLabels", {})
            case "PodDisruptionBudget":
                selector = one["spec"]["selector"]["matchLabels"]
            case "ServiceMonitor":
                services = [s["metadata"]["labels"] for s in of_kind(every, "Service")]
                assert [s for s in services if selects(one["spec"]["selector"]["matchLabels"], s)], name_of(
                    one
                )
                continue
            case "PodMonitor":
                selector = one["spec"]["selector"]["matchLabels"]
            case _:
                continue
        assert [found for found in labels if selects(selector, found)], name_of(one)


def test_what_leads_to_a_service_or_scales_pods_finds_them(every: Sequence[Object]):
    services = {s["metadata"]["name"]: s["spec"]["ports"] for s in of_kind(every, "Service")}
    for one in of_kind(every, "Ingress"):
        for path in (path for rule in one["spec"]["rules"] for path in rule["http"]["paths"]):
            to = path["backend"]["service"]
            assert to["port"]["name"] in {port["name"] for port in services[to["name"]]}, name_of(one)
    for one in of_kind(every, "HTTPRoute"):
        for to in (to for rule in one["spec"]["rules"] for to in rule["backendRefs"]):
            assert to["port"] in {port["port"] for port in services[to["name"]]}, name_of(one)
    owners = {name_of(each.owner) for each in pods(every)}
    for one in of_kind(every, "HorizontalPodAutoscaler"):
        to = one["spec"]["scaleTargetRef"]
        assert f"{to['kind']}/{to['name']}" in owners, name_of(one)


def test_a_service_is_open_inside_the_cluster_only_unless_somebody_says_so():
    for name in SCENARIOS:
        outside = [
            name_of(one)
            for one in of_kind(objects("polysession", *scenario(name)), "Service")
            if one["spec"].get("type", "ClusterIP") != "ClusterIP"
        ]
        assert outside == (["Service/polysession-edge"] if name == "kind" else [])


def test_every_pod_is_denied_what_is_not_listed(every: Sequence[Object]):
    policies = of_kind(every, "NetworkPolicy")
    for one in pods(every):
        mine = [p["spec"] for p in policies if selects(p["spec"]["podSelector"]["matchLabels"], one.labels)]
        assert {direction for spec in mine for direction in spec["policyTypes"]} == {"Ingress", "Egress"}, (
            one.name
        )


def test_only_the_edge_is_open_to_all(every: Sequence[Object]):
    for one in of_kind(every, "NetworkPolicy"):
        for rule in one["spec"].get("ingress", ()):
            if not rule.get("from"):
                assert one["spec"]["podSelector"]["matchLabels"]["app.kubernetes.io/component"] == "edge"
                assert rule["ports"] == [{"protocol": "TCP", "port": 8080}]


def test_the_edges_metrics_are_in_no_service_and_for_prometheus_only():
    every = objects(
        "react-shell", "--set", "global.publicUrl=https://shop.example.com,podMonitor.enabled=true"
    )
    (edge,) = pods(every)
    port = {each["containerPort"]: each["name"] for each in edge.containers[0]["ports"]}
    assert port == {8080: "http", 8081: "metrics"}
    assert edge.template["metadata"]["annotations"]["prometheus.io/port"] == "8081"
    (service,) = of_kind(every, "Service")
    assert [each["targetPort"] for each in service["spec"]["ports"]] == ["http"]
    (policy,) = of_kind(every, "NetworkPolicy")
    (rule,) = [each for each in policy["spec"]["ingress"] if each["ports"][0]["port"] == 8081]
    (peer,) = rule["from"]
    assert peer["podSelector"]["matchExpressions"][0]["values"] == ["prometheus"]
    (monitor,) = of_kind(every, "PodMonitor")
    assert [each["port"] for each in monitor["spec"]["podMetricsEndpoints"]] == ["metrics"]


def test_who_may_ask_is_also_let_out(every: Sequence[Object]):
    """Each way that a policy opens inward is open outward at the other end, and the other way round."""
    present = {one.labels["app.kubernetes.io/component"] for one in pods(every)}
    inward: set[tuple[str, str, int]] = set()
    outward: set[tuple[str, str, int]] = set()
    whole_release: set[tuple[str, int]] = set()  # or everybody: the edge's port
    for one in of_kind(every, "NetworkPolicy"):
        own = one["spec"]["podSelector"]["matchLabels"]["app.kubernetes.io/component"]
        for rule in one["spec"].get("ingress", ()):
            whole_release |= {
                (own, port["port"]) for port in rule["ports"] if of_all(rule.get("from") or [{}])
            }
            for peer, port in ways(rule, "from", present):
                inward.add((peer, own, port))
        for rule in one["spec"].get("egress", ()):
            for peer, port in ways(rule, "to", present):
                outward.add((own, peer, port))
    # Prometheus asks every pod of the release that carries its annotation, whatever the port.
    assert {way for way in outward if way[0] != "prometheus" and way[1:] not in whole_release} <= inward
    assert {way for way in inward if way[0] != "prometheus"} <= outward


def of_all(peers: Sequence[Object]) -> bool:
    labels = [peer.get("podSelector", {}) for peer in peers]
    return any(
        set(one.get("matchLabels", {})) <= {"app.kubernetes.io/instance"} and not one.get("matchExpressions")
        for one in labels
    )


def ways(rule: Object, end: str, present: set[str]) -> list[tuple[str, int]]:
    found = []
    for peer in rule.get(end) or ():
        selector = peer.get("podSelector", {})
        names = {selector.get("matchLabels", {}).get("app.kubernetes.io/component")} - {None}
        for expression in selector.get("matchExpressions", ()):
            names |= set(expression["values"])
        found += [(name, port["port"]) for name in names & present for port in rule.get("ports", ())]
    return found


def test_a_budget_is_there_for_more_than_one_pod_and_never_for_one(every: Sequence[Object]):
    budgets = [b["spec"]["selector"]["matchLabels"] for b in of_kind(every, "PodDisruptionBudget")]
    scaled = {a["spec"]["scaleTargetRef"]["name"] for a in of_kind(every, "HorizontalPodAutoscaler")}
    for one in pods(every):
        if one.passing:
            continue
        several = one.count > 1 or one.owner["metadata"]["name"] in scaled
        assert bool([b for b in budgets if selects(b, one.labels)]) == several, one.name
    for budget in of_kind(every, "PodDisruptionBudget"):
        assert budget["spec"]["maxUnavailable"] == 1
        if "redis" not in budget["metadata"]["name"]:
            assert budget["spec"]["unhealthyPodEvictionPolicy"] == "AlwaysAllow"


def test_several_pods_spread_over_nodes(every: Sequence[Object]):
    for one in pods(every):
        if one.count > 1:
            keys = [c["topologyKey"] for c in one.spec.get("topologySpreadConstraints", ())]
            assert keys == ["kubernetes.io/hostname"], one.name


def test_no_replicas_beside_an_autoscaler(every: Sequence[Object]):
    """Two owners of one field: a conflict that fails the upgrade under server-side apply."""
    scaled = {a["spec"]["scaleTargetRef"]["name"] for a in of_kind(every, "HorizontalPodAutoscaler")}
    for one in of_kind(every, "Deployment"):
        assert ("replicas" in one["spec"]) != (one["metadata"]["name"] in scaled), name_of(one)


def test_every_service_account_role_and_secret_reference_leads_somewhere(every: Sequence[Object]):
    accounts = {one["metadata"]["name"] for one in of_kind(every, "ServiceAccount")}
    maps = {one["metadata"]["name"] for one in of_kind(every, "ConfigMap")}
    for one in pods(every):
        if "serviceAccountName" in one.spec:
            assert one.spec["serviceAccountName"] in accounts, one.name
        volumes = one.spec.get("volumes", ())
        claims = [c["metadata"]["name"] for c in one.owner["spec"].get("volumeClaimTemplates", ())]
        named = {volume["name"] for volume in volumes} | set(claims)
        for container in one.containers:
            assert {mount["name"] for mount in container.get("volumeMounts", ())} == named, one.name
        wanted = {v["configMap"]["name"] for v in volumes if "configMap" in v}
        assert wanted - {"database-ca"} <= maps, one.name
    assert of_kind(every, "Secret") == [], "nothing secret is in a release's objects"
    assert of_kind(every, "ClusterRole", "ClusterRoleBinding") == []


def test_migrations_are_no_hooks_and_named_by_what_they_run():
    def jobs(*options: str) -> set[str]:
        found = objects("polysession", *options)
        return {one["metadata"]["name"] for one in of_kind(found, "Job") if "-db-" in one["metadata"]["name"]}

    before = jobs()
    assert len(before) == 2
    assert jobs("--set", "users.replicas=5,users.resources.limits.memory=512Mi") == before
    changed = jobs("--set", "users.image.tag=0.1.1")
    assert len(changed & before) == 1, "only the users' is another"
    for one in of_kind(objects("polysession"), "Job"):
        if "-db-" in one["metadata"]["name"]:
            assert "annotations" not in one["metadata"]


def test_hooks_leave_nothing_behind(every: Sequence[Object]):
    for one in every:
        annotations = one["metadata"].get("annotations", {})
        if "helm.sh/hook" in annotations:
            policies = annotations["helm.sh/hook-delete-policy"].split(",")
            assert {"before-hook-creation", "hook-succeeded"} <= set(policies), name_of(one)


def test_a_job_is_gone_a_week_after_its_end(every: Sequence[Object]):
    """A hook that failed, too, of which Helm knows nothing when the release is uninstalled."""
    jobs = of_kind(every, "Job")
    assert jobs
    assert {one["spec"].get("ttlSecondsAfterFinished") for one in jobs} == {604_800}


def test_a_version_bump_alone_changes_no_pod_but_by_its_image(tmp_path_factory: pytest.TempPathFactory):
    """Else every release would restart Redis, and a StatefulSet's claims would refuse it."""
    copy = tmp_path_factory.mktemp("bumped") / "charts"
    shutil.copytree(CHARTS, copy, symlinks=True)
    for chart in copy.glob("*/Chart.yaml"):
        chart.write_text(re.sub(r"(?m)^version: .*", "version: 9.9.9", chart.read_text(), count=1))
        chart.write_text(re.sub(r"(?m)^(    version:) .*", r"\1 9.9.9", chart.read_text()))
    done = helm("template", "polysession", str(copy / "polysession"), "--namespace", "shop")
    assert done.returncode == 0, done.stderr
    assert "polysession-9.9.9" in done.stdout
    after = {p.name: p for p in pods([o for o in parsed(done.stdout) if o]) if p.owner["kind"] != "Pod"}
    before = {p.name: p for p in pods(objects("polysession")) if p.owner["kind"] != "Pod"}
    assert after.keys() == before.keys()
    for name, one in before.items():
        assert after[name].template == one.template, name
        claims = "volumeClaimTemplates"
        assert after[name].owner["spec"].get(claims) == one.owner["spec"].get(claims), name


def test_a_packed_chart_renders_what_the_checkout_does(tmp_path: Path):
    done = helm("package", "charts/polysession", "--destination", str(tmp_path))
    assert done.returncode == 0, done.stderr
    packed = helm("template", "polysession", str(next(tmp_path.glob("*.tgz"))), "--namespace", "shop")
    assert packed.stdout == rendered("polysession")


def test_every_dependency_is_a_relative_link_in_the_checkout():
    """So a clean clone installs: `helm dependency update` does not recurse, and a packed dependency goes stale."""
    for chart in APPLICATIONS:
        about = yaml.safe_load((CHARTS / chart / "Chart.yaml").read_text())
        for dependency in about["dependencies"]:
            name = dependency["name"]
            assert (CHARTS / chart / "charts" / name).readlink() == Path("../..") / name
            version = yaml.safe_load((CHARTS / name / "Chart.yaml").read_text())["version"]
            assert dependency["version"] == version, (chart, name)
        assert {d["name"] for d in about["dependencies"]} == {
            p.name for p in (CHARTS / chart / "charts").iterdir()
        }


@pytest.mark.parametrize("chart", APPLICATIONS)
def test_what_is_rendered_depends_on_values_alone(chart: str):
    """The same under GitOps, which renders without a cluster: no lookup, no capabilities, no clock, no chance."""
    options = ("--set", "global.publicUrl=http://localhost")
    text = rendered(chart, *options)
    rendered.cache_clear()
    again = rendered(
        chart, *options, "--kube-version", "1.31.0", "--api-versions", "monitoring.coreos.com/v1"
    )
    assert text == again

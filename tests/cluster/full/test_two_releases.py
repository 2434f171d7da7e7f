"""Two releases in one namespace: neither Redis Cluster takes the other's nodes, no session of one is one of the other."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator

import pytest

from tests.cluster import release
from tests.cluster.kind import ORIGIN
from tests.cluster.pods import REDIS, Pods, wait
from tests.cluster.ports import forwarded
from tests.cluster.shell import NAMESPACE, RELEASE, helm, kubectl
from tests.person import Person

SECOND = "second"
SMALL = """
global: {publicUrl: PUBLIC_URL, collector: {enabled: false}}
observability: {enabled: false}
users: {replicas: 1}
orders: {replicas: 1}
shell: {replicas: 1}
redis: {exporter: {enabled: false}}
"""
# A node that was told to meet another gives up after its timeout of five seconds.
MEETS_WITHIN = 15


@pytest.fixture(scope="module")
def origin(on_redis: Pods) -> Iterator[str]:
    """Of the second release, beside the first."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    public_url = f"http://127.0.0.1:{port}"
    space = ("--wait", "--timeout", f"{release.READY_SECONDS}s")
    values = SMALL.replace("PUBLIC_URL", public_url)
    helm("install", SECOND, release.CHART, "--values", "-", *space, text=values)
    try:
        with forwarded("edge", 80, release=SECOND, local=port):
            yield public_url
    finally:
        helm("uninstall", SECOND, *space)
        ours = ("--selector", f"app.kubernetes.io/instance={SECOND}", "--namespace", NAMESPACE)
        kubectl("delete", "pvc,secret", *ours)


def test_a_session_of_one_release_is_none_of_the_other(origin: str) -> None:
    first, second = Person(ORIGIN).sign_up().sign_in(), Person(origin).sign_up().sign_in()
    for person, other in ((first, origin), (second, ORIGIN)):
        assert person.current()["account"]["username"] == person.name
        stranger = Person(other)
        stranger.http.cookies.set("session", str(person.cookie))
        assert stranger.http.get("/api/users/me").status_code == 401
        assert person.current()["account"]["username"] == person.name


def test_no_node_of_one_is_in_the_cluster_of_the_other(
    origin: str, on_redis: Pods, measured: Callable[[object], None]
) -> None:
    """Also where the manager of one is told to bring both together."""
    ours, theirs = members(RELEASE), members(SECOND)
    assert len(ours) == len(theirs) == 6
    assert not ours & theirs
    target = on_redis.redis()[0].status.pod_ip
    assert meet(f"{SECOND}-redis-0.{SECOND}-redis-nodes", target) == "OK"
    time.sleep(MEETS_WITHIN)
    assert members(RELEASE) == ours
    wait(lambda: members(SECOND) == theirs, "the second has forgotten whom it could not meet", seconds=30)
    assert not reaches(f"{SECOND}-redis-0", target)
    assert reaches(f"{REDIS}-1", target)
    measured(
        f"CLUSTER MEET from one to {target} of the other: {len(ours)} and {len(theirs)} nodes before and after"
    )


def members(name: str) -> set[str]:
    """IDs in the table of every node of a release."""
    found = set()
    for ordinal in range(6):
        words = ("exec", f"{name}-redis-{ordinal}", "--namespace", NAMESPACE, "-c", "redis", "--")
        lines = kubectl(*words, "cat", "/data/nodes.conf").splitlines()
        found |= {line.split()[0] for line in lines if not line.startswith("vars")}
    return found


def meet(asked: str, address: str) -> str:
    """By the manager of the second release, which may."""
    ask = f"""
import json, os, redis
password = open(os.environ["OPERATIONS_PASSWORD_FILE"]).read().strip()
node = redis.Redis(host={asked!r}, username=os.environ["OPERATIONS_USERNAME"], password=password, decode_responses=True)
print(json.dumps(node.execute_command("CLUSTER MEET", {address!r}, 6379)))
"""
    words = (
        "exec",
        "-i",
        f"deployment/{SECOND}-redis-manager",
        "--namespace",
        NAMESPACE,
        "--",
        "python",
        "-",
    )
    said = json.loads(kubectl(*words, text=ask))
    return "OK" if said is True else str(said)


def reaches(pod: str, address: str) -> bool:
    """The Redis port of an address, from a Redis pod. Refused without a password is reached, too."""
    words = ("exec", pod, "--namespace", NAMESPACE, "-c", "redis", "--", "timeout", "5")
    said = kubectl(*words, "redis-cli", "-h", address, "ping", check=False)
    return "NOAUTH" in said or "PONG" in said

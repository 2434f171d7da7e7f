"""One look, at pods that are not what their names say."""

from typing import Any, cast

from operations.nodes import Names, NodeError, Nodes, Resolve
from operations.observe import Observer
from operations.wanted import Shape

NAMES = Names("r-redis-{ordinal}.r:6379")


class FakeNodes:
    """Two nodes, that answer at these addresses and announce their pods' names."""

    def __init__(self, *addresses: str) -> None:
        self._addresses = addresses
        self.is_down = self.is_new = False
        self.recorded: list[str] = []

    def ask(self, address: str, *command: object) -> Any:
        if command[0] == "HGETALL" and self.is_down:
            raise NodeError("HGETALL operations:target: CLUSTERDOWN The cluster is down")
        answers: dict[object, Any] = {
            "CLUSTER": self._nodes(address),
            "ROLE": ["master", 0, []],
            "INFO": "redis_version:7.0.15",
            "DBSIZE": 1,
            "COMMAND": [None, None],
            "HGETALL": self.recorded,
        }
        return answers.get(command[0], [])

    def _nodes(self, asked: str) -> str:
        lines = []
        for ordinal, address in enumerate(self._addresses):
            flags = "myself,master" if address == asked else "master"
            slots = "" if self.is_new else f"{8192 * ordinal}-{8192 * ordinal + 8191}"
            lines.append(
                f"id{ordinal} {address}@16379,{NAMES.host(ordinal)} {flags} - 0 0 {ordinal + 1} connected {slots}"
            )
        return "\n".join(lines)

    def close(self, *, but: frozenset[str]) -> None:
        pass

    def remember(self, resolve: Resolve) -> Resolve:
        return resolve


def test_a_pod_that_has_the_address_of_another_is_not_taken_for_it():
    """Pod 0 got the address that pod 1 had, and the resolver has not heard that pod 1 is elsewhere now."""
    nodes = FakeNodes("10.0.0.1:6379", "10.0.0.2:6379")
    observer = Observer(cast("Nodes", nodes), NAMES, lambda _host, _port: "10.0.0.1:6379")
    observed = observer.look(2)
    assert [(member.ordinal, member.id) for member in observed.members] == [(0, "id0")]
    assert observed.silent == {1}
    assert "pod 0" in observer.reasons[1]


def test_a_cluster_that_is_down_for_a_moment_has_not_forgotten_what_is_recorded():
    nodes = FakeNodes("10.0.0.1:6379", "10.0.0.2:6379")
    names = {NAMES.host(0): "10.0.0.1:6379", NAMES.host(1): "10.0.0.2:6379"}
    observer = Observer(cast("Nodes", nodes), NAMES, lambda host, _port: names[host])
    nodes.is_down = True
    assert "CLUSTERDOWN" in observer.look(2).unread
    nodes.is_down, nodes.recorded = False, ["primaries", "3", "replicas", "1"]
    assert (observer.look(2).recorded, observer.look(2).unread) == (Shape(3, 1), "")
    nodes.is_down = True
    observed = observer.look(2)
    assert observed.recorded == Shape(3, 1)  # a manager that took it for nothing would use drained pods again
    assert observed.unread
    nodes.is_down, nodes.recorded = False, []
    assert observer.look(2).recorded is None
    nodes.recorded = ["primaries", "3", "replicas", "1"]
    assert observer.look(2).recorded == Shape(3, 1)
    nodes.is_new = True  # every volume was lost
    assert (observer.look(2).recorded, observer.look(2).unread) == (None, "")

"""The session store as the services see it: asked in a pod of the users service, as the Redis user that it is."""

from __future__ import annotations

from tests.cluster.shell import NAMESPACE, RELEASE, kubectl

KEYS = 3000  # over all slots: such as must outlive what a step does
_SETTINGS = """
import os, redis
from redis.cluster import ClusterNode
host, _, port = os.environ["REDIS_NODES"].partition(",")[0].rpartition(":")
user = os.environ["REDIS_USERNAME"]
password = open(os.environ["REDIS_PASSWORD_FILE"]).read().strip()
def connect():
    return redis.RedisCluster(startup_nodes=[ClusterNode(host, int(port))], username=user, password=password)
"""
_NAMES = """
store = connect()
names = {f"ps:kept:{number}": str(number).encode() for number in range(%d)}
"""
_PLANT = "print('planted', sum(bool(store.set(name, value, ex=7200)) for name, value in names.items()))"
_COUNT = "print('lost', sum(store.get(name) != value for name, value in names.items()))"
_TRY = """
try:
    for node in connect().get_nodes():
        redis.Redis(host=node.host, port=node.port, username=user, password=candidate).ping()
    print("accepted")
except redis.AuthenticationError:
    print("refused")
"""


def plant() -> None:
    """All of them anew, for two hours."""
    assert _ask(_NAMES % KEYS + _PLANT) == f"planted {KEYS}"


def lost() -> int:
    """How many are not there, or are not what they were."""
    return int(_ask(_NAMES % KEYS + _COUNT).removeprefix("lost "))


def accepts(password: str) -> bool:
    """Every node, of the user ``sessions``, on a new connection."""
    said = _ask(f"candidate = {password!r}\n{_TRY}")
    assert said in ("accepted", "refused")
    return said == "accepted"


def mounted_password() -> str:
    """What a service that connects now would show."""
    return _ask("print(password)")


def _ask(what: str) -> str:
    words = ("exec", "-i", f"deployment/{RELEASE}-users", "--namespace", NAMESPACE, "--", "python", "-")
    return kubectl(*words, text=f"{_SETTINGS}{what}\n").strip()

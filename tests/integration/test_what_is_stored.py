"""A dump of Redis lets nobody sign in."""

from __future__ import annotations

import redis

from tests.person import Person


def contents(nodes: list[tuple[str, int]]) -> bytes:
    """Every key, field, member and value of the cluster. (DUMP would not do: it compresses.)"""
    found: list[bytes] = []
    for host, port in nodes:
        found += contents_of(redis.Redis(host=host, port=port))
    return b"\n".join(found)


def contents_of(node: redis.Redis) -> list[bytes]:
    found: list[bytes] = []
    with node:
        if node.info("replication")["role"] != "master":
            return found
        for key in node.scan_iter(count=1000):
            found.append(key)
            kind = node.type(key)
            if kind == b"hash":
                found += [part for pair in node.hgetall(key).items() for part in pair]
            elif kind == b"zset":
                found += node.zrange(key, 0, -1)
            elif kind == b"list":
                found += node.lrange(key, 0, -1)
            elif kind == b"stream":
                found += [part for _, entry in node.xrange(key) for pair in entry.items() for part in pair]
            else:
                found.append(node.get(key))
    return found


def test_neither_token_nor_secret_nor_user_name_lies_in_redis(person: Person, redis_nodes):
    person.put_in_cart("steel-rule")
    anonymous = str(person.cookie)
    person.sign_in()
    everything = contents(redis_nodes)
    assert person.current()["id"].encode() in everything
    for token in (anonymous, str(person.cookie)):
        secret = token[22:54]
        assert token.encode() not in everything
        assert secret.encode() not in everything
    assert person.name.encode() not in everything

"""``python -m bench``: one run, all peers in turn, a Markdown table.

TEST_REDIS_NODES names the Redis Cluster. Peers that cannot speak to a cluster get a plain redis-server of their own on
this machine, started here and stopped at the end; it has no replicas to feed, which is to their advantage.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
from datetime import UTC, datetime
from typing import Any

from redis.cluster import ClusterNode, RedisCluster

from . import django_peers, flask_peers, ours, table
from .floor import make_floor
from .plain_redis import plain_redis
from .timing import time_peers
from .traffic import count_traffic


def main() -> None:
    arguments = _parse()
    nodes = os.environ.get("TEST_REDIS_NODES", "")
    if not nodes:
        sys.exit("TEST_REDIS_NODES is not set: host:port,host:port of a Redis Cluster")
    make_node: Any = ClusterNode  # has no types
    startup = [
        make_node(host, int(port)) for host, _, port in (one.rpartition(":") for one in nodes.split(","))
    ]
    cluster: Any = RedisCluster(startup_nodes=startup)
    with plain_redis() as plain:
        django_peers.set_up(f"redis://127.0.0.1:{plain.connection_pool.connection_kwargs['port']}/0")
        manager, prefix = ours.connect(nodes, sealed=not arguments.plain)
        peers = [
            make_floor(table.FLOOR, "cluster", cluster),
            make_floor("redis-py, bare", "plain", plain),
            ours.make_client_peer(nodes),
            ours.make_core_peer(manager, prefix, cluster),
            django_peers.make_our_peer(manager, prefix, cluster),
            flask_peers.make_our_peer(manager, prefix, cluster),
            django_peers.make_stock_peer("cache", plain),
            django_peers.make_stock_peer("cached_db", plain),
            flask_peers.make_stock_peer(plain),
        ]
        traffic = {peer.name: count_traffic(peer) for peer in peers}
        memory = {peer.name: peer.memory() for peer in peers}
        own = ours.measure_own(nodes, cluster)
        order = random.Random(arguments.seed)  # noqa: S311 - the order of turns is no secret
        samples = time_peers(peers, rounds=arguments.rounds, block=arguments.block, order=order)
        version = cluster.info(target_nodes=cluster.get_primaries()[0])["redis_version"]
    print(
        table.render_head(
            datetime.now(UTC),
            version,
            operations=arguments.rounds * arguments.block,
            sealed=not arguments.plain,
        )
    )
    print(table.render_times(peers, samples))
    print(table.render_sizes(peers, traffic, memory, own))
    print(table.render_targets(peers, samples, traffic, memory, own))
    manager.close()


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=60, help="turns of each peer (default 60)")
    parser.add_argument("--block", type=int, default=25, help="operations a turn (default 25)")
    parser.add_argument("--plain", action="store_true", help="our attributes unsealed")
    parser.add_argument("--seed", type=int, default=1, help="of the order of turns")
    return parser.parse_args()


if __name__ == "__main__":
    main()

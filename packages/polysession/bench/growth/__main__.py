"""``python -m bench.growth``: how cost grows with the sessions in the store, and with those of one principal.

On a Redis Cluster of its own. Small sessions, each the only one of its principal; ratios are to the smallest store.
"""

from __future__ import annotations

import argparse
import os
import random
import secrets
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial

import redis
from polysession.core.ending import end_due
from polysession.core.events import Events
from polysession.core.record import Address, Record
from polysession.core.store import Change, Limit
from polysession.core.token import PARTITIONS
from polysession.stores.cluster import Cluster
from polysession.stores.keys import Keyspace
from polysession.stores.redis import RedisStore
from polysession.testing import HOUR, make_address, make_attribute, make_principal, make_record

from .own_cluster import own_cluster
from .seeding import VALUES, Seeder
from .table import make_table

SIZES = (1_000, 10_000, 100_000, 1_000_000)
PRINCIPAL_SIZES = (1, 10, 100)
DUE = 100
_PREFIX = "ps"


def main() -> None:
    arguments = _parse()
    until = time.monotonic() + arguments.seconds
    with own_cluster() as nodes:
        store = RedisStore(nodes, prefix=_PREFIX, confirm=False, deadline_ms=5000)
        seeder = Seeder(Cluster(nodes), Keyspace(_PREFIX), store.now())
        empty = _used(nodes)
        rows: list[Row] = []
        seeds: list[Address] = []
        for size in arguments.sizes:
            began = time.monotonic()
            seeds += seeder.add(size - len(seeds))
            rows.append(_measure(store, nodes, seeds, empty, arguments.samples))
            took = time.monotonic() - began
            if size != arguments.sizes[-1] and time.monotonic() + took * 9 > until:
                print(
                    f"Stopped at {size:,} sessions: more would take over {arguments.seconds} s.",
                    file=sys.stderr,
                )
                break
        print(
            f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC; {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}\n"
        )
        print(_render("sessions", [*STORE_COLUMNS], rows))
        principals = [_measure_principal(store, size, arguments.samples) for size in PRINCIPAL_SIZES]
        print(_render("sessions of a principal", [*PRINCIPAL_COLUMNS], principals))
        store.close()


STORE_COLUMNS = (
    "read µs",
    "write µs",
    "live count ms",
    "keeper: nothing due ms",
    f"keeper: {DUE} due ms",
    "bytes a session",
)
PRINCIPAL_COLUMNS = ("sign-in µs", "list µs", "sign-in over the limit µs", "end all µs")
Node = tuple[str, int]
Row = tuple[int, Sequence[float]]


def _measure(
    store: RedisStore, nodes: Sequence[Node], seeds: Sequence[Address], empty: int, samples: int
) -> Row:
    chosen = random.Random(1).sample(seeds, min(samples, len(seeds)))  # noqa: S311 - which are measured is no secret
    used = (_used(nodes) - empty) / len(seeds)
    reads = _time([partial(store.read, one) for one in chosen])
    writes = _time([partial(store.write, one, _change(store, one)) for one in chosen])
    count = _time([store.count] * 5)
    idle = _time([lambda: end_due(store, Events())] * 5)
    for _ in range(DUE):
        record = make_record(store.now() - 2 * HOUR, {"theme": "dark"}, principal_key=make_principal())
        store.create(make_address(), record)
    busy = _time([lambda: end_due(store, Events())])
    return len(seeds), (reads, writes, count / 1000, idle / 1000, busy / 1000, used)


def _change(store: RedisStore, place: Address) -> dict[str, Change]:
    record = store.read(place)
    assert isinstance(record, Record)
    return {"theme": Change(record.attributes["theme"].tag, make_attribute("light"))}


def _measure_principal(store: RedisStore, size: int, samples: int) -> Row:
    """A principal that has ``size`` sessions signs in once more, lists them, and ends all."""
    limit = Limit(2 * size)
    within, listed, over, ended = [], [], [], []
    for _ in range(max(5, samples // 20)):
        partition, key = secrets.randbelow(PARTITIONS), make_principal()
        for _ in range(size - 1):
            _sign_in(store, partition, key, limit)
        within.append(partial(_sign_in, store, partition, key, limit))
        listed.append(partial(store.list, partition, key))
        over.append(partial(_sign_in, store, partition, key, Limit(size)))
        ended.append(partial(store.end_principal, partition, key, "revoked", generation=1))
    # One after the other: each finds what the one before has left behind.
    return size, [_time(calls) for calls in (within, listed, over, ended)]


def _sign_in(store: RedisStore, partition: int, key: str, limit: Limit) -> None:
    record = make_record(store.now(), VALUES, principal_key=key)
    store.create(make_address(partition), record, limit=limit)


def _time(calls: Sequence[Callable[[], object]]) -> float:
    """The median, in microseconds."""
    taken = []
    for call in calls:
        began = time.perf_counter_ns()
        call()
        taken.append((time.perf_counter_ns() - began) / 1000)
    return statistics.median(taken)


def _used(nodes: Sequence[Node]) -> int:
    """Bytes that Redis has allocated, in all nodes."""
    total = 0
    for host, port in nodes:
        with redis.Redis(host, port) as client:
            total += int(client.info("memory")["used_memory"])
    return total


def _render(what: str, columns: Sequence[str], rows: Sequence[Row]) -> str:
    first = rows[0][1]
    lines = [
        [
            f"{size:,}",
            *(
                f"{value:,.4g} ({value / smallest:.2f}x)"
                for value, smallest in zip(values, first, strict=True)
            ),
        ]
        for size, values in rows
    ]
    return make_table((what, *columns), lines)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.growth", description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="sessions in the store, growing")
    parser.add_argument("--samples", type=int, default=500, help="sessions read and written at each size")
    parser.add_argument("--seconds", type=int, default=600, help="begin no size that would last longer")
    return parser.parse_args()


if __name__ == "__main__":
    main()

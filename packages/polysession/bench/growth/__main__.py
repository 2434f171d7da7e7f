"""``python -m bench.growth``: how cost grows with the sessions in the store, and with those of one principal.

Stores of all sizes stand side by side, each a Redis Cluster of its own on this machine, and are measured in turns.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

from ..table import make_table
from .own_cluster import own_cluster
from .principals import principals
from .sized import SizedStore
from .turns import Results, Samples, Subject, quartile, take_turns

SIZES = (1_000, 10_000, 100_000, 1_000_000)
_IDLE_SECONDS = 3.0


def main() -> None:
    arguments = _parse()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the nodes are stopped
    order = random.Random(arguments.seed)  # noqa: S311 - the order of turns is no secret
    with ExitStack() as stack:
        stores = []
        for size in sorted(arguments.sizes):
            nodes = stack.enter_context(own_cluster())
            stores.append(SizedStore(nodes, size, order))
            stack.callback(stores[-1].close)
            print(f"{size:,} sessions are in a store.", file=sys.stderr)
        idle = _idle(stores)
        # Large, but only as much in use as the smallest has: what still costs more is structure, not the caches.
        subjects = [*(one.subject() for one in stores), stores[-1].subject(used=stores[0].size)]
        wholes = [one.whole() for one in stores]
        by_principal = principals(stores[0].store, stores[0].clients)
        results: dict[tuple[str, str], Samples] = {}
        for several, share in ((subjects, 1), (wholes, 2), (by_principal, 2)):  # the latter two take longer
            results |= take_turns(several, rounds=max(1, arguments.rounds // share), order=order)
    print(
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC; {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; "
        f"{arguments.rounds} rounds, lower quartiles; in brackets: times the smallest's.\n"
    )
    more = {
        "bytes a session": [f"{one.bytes_each:.0f}" for one in stores],
        "idle nodes, CPU": [f"{share:.1%}" for share in idle],
    }
    print("µs at the client:\n")
    print(_render("sessions", subjects, results))
    print("Of it in Redis, µs of its GET, HGETALL, or script:\n")
    print(_render("sessions", subjects, results, inside=True))
    print("All 4,096 partitions, ms:\n")
    print(_render("sessions", wholes, results, unit=1000, more=more))
    print("Of it in Redis, µs of one partition's ZCOUNT:\n")
    print(_render("sessions", wholes, results, inside=True))
    print(f"One principal's, in the store of {stores[0].size:,}, µs at the client:\n")
    print(_render("sessions of a principal", by_principal, results))
    print("Of it in Redis, µs of a script:\n")
    print(_render("sessions of a principal", by_principal, results, inside=True))


def _idle(stores: Sequence[SizedStore]) -> Sequence[float]:
    """What the three nodes of each store take of one core while nobody asks them anything."""
    before = [_cpu(one.clients) for one in stores]
    time.sleep(_IDLE_SECONDS)
    return [(_cpu(one.clients) - was) / _IDLE_SECONDS for one, was in zip(stores, before, strict=True)]


def _cpu(clients: Sequence[Any]) -> float:
    spent = [client.info("cpu") for client in clients]
    return sum(float(one["used_cpu_user"]) + float(one["used_cpu_sys"]) for one in spent)


def _render(
    what: str,
    subjects: Sequence[Subject],
    results: Results,
    *,
    inside: bool = False,
    unit: float = 1.0,
    more: Mapping[str, Sequence[str]] | None = None,
) -> str:
    works, added = [work.name for work in subjects[0].works], more or {}

    def cell(work: str, subject: Subject) -> str:
        both = (results[work, one.name] for one in (subject, subjects[0]))
        here, smallest = (quartile(one.inside if inside else one.wall) for one in both)
        return f"{here / unit:.3g} ({here / smallest:.2f})" if smallest else "-"

    rows = [
        [one.name, *(cell(work, one) for work in works), *(column[row] for column in added.values())]
        for row, one in enumerate(subjects)
    ]
    return make_table((what, *works, *added), rows)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.growth", description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="sessions in each of the stores")
    parser.add_argument("--rounds", type=int, default=40, help="turns of each store (default 40)")
    parser.add_argument("--seed", type=int, default=1, help="of the order of turns")
    return parser.parse_args()


if __name__ == "__main__":
    main()

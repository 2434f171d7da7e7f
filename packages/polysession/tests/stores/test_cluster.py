"""The slot table: what the client makes of the cluster's answers."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from polysession.stores.cluster import Cluster, NoAnswerError
from polysession.stores.commands import Command
from polysession.stores.keys import SLOTS
from polysession.stores.pool import Credentials, Deadline, Node
from polysession.stores.slots import read_slots

ASKED = Node("10.0.0.1", 6379)


def test_every_slot_has_the_owner_that_is_named_first() -> None:
    reply = [
        [0, 8191, [b"10.0.0.1", 6379, b"id", {}], [b"10.0.0.3", 6380, b"id", {}]],
        [8192, 16383, [b"10.0.0.2", 6379, b"id", {}]],
    ]
    owners, nodes = read_slots(reply, ASKED)
    assert (owners[0], owners[8191], owners[8192]) == (ASKED, ASKED, Node("10.0.0.2", 6379))
    assert len(owners) == SLOTS
    assert nodes == (ASKED, Node("10.0.0.3", 6380), Node("10.0.0.2", 6379))


@pytest.mark.parametrize("unsaid", [b"", None])
def test_a_node_without_an_address_is_the_host_that_answered(unsaid: bytes | None) -> None:
    owners, _ = read_slots([[0, 0, [unsaid, 7000, b"id", {}]]], ASKED)
    assert owners[0] == Node("10.0.0.1", 7000)


def test_a_node_whose_address_is_unknown_owns_nothing_that_can_be_asked() -> None:
    owners, nodes = read_slots([[0, 5, [b"?", 7000, b"id", {}]]], ASKED)
    assert owners[0] is None
    assert nodes == ()


def test_a_slot_that_nobody_serves_has_no_owner() -> None:
    owners, _ = read_slots([[0, 5, [b"10.0.0.1", 6379, b"id", {}]]], ASKED)
    assert owners.count(None) == SLOTS - 6


def test_a_deadline_ends_whatever_is_left_to_try() -> None:
    times = iter((0.0, 0.2, 0.3))
    deadline = Deadline(0.25, lambda: next(times))
    assert deadline.remaining() == pytest.approx(0.05)
    with pytest.raises(Exception, match="250 ms"):
        deadline.remaining()


def test_credentials_do_not_show_themselves() -> None:
    assert "hunter2" not in repr(Credentials("somebody", "hunter2"))


def test_a_command_that_is_wrong_is_no_outage(redis_nodes: tuple[tuple[str, int], ...]) -> None:
    cluster = Cluster(redis_nodes)
    with pytest.raises(RuntimeError, match="Redis refused"):
        cluster.execute(0, Command.of("HGETALL"), cluster.deadline(5))
    cluster.close()


def test_nodes_of_which_none_answers_are_unknown_and_the_error_says_why() -> None:
    cluster = Cluster([("127.0.0.1", 1), ("127.0.0.1", 2)])
    with pytest.raises(NoAnswerError, match="no node of the Redis Cluster knows its slots"):
        cluster.execute(0, Command.of("PING"), cluster.deadline(1))


def test_more_operations_than_connections_wait_for_one(redis_nodes: tuple[tuple[str, int], ...]) -> None:
    cluster = Cluster(redis_nodes, pool_size=2)
    with ThreadPoolExecutor(8) as threads:
        replies = list(
            threads.map(lambda _: cluster.execute(0, Command.of("PING"), cluster.deadline(5)), range(100))
        )
    assert replies == [b"PONG"] * 100
    assert all(len(pool._idle) <= 2 for pool in cluster._state.pools.values())
    cluster.close()

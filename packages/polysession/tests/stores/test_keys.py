from __future__ import annotations

from collections import Counter

import pytest
import redis
from polysession.core.record import Address
from polysession.core.token import PARTITIONS
from polysession.stores.keys import SLOTS, Keyspace, member, session_id_of, slot


def test_every_key_of_a_partition_is_in_the_slot_that_redis_computes(
    redis_nodes: tuple[tuple[str, int], ...],
) -> None:
    keys = Keyspace("ps")
    host, port = redis_nodes[0]
    with redis.Redis(host=host, port=port) as client:
        for partition in (0, 7, 4095):
            names = (
                keys.record(Address(partition, "A" * 16)),
                keys.expiry(partition),
                keys.principals(partition),
                keys.generation(partition, "P" * 21 + "Q"),
                keys.outbox(partition),
            )
            assert {client.execute_command("CLUSTER KEYSLOT", name) for name in names} == {slot(partition)}


@pytest.mark.parametrize("primaries", range(3, 9))
def test_partitions_are_even_over_equal_primaries_within_one_percent(primaries: int) -> None:
    owners = Counter(slot(partition) * primaries // SLOTS for partition in range(PARTITIONS))
    even = PARTITIONS / primaries
    assert all(abs(count - even) / even < 0.01 for count in owners.values())


def test_a_partition_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="partition 4096"):
        Keyspace("ps").expiry(4096)
    with pytest.raises(ValueError, match="partition -1"):
        Keyspace("ps").record(Address(-1, "A" * 16))


@pytest.mark.parametrize("prefix", ["", "a{b}"])
def test_a_prefix_that_would_move_the_hash_tag_is_refused(prefix: str) -> None:
    with pytest.raises(ValueError, match="prefix"):
        Keyspace(prefix)


def test_a_member_of_an_index_names_the_session_in_twelve_bytes() -> None:
    session_id = "AB-_" * 4
    assert len(member(session_id)) == 12
    assert session_id_of(member(session_id)) == session_id

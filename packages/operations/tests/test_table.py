import pytest
from operations.nodes import Names
from operations.observed import ranges
from operations.table import parse_table

NAMES = Names("r-redis-{ordinal}.r-redis-nodes.ns.svc.example:6379")

REDIS_7 = """\
07c37df 127.0.0.1:30004@31004,r-redis-4.r-redis-nodes.ns.svc.example slave e7d1eec 0 1426238317239 4 connected
67ed2db :0@0,r-redis-1.r-redis-nodes.ns.svc.example master,noaddr - 1 2 2 disconnected 5461-10922
292f8b3 127.0.0.1:30003@31003 master,fail? - 0 1426238318243 3 connected 10923-16383
e7d1eec 127.0.0.1:30001@31001,r-redis-0.r-redis-nodes.ns.svc.example myself,master - 0 0 1 connected 0-3 5 [93->-292f8b3]
aaaa111 127.0.0.1:30009@31009 handshake - 0 0 0 disconnected
"""
VALKEY_9 = (
    "e7d1eec 10.1.2.3:6379@16379,r-redis-2.r-redis-nodes.ns.svc.example,shard-id=69bc "
    "myself,slave 07c37df 0 0 7 connected\n"
)


def test_every_line_is_understood_and_handshakes_are_left_out():
    table = parse_table(REDIS_7, NAMES.ordinal)
    assert (table.own.id, table.own.ordinal, table.epoch, table.own.slots) == (
        "e7d1eec",
        0,
        1,
        {0, 1, 2, 3, 5},
    )
    replica, without_address, unnamed = table.others
    assert (replica.ordinal, replica.primary_id, replica.connected, replica.failing) == (
        4,
        "e7d1eec",
        True,
        False,
    )
    assert without_address.failing
    assert not without_address.connected
    assert len(without_address.slots) == 5462
    assert unnamed.ordinal is None
    assert unnamed.failing


def test_valkey_adds_fields_to_a_name():
    own = parse_table(VALKEY_9, NAMES.ordinal).own
    assert (own.ordinal, own.primary_id, own.address) == (2, "07c37df", "10.1.2.3:6379")


@pytest.mark.parametrize("text", ["", "nonsense", "e7d1eec 127.0.0.1:1@2 master - 0 0 1 connected"])
def test_what_is_no_table_is_refused(text: str):
    with pytest.raises(ValueError, match="CLUSTER NODES"):
        parse_table(text, NAMES.ordinal)


def test_names_of_other_releases_have_no_ordinal():
    assert NAMES.host(3) == "r-redis-3.r-redis-nodes.ns.svc.example"
    assert NAMES.ordinal("other-redis-3.r-redis-nodes.ns.svc.example") is None
    assert NAMES.ordinal("r-redis-x.r-redis-nodes.ns.svc.example") is None


def test_slots_are_said_as_ranges():
    assert list(ranges({5, 1, 2, 3, 9, 10})) == [(1, 3), (5, 5), (9, 10)]
    assert list(ranges(())) == []

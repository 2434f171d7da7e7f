"""The manager and the guard on real redis-server processes, whose addresses change at each start."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from operations.acl import USERS, hash_password, render_acl, revision_of
from operations.guard import Guard, Refused
from operations.log import Log
from operations.nodes import Access
from operations.settings import GuardSettings
from operations.wanted import SLOTS, Shape, Wanted

from .conftest import Lines
from .nodes_for_tests import Operator, Pods, is_whole, keys_of

THREE = Wanted(primaries=3, replicas=1)


@pytest.fixture
def make_pods(tmp_path: Path) -> Iterator[Callable[[int], Pods]]:
    made: list[Pods] = []

    def make(number: int, acl_file: Path | None = None) -> Pods:
        made.append(Pods(tmp_path, number, acl_file=acl_file))
        return made[-1]

    yield make
    for pods in made:
        pods.stop()


@pytest.fixture
def operator(make_pods: Callable[[int], Pods], log: Log) -> Iterator[tuple[Pods, Operator]]:
    pods = make_pods(6)
    one = Operator(pods, THREE, log)
    yield pods, one
    one.close()


def test_a_cluster_begins_moves_with_its_pods_and_heals(operator: tuple[Pods, Operator], lines: Lines):
    pods, one = operator
    observed = one.work()
    assert is_whole(observed, THREE)
    assert {member.ordinal for member in observed.primaries} == {0, 2, 4}  # ordinal ÷ 2 is the first guess
    total = pods.fill(observed)

    for pod in pods:  # all pods come back elsewhere, at once
        pod.kill()
    for pod in pods:
        pod.start()
    observed = one.work()
    assert is_whole(observed, THREE)
    assert keys_of(observed) == total

    lost = observed.primaries[0].ordinal  # one primary dies and its volume with it
    old = observed.by_ordinal[lost].id
    pods[lost].kill()
    one.work(until=lambda seen: len(seen.members) == 5 and len(seen.served) == SLOTS)
    pods[lost].lose_data()
    pods[lost].start()
    observed = one.work()
    assert is_whole(observed, THREE)
    assert keys_of(observed) == total
    assert observed.by_ordinal[lost].id != old
    assert old not in {entry for member in observed.members for entry in member.table}
    assert "LOST" not in lines.getvalue()


def test_slots_of_a_shard_that_lost_both_volumes_are_given_out_again_loudly(
    operator: tuple[Pods, Operator], lines: Lines, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("operations.steps.LOSS_SECONDS", 3.0)
    pods, one = operator
    observed = one.work()
    total = pods.fill(observed)
    shard = one.look().shards[1]
    gone = shard.primary.keys
    assert gone > 0
    for member in shard.members:
        pods[member.ordinal].kill()
        pods[member.ordinal].lose_data()
    for member in shard.members:
        pods[member.ordinal].start()
    observed = one.work()
    assert is_whole(observed, THREE)
    assert keys_of(observed) == total - gone
    assert lines.level("LOST") == "error"
    assert one.manager.metrics.lost._value.get() == len(shard.primary.slots)


def test_replicas_take_over_without_a_majority_only_if_that_is_asked_for(
    operator: tuple[Pods, Operator], log: Log, lines: Lines, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("operations.membership.ELECTION_SECONDS", 3.0)
    monkeypatch.setattr("operations.manager.LOUD_SECONDS", 2.0)
    pods, one = operator
    total = pods.fill(one.work())
    dead = [shard.primary.ordinal for shard in one.look().shards[:2]]
    for ordinal in dead:
        pods[ordinal].kill()
    until = time.monotonic() + 5
    while time.monotonic() < until:
        one.manager.turn()
    assert len(one.look().served) < SLOTS
    assert [level for level, event in lines.said if "wait for the election" in event] == ["info", "error"]

    bold = Operator(pods, Wanted(3, 1, takeover_seconds=3), log)
    bold.work(until=lambda seen: len(seen.served) == SLOTS)
    for ordinal in dead:
        pods[ordinal].start()
    observed = bold.work()
    assert is_whole(observed, THREE)
    assert keys_of(observed) == total
    assert not {member.ordinal for member in observed.primaries} & set(dead)
    bold.close()


def test_a_new_cluster_waits_for_every_pod_and_never_begins_over_data(
    operator: tuple[Pods, Operator], lines: Lines
):
    pods, one = operator
    pods[5].kill()
    for _ in range(5):
        one.manager.turn()
    assert not one.look().claimed
    assert any("pod 5" in event for event in lines.events)
    pods[5].start()
    assert is_whole(one.work(), THREE)


def test_a_second_replica_comes_and_goes_without_slots_moving(
    operator: tuple[Pods, Operator], log: Log, lines: Lines
):
    pods, one = operator
    total = pods.fill(one.work())
    pods.grow(9)
    wide = Operator(pods, Wanted(3, 2), log)
    observed = wide.work()
    assert is_whole(observed, wide.settings.wanted)
    assert keys_of(observed) == total
    # A primary among the pods that will go: it must hand over, not be drained.
    going = next(member for member in observed.members if member.ordinal >= 6)
    with pods[going.ordinal].client() as client:
        client.execute_command("CLUSTER FAILOVER")
    wide.work(until=lambda seen: seen.by_ordinal[going.ordinal].is_primary)

    narrow = Operator(pods, THREE, log)
    with pytest.raises(
        Refused, match=r"pods above 5 were not drained within 0 s: .* The release stays as it is"
    ):
        guard(narrow, log, drain_seconds=0).check()
    assert wide.look().recorded is None
    assert is_whole(wide.work(), wide.settings.wanted)

    guard(narrow, log).check()
    observed = narrow.look()
    assert observed.recorded == Shape(3, 1)
    assert {member.ordinal for member in observed.members} == set(range(6))
    assert is_whole(observed, THREE)
    assert keys_of(observed) == total + 1  # the recorded shape
    for _ in range(5):  # the manager of the release that still runs obeys
        assert wide.manager.turn() is None
    wide.close()
    narrow.close()


def guard(
    operator: Operator,
    log: Log,
    *,
    hook: str = "upgrade",
    override: bool = False,
    drain_seconds: float = 300,
    engine: str = "redis",
) -> Guard:
    settings = GuardSettings(hook=hook, override=override, drain_seconds=drain_seconds, engine=engine)
    return Guard(operator.settings, settings, operator.observer, operator.apply, log=log)


def test_the_guard_refuses_while_a_shard_lacks_a_replica(
    operator: tuple[Pods, Operator], log: Log, lines: Lines, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("operations.guard.PATIENCE_SECONDS", 1.0)
    pods, one = operator
    observed = one.work()
    guard(one, log).check()
    with pytest.raises(Refused, match=r"runs Redis 7\..*, and the release wants valkey"):
        guard(one, log, engine="valkey").check()
    replica = observed.shards[0].replicas[0].ordinal
    pods[replica].kill()
    with pytest.raises(Refused, match=r"shard of pod \d has no replica in step .*guard\.override=true"):
        guard(one, log).check()
    guard(one, log, override=True).check()
    # Pods are rolled back from the top: the broken one is above the shard's last copy, so it is healed first.
    assert replica > observed.shards[0].primary.ordinal
    guard(one, log, hook="rollback").check()
    assert one.look().recorded is None


def test_fewer_primaries_are_refused_where_slots_cannot_move_atomically(
    make_pods: Callable[[int], Pods], log: Log
):
    pods = make_pods(8)
    four = Operator(pods, Wanted(4, 1), log)
    before = four.work()
    three = Operator(pods, THREE, log)
    with pytest.raises(Refused, match=r"4 primaries cannot become 3: .*Redis 7.*`engine: valkey`"):
        guard(three, log).check()
    after = four.look()
    assert [sorted(after.owned(member)) for member in after.primaries] == [
        sorted(before.owned(member)) for member in before.primaries
    ]
    assert after.recorded is None
    four.close()
    three.close()


def test_nodes_load_a_new_acl_file_and_their_users_have_least_rights(
    make_pods: Callable[..., Pods], tmp_path: Path, log: Log
):
    file = tmp_path / "redis-acl"
    passwords = {user: f"{user}-password" for user in USERS}
    file.write_text(_acl({user: [hash_password(password)] for user, password in passwords.items()}))
    (tmp_path / "password").write_text(passwords["manager"])
    access = Access(username="manager", password_file=tmp_path / "password")
    pods = make_pods(6, file)
    one = Operator(pods, THREE, log, access=access, acl_file=file)
    assert is_whole(one.work(), THREE)  # replication and the bus work with these rights, too

    def run(user: str, *command: str) -> str:
        words = [
            "redis-cli",
            "-p",
            str(pods[0].port),
            "--user",
            user,
            "--pass",
            passwords[user],
            "--no-auth-warning",
        ]
        return subprocess.run([*words, *command], capture_output=True, text=True, check=False).stdout

    assert "NOPERM" in run("sessions", "GET", "other:key")
    assert "NOPERM" in run("sessions", "CLUSTER", "RESET")
    assert "NOPERM" in run("probe", "GET", "ps:key")
    assert "NOPERM" in run("exporter", "CONFIG", "SET", "hz", "10")
    assert "NOPERM" in run("exporter", "CONFIG", "GET", "masterauth")
    assert "NOPERM" in run("manager", "GET", "ps:key")

    passwords["sessions"] = "next"
    assert "NOAUTH" in run("sessions", "PING")
    file.write_text(_acl({user: [hash_password(password)] for user, password in passwords.items()}))
    one.manager.turn()
    assert run("sessions", "PING").strip() == "PONG"
    assert all(
        not member.acl_stale
        for member in one.observer.look(6, revision=revision_of(file.read_text())).members
    )
    one.close()


def _acl(hashes: dict[str, list[str]]) -> str:
    """Redis 7.0 does not know CLIENT SETINFO, which came with 7.2."""
    return render_acl(hashes, prefix="ps").replace(" +client|setinfo", "")

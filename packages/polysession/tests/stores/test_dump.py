"""Who has all that Redis holds, and none of the keys, learns nothing of anybody and signs in nowhere."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polysession
import pytest
import redis
from polysession.core.agent import pack_agent
from polysession.core.record import Address, Device, Kind, Record
from polysession.core.token import is_session_id, mint, parse
from polysession.keys import make_keys
from polysession.testing import RecordedEvents
from polysession.testing import make_keys as make_other_keys

AGENT, ADDRESS, PRINCIPAL = "Mozilla/5.0 (a browser of its own)", "2001:db8:cafe::7", "alice@example.org"
CART = {"isbn": "978-0-13-468599-1", "note": "a present for Bob"}
SECRETS = (
    pack_agent(AGENT),
    *(text.encode() for text in (ADDRESS, PRINCIPAL, *CART.values(), "isbn", "dark-theme-of-alice")),
)


@pytest.fixture
def made(
    tmp_path: Path, redis_nodes: tuple[tuple[str, int], ...], redis_prefix: str
) -> Iterator[Callable[..., Any]]:
    managers = []

    def make(*, seal: bool, events: RecordedEvents | None = None) -> polysession.SessionManager:
        directory = tmp_path / f"keys-{seal}"
        make_keys(directory)
        if not seal:
            (directory / "seal" / "A").unlink(missing_ok=True)
        managers.append(polysession.connect(redis_nodes, directory, prefix=redis_prefix, events=events))
        return managers[-1]

    yield make
    for manager in managers:
        manager.close()


def sign_in(manager: polysession.SessionManager) -> str:
    session = manager.open(None, device=Device(AGENT, ADDRESS))
    session["theme"] = "dark-theme-of-alice"
    session.commit()
    again = manager.open(session.token)
    again["cart"] = CART
    again.sign_in(PRINCIPAL, generation=1)
    again.commit()
    assert again.token is not None
    return again.token


def dump(nodes: tuple[tuple[str, int], ...], prefix: str) -> list[bytes]:
    """Every key, field, member and value of ours, on every node that has any."""
    found: list[bytes] = []
    for host, port in nodes:
        client: Any = redis.Redis(host, port)
        for key in client.scan_iter(f"{prefix}:*", count=5000):
            try:
                kind = client.type(key)
            except redis.RedisError:
                continue  # a replica's: the primary shows it
            found.append(key)
            if kind == b"hash":
                found += [part for pair in client.hgetall(key).items() for part in pair]
            elif kind == b"zset":
                found += client.zrange(key, 0, -1)
            else:
                found.append(client.dump(key))
        client.close()
    return found


def test_a_dump_shows_no_attribute_no_user_agent_and_no_address(
    made: Callable[..., Any], redis_nodes: tuple[tuple[str, int], ...], redis_prefix: str
) -> None:
    manager = made(seal=True)
    token = sign_in(manager)
    text = b"\n".join(dump(redis_nodes, redis_prefix))
    assert parse(manager.keys, token).address.session_id.encode() in text  # it is the right dump
    assert [word for word in (AGENT.encode(), *SECRETS) if word in text] == []
    assert token.encode() not in text
    assert parse(manager.keys, token).secret.encode() not in text
    session = manager.open(token)
    assert (session["cart"], session.principal) == (CART, PRINCIPAL)
    assert manager.sessions(PRINCIPAL)[0].device == Device(AGENT, ADDRESS)


def test_the_same_dump_shows_all_of_it_where_nothing_is_sealed(
    made: Callable[..., Any], redis_nodes: tuple[tuple[str, int], ...], redis_prefix: str
) -> None:
    sign_in(made(seal=False))
    text = b"\n".join(dump(redis_nodes, redis_prefix))
    assert [word for word in SECRETS if word not in text] == []


def test_nobody_signs_in_with_what_a_dump_holds(
    made: Callable[..., Any], redis_nodes: tuple[tuple[str, int], ...], redis_prefix: str
) -> None:
    events = RecordedEvents()
    manager = made(seal=True, events=events)
    token = parse(manager.keys, sign_in(manager))
    text = b"\n".join(dump(redis_nodes, redis_prefix))
    assert is_session_id(token.address.session_id)
    found = manager.context.store.read(token.address)
    assert isinstance(found, Record)
    assert found.header.secret_hash in text
    # What is secret-like in a dump, as a secret, with the attacker's MAC and, worse, with ours.
    hashes = [found.header.secret_hash, found.header.secret_hash[:8] + text[:16], bytes(24)]
    secrets = {base64.urlsafe_b64encode(one.ljust(24, b"\0")[:24]).decode() for one in hashes}
    secrets.add((found.header.principal_key + "A" * 32)[:32])
    for keys in (make_other_keys(), manager.keys):
        for secret in secrets:
            forged = mint(keys, manager.context.store.now(), kind=Kind.SIGNED_IN, address=token.address,
                          rotation_count=0, secret=secret)  # fmt: skip
            assert manager.open(forged.text).principal is None
    assert "live" not in events.validations[-2 * len(secrets) :]
    assert manager.open(token.text).principal == PRINCIPAL


def test_a_record_that_was_put_under_another_name_is_not_read(
    made: Callable[..., Any], redis_nodes: tuple[tuple[str, int], ...], redis_prefix: str
) -> None:
    """Who may write, too, copies Alice's sealed attribute into a session that he holds."""
    manager = made(seal=True)
    hers = parse(manager.keys, sign_in(manager)).address
    session = manager.open(None)
    session["cart"] = {}
    session.commit()
    his = parse(manager.keys, session.token).address
    cluster = manager._store._cluster
    from polysession.stores.commands import Command
    from polysession.stores.keys import Keyspace, slot

    def execute(address: Address, *words: Any) -> Any:
        name = Keyspace(redis_prefix).record(address)
        return cluster.execute(
            slot(address.partition), Command.of(words[0], name, *words[1:]), cluster.deadline(2)
        )

    execute(his, "HSET", "cart", execute(hers, "HGET", "cart"))
    with pytest.raises(polysession.Unreadable):
        manager.open(session.token)["cart"]

"""One session, as it is now: read without touching it. Values only with
--values; never a secret, a hash or a token. A session ID alone is looked for in
all 4,096 partitions; with --principal, or --partition, one read finds it. A
tombstone stays for an hour; with a DSN the ledger tells of signed-in sessions
for 90 days.
"""

from __future__ import annotations

import argparse
import json
from typing import Any

from ..core import timeouts, values
from ..core.errors import InvalidSettings, Unreadable
from ..core.manager import SessionManager
from ..core.record import Address, Attribute, Header, Record, Tombstone
from ..core.token import PARTITIONS, is_session_id, place
from ..stores import ledger
from . import DONE, NOT_FOUND, OTHER_KEYS, Terminal, text
from .database import add_options as add_database
from .database import open_database
from .source import add_options as add_source
from .source import open_manager

NAME = "inspect"
SUMMARY = "one session: state, times, device, attributes"


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("session_id", metavar="SESSION_ID")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--principal", metavar="P", help="whose session it is")
    where.add_argument("--partition", type=int, metavar="N", help="0 to 4095, as in the ledger")
    parser.add_argument("--values", action="store_true", help="also what it holds: personal data")
    parser.add_argument("--json", action="store_true", help="for machines; times in milliseconds")
    add_source(parser)
    add_database(parser)


def run(options: argparse.Namespace, terminal: Terminal) -> int:
    session_id = check_id(options.session_id)
    with open_manager(options, terminal.environment) as manager:
        address = locate(manager, session_id, principal=options.principal, partition=options.partition)
        found = manager.context.store.peek(address) if address else None
        now = manager.context.store.now()
        told = (
            describe(manager, address, found, with_values=options.values)
            if address and found
            else _remembered(options, terminal, session_id, now)
        )
    if told is None:
        return NOT_FOUND
    if options.json:
        terminal.say(json.dumps(told, indent=2, ensure_ascii=False, default=str))
    else:
        terminal.say(layout(told, now))
    return DONE


def _remembered(
    options: argparse.Namespace, terminal: Terminal, session_id: str, now: int
) -> dict[str, Any] | None:
    """What the ledger knows of a session that Redis does not have. ``None``: nothing, and that was said."""
    database = open_database(options, terminal.environment)
    if database is None:
        terminal.complain(f"Redis has no session {session_id}, {OTHER_KEYS}; give --dsn to ask the ledger")
        return None
    try:
        with database.step("find") as connection:
            row = ledger.find(connection, session_id)
    finally:
        database.close()
    if row is None:
        terminal.complain(f"neither Redis nor the ledger has a session {session_id}, {OTHER_KEYS}")
        return None
    told: dict[str, Any] = {"session_id": session_id, "partition": row.partition, "from": "ledger"}
    if row.ended_at is not None:
        return {
            **told,
            "state": "ended",
            "reason": row.end_reason,
            "ended_at": row.ended_at,
            "successor": None,
        }
    return {
        **told,
        "state": "lost" if row.is_live(now) else "expired",
        "created_at": row.created_at,
        "last_seen_at": row.last_seen_at,
        "absolute_expires_at": row.absolute_at,
    }


def check_id(session_id: str) -> str:
    """Raises ``InvalidSettings``. A token pasted by mistake is not repeated."""
    session_id = session_id.strip()
    if not is_session_id(session_id):
        raise InvalidSettings(("a session ID is 16 characters of A-Z a-z 0-9 - _; this is none",))
    return session_id


def locate(
    manager: SessionManager, session_id: str, *, principal: str | None, partition: int | None = None
) -> Address | None:
    """Raises ``InvalidSettings`` for a partition that is none."""
    if partition is not None:
        if not 0 <= partition < PARTITIONS:
            raise InvalidSettings((f"--partition is 0 to {PARTITIONS - 1}",))
        return Address(partition, session_id)
    if principal is not None:
        return Address(place(manager.keys, principal)[0], session_id)
    return manager.context.store.find(session_id)


def describe(
    manager: SessionManager, address: Address, found: Record | Tombstone, *, with_values: bool
) -> dict[str, Any]:
    """Ready for JSON. Without hashes, nonce and secrets, whatever is asked for."""
    told: dict[str, Any] = {"session_id": address.session_id, "partition": address.partition}
    if isinstance(found, Tombstone):
        return {
            **told,
            "state": "ended",
            "reason": found.reason,
            "ended_at": found.ended_at,
            "successor": found.successor or None,
        }
    header = found.header
    attributes = [
        _attribute(name, one, with_values=with_values) for name, one in sorted(found.attributes.items())
    ]
    return {
        **told,
        "state": "live",
        "kind": "signed_in" if header.principal_key else "anonymous",
        **_who(manager, header, with_values=with_values),
        "created_at": header.created_at,
        "authenticated_at": header.authenticated_at or None,
        "last_seen_at": header.last_seen_at,
        "idle_expires_at": min(
            header.last_seen_at + header.idle,
            timeouts.expires_at(header, unreturned=manager.context.unreturned),
        ),
        "absolute_expires_at": header.absolute_at,
        "cookie_came_back": header.returned,
        "rotation_count": header.rotation_count,
        "generation": header.generation,
        "device": {"user_agent": header.device.user_agent, "address": header.device.address},
        "attributes": attributes,
        "bytes": sum(one["bytes"] for one in attributes),
    }


def _who(manager: SessionManager, header: Header, *, with_values: bool) -> dict[str, Any]:
    """The names by which telemetry and Redis know the principal; its own only with the values."""
    pseudonym = manager.pseudonym(header.principal) if header.principal is not None else None
    known = {"principal_key": header.principal_key or None, "pseudonym": pseudonym}
    return {**known, "principal": header.principal} if with_values else known


def _attribute(name: str, attribute: Attribute, *, with_values: bool) -> dict[str, Any]:
    told: dict[str, Any] = {
        "name": name,
        "tag": attribute.tag.hex(),
        "bytes": len(name.encode()) + len(attribute.tag) + len(attribute.value),
    }
    if with_values:
        try:
            told["value"] = values.decode(attribute.value)
        except Unreadable as error:
            told["unreadable"] = error.what
    return told


def layout(told: dict[str, Any], now: int) -> str:
    head = f"Session {told['session_id']}, partition {told['partition']}: "
    if told["state"] == "ended":
        pairs = [("reason", told["reason"]), ("ended", text.ago(told["ended_at"], now))]
        if told["successor"]:
            pairs.append(("went on as", told["successor"]))
        return f"{head}ended{' (ledger)' if 'from' in told else ''}\n\n{text.facts(pairs)}"
    if "from" in told:
        pairs = [
            ("created", text.ago(told["created_at"], now)),
            ("last seen", text.ago(told["last_seen_at"], now)),
            ("absolute", text.moment(told["absolute_expires_at"])),
        ]
        if told["state"] == "lost":
            pairs.append(("in Redis", "no: it is restored at its next request"))
        return f"{head}{told['state']} (ledger)\n\n{text.facts(pairs)}"
    kind = "signed in" if told["kind"] == "signed_in" else "anonymous"
    pairs = [
        *([("principal", str(told["principal"]))] if "principal" in told else []),
        ("principal key", told["principal_key"] or "none: nobody signed in"),
        ("pseudonym", told["pseudonym"] or "-"),
        ("device", told["device"]["user_agent"] or "-"),
        ("address", told["device"]["address"] or "-"),
        ("created", text.ago(told["created_at"], now)),
        ("authenticated", text.ago(told["authenticated_at"] or 0, now)),
        ("last seen", text.ago(told["last_seen_at"], now)),
        ("idle timeout", text.left(told["idle_expires_at"], now)),
        ("absolute", text.left(told["absolute_expires_at"], now)),
        ("rotations", f"{told['rotation_count']}, generation {told['generation']}"),
    ]
    lines = [f"{head}live, {kind}", "", text.facts(pairs), ""]
    attributes = told["attributes"]
    if not attributes:
        return "\n".join([*lines, "  No attributes."])
    wide = "value" in attributes[0] or "unreadable" in attributes[0]
    rows = [
        [text.cut(one["name"], 28), one["tag"], text.size(one["bytes"]), *([_value(one)] if wide else [])]
        for one in attributes
    ]
    columns = ["attribute", "tag", "size", *(["value"] if wide else [])]
    return "\n".join([*lines, text.table(columns, rows, right=frozenset({2}))])


def _value(one: dict[str, Any]) -> str:
    return f"({one['unreadable']})" if "unreadable" in one else repr(one["value"])

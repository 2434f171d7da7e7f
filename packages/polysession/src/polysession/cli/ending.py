"""Ends a session, or with --principal alone every session of a principal. It
asks before it does, unless --yes is given. With a DSN the ledger has the end
first, as when the app ends it; without one the keeper brings it there within a
second.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import get_args

from ..core.errors import InvalidSettings
from ..core.manager import SessionManager
from ..core.record import Address, EndReason, Tombstone
from ..core.store import Absent, Conflicted, Ended
from ..core.token import place
from ..stores import ledger
from . import DONE, NOT_FOUND, OTHER_KEYS, USAGE, Terminal, text
from .database import Database, open_database
from .database import add_options as add_database
from .inspecting import check_id, locate
from .source import add_options as add_source
from .source import open_manager

NAME = "end"
SUMMARY = "end a session, or all of a principal"
REASONS = tuple(reason for reason in get_args(EndReason) if reason in ("revoked", "logout", "theft"))
_ROUNDS = 3  # a sign-in between two listings is met by the next

_GENERATION = """\
A sign-in that was under way can still succeed. To shut that out, raise the
principal's generation in the accounts' database, then repeat this command with
--generation N. (The users service of this repository does both where a password
changes or an account is disabled; stock Django has no generation.)"""


@dataclass(slots=True)
class _Count:
    ended: int = 0
    unconfirmed: int = 0


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("session_id", nargs="?", metavar="SESSION_ID")
    parser.add_argument("--principal", metavar="P", help="whose it is; without an ID: all of theirs")
    parser.add_argument("--reason", choices=REASONS, default="revoked", help="default: revoked")
    parser.add_argument(
        "--generation",
        type=int,
        metavar="N",
        help="what the accounts' database was raised to: also ends sign-ins",
    )
    parser.add_argument("--yes", action="store_true", help="do not ask")
    add_source(parser)
    add_database(parser)


def run(options: argparse.Namespace, terminal: Terminal) -> int:
    if options.session_id is None and options.principal is None:
        raise InvalidSettings(("name a SESSION_ID, or --principal P for all of theirs",))
    if options.generation is not None and (options.session_id is not None or options.generation < 0):
        raise InvalidSettings(("--generation is a number of 0 or more, and goes with --principal alone",))
    database = open_database(options, terminal.environment)
    try:
        with open_manager(options, terminal.environment) as manager:
            if options.session_id is None:
                return _end_all(options, terminal, manager, database)
            return _end_named(options, terminal, manager, database)
    finally:
        if database is not None:
            database.close()


def _end_named(
    options: argparse.Namespace, terminal: Terminal, manager: SessionManager, database: Database | None
) -> int:
    session_id = check_id(options.session_id)
    address = locate(manager, session_id, principal=options.principal)
    found = manager.context.store.peek(address) if address else None
    if found is None and database is not None:
        return _end_lost(options, terminal, manager, database, session_id)
    if address is None or found is None:
        terminal.complain(f"there is no session {session_id}, {OTHER_KEYS}")
        return NOT_FOUND
    if isinstance(found, Tombstone):
        return _repeat(terminal, manager, database, address, found)
    key = found.header.principal_key
    if options.principal is not None and key != place(manager.keys, options.principal)[1]:
        terminal.complain(f"there is no session {session_id} of this principal, {OTHER_KEYS}")
        return NOT_FOUND
    whose = f"principal key {key}" if key else "anonymous"
    if not _confirmed(options, terminal, f"End session {session_id} ({whose})?"):
        return USAGE
    count = _Count()
    _end(manager, database, address, options.reason, key=key, count=count)
    _tell(terminal, count, with_ledger=database is not None)
    return DONE


def _end_lost(
    options: argparse.Namespace,
    terminal: Terminal,
    manager: SessionManager,
    database: Database,
    session_id: str,
) -> int:
    """Redis does not have it, but by the ledger it lives: its next request would restore it."""
    with database.step("find") as connection:
        row = ledger.find(connection, session_id)
    live = row is not None and row.is_live(manager.context.store.now())
    if row is None or not live or options.principal not in (None, row.principal):
        terminal.complain(
            f"there is no live session {session_id}, neither in Redis nor in the ledger, {OTHER_KEYS}"
        )
        return NOT_FOUND
    if not _confirmed(options, terminal, f"End session {session_id} (principal key {row.principal_key})?"):
        return USAGE
    count = _Count()
    _end(manager, database, row.address, options.reason, key=row.principal_key, count=count)
    _tell(terminal, count, with_ledger=True)
    return DONE


def _repeat(
    terminal: Terminal,
    manager: SessionManager,
    database: Database | None,
    address: Address,
    found: Tombstone,
) -> int:
    """Of what has ended: a replica, and the ledger, that missed the end have it then."""
    if database is not None:
        with database.step("end") as connection:
            ledger.end(connection, address.session_id, found.reason, at=found.ended_at, confirmed=False)
    again = manager.context.store.end(address, found.reason)
    confirmed = isinstance(again, Ended | Tombstone) and again.confirmed
    if database is not None and confirmed:
        with database.step("confirm") as connection:
            ledger.confirm(connection, [address.session_id])
    terminal.say(f"  {address.session_id} ended before: {found.reason}, {text.moment(found.ended_at)}")
    if isinstance(again, Absent | Conflicted):
        terminal.say("  it has expired: a keeper's next pass, or its next use, puts the tombstone")
        return DONE
    _tell(terminal, _Count(0, int(not confirmed)), with_ledger=database is not None)
    return DONE


def _end_all(
    options: argparse.Namespace, terminal: Terminal, manager: SessionManager, database: Database | None
) -> int:
    partition, key = place(manager.keys, options.principal)
    ids = _live(options, manager, database)
    if not ids and options.generation is None:
        terminal.complain(f"this principal has no live session, {OTHER_KEYS}")
        return NOT_FOUND
    number = len(ids)
    if not _confirmed(options, terminal, f"End {number} session{'' if number == 1 else 's'}?"):
        return USAGE
    count = _Count()
    if options.generation is not None:
        if database is not None:
            with database.step("end_principal") as connection:
                at = manager.context.store.now()
                ledger.end_principal(
                    connection, options.principal, options.reason, generation=options.generation, at=at
                )
        ending = manager.end_principal(
            options.principal, generation=options.generation, reason=options.reason
        )
        count = _Count(ending.count, 0 if ending.confirmed else max(1, ending.count))
    else:
        for _ in range(_ROUNDS):
            for one in ids:
                _end(manager, database, Address(partition, one), options.reason, key=key, count=count)
            ids = _live(options, manager, database)
            if not ids:
                break
    _tell(terminal, count, with_ledger=database is not None)
    if options.generation is None:
        terminal.say("\n" + _GENERATION)
    return DONE


def _live(options: argparse.Namespace, manager: SessionManager, database: Database | None) -> set[str]:
    """IDs of the principal's sessions, also of those that only the ledger has: they would be restored."""
    ids = {one.id for one in manager.sessions(options.principal)}
    if database is not None:
        with database.step("of_principal") as connection:
            rows, now = ledger.of_principal(connection, options.principal), manager.context.store.now()
        ids |= {row.session_id for row in rows if row.is_live(now)}
    return ids


def _end(
    manager: SessionManager,
    database: Database | None,
    address: Address,
    reason: EndReason,
    *,
    key: str,
    count: _Count,
) -> None:
    """The ledger first: what the store may lose is then still known."""
    store, recorded = manager.context.store, False
    if database is not None and key:
        with database.step("end") as connection:
            recorded = ledger.end(connection, address.session_id, reason, at=store.now(), confirmed=False)
    outcome = store.end(address, reason, principal_key=key)
    if isinstance(outcome, Absent):
        count.ended += recorded
        count.unconfirmed += recorded
        return
    confirmed = isinstance(outcome, Ended | Tombstone) and outcome.confirmed
    count.ended += isinstance(outcome, Ended)
    count.unconfirmed += not confirmed
    if database is not None and key and confirmed:
        with database.step("confirm") as connection:
            ledger.confirm(connection, [address.session_id])


def _confirmed(options: argparse.Namespace, terminal: Terminal, question: str) -> bool:
    if options.yes:
        return True
    if terminal.ask is None:
        terminal.complain("nobody is there to ask: give --yes")
        return False
    if terminal.ask(f"{question} [y/N] ").strip().lower() in ("y", "yes"):
        return True
    terminal.complain("nothing was ended")
    return False


def _tell(terminal: Terminal, count: _Count, *, with_ledger: bool) -> None:
    """In the words of the services' answers: 204 and 202."""
    terminal.say(f"  {count.ended} session{'' if count.ended == 1 else 's'} ended")
    if not count.unconfirmed:
        terminal.say("  confirmed: a replica has it (what the services answer 204)")
    elif with_ledger:
        terminal.say("  pending: the ledger has it, no replica said so yet; a keeper repeats it (202)")
    else:
        terminal.say("  pending: no replica said that it has it (202); to be sure, repeat it")

"""The live sessions of a principal, most recently seen first. What was due in its
partition ends on the way, as with every listing.
"""

from __future__ import annotations

import argparse
import json

import msgspec

from . import DONE, NOT_FOUND, OTHER_KEYS, Terminal, text
from .source import add_options as add_source
from .source import open_manager, read_source

NAME = "list"
SUMMARY = "the live sessions of a principal"


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("principal", metavar="PRINCIPAL", help="as the app signs it in: a user's primary key")
    parser.add_argument("--json", action="store_true", help="for machines; times in milliseconds")
    add_source(parser)


def run(options: argparse.Namespace, terminal: Terminal) -> int:
    with open_manager(options, terminal.environment) as manager:
        sessions = manager.sessions(options.principal)
        now = manager.context.store.now()
    if options.json:
        terminal.say(json.dumps(msgspec.to_builtins(sessions), indent=2, ensure_ascii=False))
    elif sessions:
        rows = [
            [
                one.id,
                text.span(now - one.last_seen_at),
                text.span(now - one.created_at),
                one.device.address or "-",
                one.device.user_agent or "-",
            ]
            for one in sessions
        ]
        terminal.say(
            text.table(["session ID", "seen ago", "age", "address", "device"], rows, right=frozenset({1, 2}))
        )
        count = len(sessions)
        terminal.say(f"\n  {count} live session{'s' if count > 1 else ''}")
    else:
        prefix = read_source(options, terminal.environment).prefix
        terminal.complain(
            f"this principal has no live session under the prefix {prefix} (--prefix), {OTHER_KEYS}"
        )
    return DONE if sessions else NOT_FOUND

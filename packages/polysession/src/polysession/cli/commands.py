"""Which commands there are: one module each, that names its options and runs."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from importlib.metadata import version

from ..core.token import is_session_id
from . import ending, inspecting, keeping, keys, listing, stats
from .audit import command as audit

MODULES = (inspecting, listing, ending, stats, keeping, keys, audit)
_EPILOG = """\
exit codes: 0 done; 1 not found, or a check failed; 2 wrong usage or settings;
3 the store gave no answer. Settings come from options or from the services'
environment variables. Everything: docs/cli.md, docs/audit.md."""


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="polysession",
        description="Sessions on a Redis Cluster: look, end, count, keep; audit any web app.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {version('polysession')}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for module in MODULES:
        name, summary = module.NAME, module.SUMMARY
        command = commands.add_parser(
            name,
            help=summary,
            description=module.__doc__,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.add_options(command)
        command.set_defaults(run=module.run)
    return parser.parse_args(_guarded(commands.choices.values(), arguments))


def _guarded(commands: Iterable[argparse.ArgumentParser], arguments: Sequence[str]) -> list[str]:
    """A session ID may begin with ``-``. What argparse sees a space in is no option to it."""
    options = {option for command in commands for option in command._option_string_actions}
    return [
        f" {one}" if one[:1] == "-" and is_session_id(one) and one not in options else one
        for one in arguments
    ]

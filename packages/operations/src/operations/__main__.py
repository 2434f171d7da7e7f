"""`operations manager | guard | keys | try`. Settings come from the environment, `OPERATIONS_…`."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Callable, Mapping, Sequence

from .errors import OperationsError
from .log import Log

COMMANDS = {
    "manager": "keep the Redis Cluster as wanted, until SIGTERM",
    "guard": "before an upgrade or rollback: refuse it while data is at risk, drain pods that will go",
    "keys": "make what the two Secrets lack, overwrite nothing",
    "try": "sign up, sign in, order, sign out everywhere, through the edge",
}
MODULES = {"try": "trial"}  # `try` is a keyword


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 0 done, 1 refused or failed with a sentence, 2 not understood."""
    parser = argparse.ArgumentParser("operations", description="What runs the platform on Kubernetes.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, text in COMMANDS.items():
        commands.add_parser(name, help=text, description=text)
    command = parser.parse_args(arguments).command
    try:
        return _load(command)(os.environ)
    except OperationsError as error:
        Log(command).error(str(error))
        return 1


def _load(command: str) -> Callable[[Mapping[str, str]], int]:
    """Each imports only its own: the manager needs no Kubernetes client."""
    module = importlib.import_module(f".{MODULES.get(command, command)}", __package__)
    run: Callable[[Mapping[str, str]], int] = module.run
    return run


if __name__ == "__main__":
    sys.exit(main())

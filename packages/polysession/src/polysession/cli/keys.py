"""Makes the key files that are missing and overwrites nothing."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..keys import load_keys, make_keys
from . import DONE, Terminal

NAME = "keys"
SUMMARY = "make the key files that are missing"


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("directory", type=Path, metavar="DIR")


def run(options: argparse.Namespace, terminal: Terminal) -> int:
    """Raises ``InvalidSettings`` with every fault of the directory."""
    for path in make_keys(options.directory):
        terminal.say(f"made {path}")
    load_keys(options.directory)
    return DONE

"""Makes the key files that are missing and overwrites nothing."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..core.errors import InvalidSettings
from ..keys import load_keys, make_keys
from . import DONE, Terminal

NAME = "keys"
SUMMARY = "make the key files that are missing"


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("directory", type=Path, metavar="DIR")


def run(options: argparse.Namespace, terminal: Terminal) -> int:
    """Raises ``InvalidSettings`` with every fault of the directory."""
    directory = options.directory.absolute()
    try:
        made = make_keys(directory)
    except OSError as error:
        raise InvalidSettings((f"no keys can be made in {directory}: {error.strerror}",)) from error
    for path in made:
        terminal.say(f"made {path}")
    load_keys(options.directory)
    return DONE

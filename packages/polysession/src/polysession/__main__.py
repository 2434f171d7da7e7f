"""``python -m polysession keys DIR``: makes the key files that are missing and overwrites nothing."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from .core.errors import InvalidSettings
from .keys import load_keys, make_keys


def main(arguments: Sequence[str]) -> int:
    """0, or 1 with every fault of the directory on standard error."""
    parser = argparse.ArgumentParser(prog="python -m polysession")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    keys = commands.add_parser("keys", help="make the key files that are missing")
    keys.add_argument("directory", type=Path, metavar="DIR")
    directory: Path = parser.parse_args(arguments).directory
    try:
        for path in make_keys(directory):
            print(f"made {path}")
        load_keys(directory)
    except InvalidSettings as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

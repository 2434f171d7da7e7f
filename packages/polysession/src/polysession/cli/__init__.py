"""The ``polysession`` command: what an operator asks of the sessions of a Redis Cluster, and the audit of an app.

Exit codes: 0 done; 1 not found, or a check failed; 2 wrong usage or settings; 3 the store gave no answer. Every fault is
one message on standard error and holds no value of a secret.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TextIO

from ..core.errors import InvalidSettings, LedgerUnavailable, PolysessionError, StoreUnavailable, Unreadable

OTHER_KEYS = "or --keys are another platform's"  # by which nothing is found, and nothing is opened
DONE, NOT_FOUND, USAGE, UNAVAILABLE = 0, 1, 2, 3


_silent = logging.NullHandler()


@dataclass(frozen=True)
class Terminal:
    """Where a command writes and whom it asks: passed in, so that tests see and answer."""

    out: TextIO = field(default_factory=lambda: sys.stdout)
    err: TextIO = field(default_factory=lambda: sys.stderr)
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    ask: Callable[[str], str] | None = None  # None: nobody is there to answer

    def say(self, text: str = "") -> None:
        print(text, file=self.out)

    def complain(self, text: str) -> None:
        print(f"polysession: {text}", file=self.err)


def main(arguments: Sequence[str] | None = None, terminal: Terminal | None = None) -> int:
    """The exit code. ``SystemExit`` (2, or 0 for ``--help``) comes from argparse only."""
    from .commands import parse

    logging.getLogger("polysession").addHandler(_silent)  # what it says there, a command says itself
    terminal = terminal or Terminal(ask=input if sys.stdin.isatty() else None)
    options = parse(sys.argv[1:] if arguments is None else arguments)
    try:
        code: int = options.run(options, terminal)
    except InvalidSettings as error:
        terminal.complain("the settings are wrong:\n  " + "\n  ".join(error.faults))
        return USAGE
    except StoreUnavailable as error:
        who = "the ledger's database" if isinstance(error, LedgerUnavailable) else "the session store"
        terminal.complain(f"{who} gave no answer, try again: {error.cause}")
        return UNAVAILABLE
    except ImportError as error:  # an extra is missing
        terminal.complain(str(error))
        return USAGE
    except Unreadable as error:
        terminal.complain(f"{error}, {OTHER_KEYS}")
        return NOT_FOUND
    except PolysessionError as error:
        terminal.complain(str(error))
        return NOT_FOUND
    except BrokenPipeError:  # `polysession list … | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except KeyboardInterrupt:
        terminal.complain("interrupted")
        return 130
    return code

"""`python -m local.traces --bind host:port --database path`: runs until SIGTERM.

gunicorn serves it, as it serves the services: chunked bodies, kept connections and an orderly stop, which
werkzeug's development server has not. One worker, as one process has the database.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]

from local.traces.app import create_app
from local.traces.store import Store


class Server(BaseApplication):  # type: ignore[misc]
    """gunicorn with its settings given here and nowhere else."""

    def __init__(self, bind: str, database: Path, limit: int) -> None:
        self._bind = bind
        self._database = database
        self._limit = limit
        super().__init__()

    def load_config(self) -> None:
        """Set gunicorn's settings."""
        for name, value in {
            "bind": self._bind,
            "worker_class": "gthread",
            "workers": 1,
            "threads": 8,
            "keepalive": 130,
            "graceful_timeout": 5,
            # Its default path is one a user, and the services run beside it.
            "control_socket_disable": True,
            "loglevel": "warning",
        }.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """Open the database; called in the worker, as SQLite must not cross a fork."""
        return create_app(Store(self._database, limit=self._limit))


def main() -> None:
    """Parse the arguments and serve."""
    parser = argparse.ArgumentParser(prog="python -m local.traces", description="Keep and show traces.")
    parser.add_argument("--bind", required=True, help="host:port to listen on")
    parser.add_argument("--database", required=True, type=Path, help="SQLite file; made when missing")
    parser.add_argument("--limit", type=int, default=20_000, help="spans to keep (default: %(default)s)")
    arguments = parser.parse_args()
    arguments.database.parent.mkdir(parents=True, exist_ok=True)
    Server(arguments.bind, arguments.database, arguments.limit).run()


if __name__ == "__main__":
    main()

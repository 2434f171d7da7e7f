"""What a part is to the platform that starts it."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from local.errors import MissingPackage
from local.layout import HOST, Layout
from local.readiness import Tick
from local.supervisor import Program


class Part(Protocol):
    """Something that runs: one program or several that make one thing."""

    @property
    def title(self) -> str:
        """Its name for people."""

    @property
    def address(self) -> str:
        """Where it listens, for people."""

    @property
    def ports(self) -> Sequence[int]:
        """Every port that it listens on."""

    @property
    def programs(self) -> Sequence[Program]:
        """What the supervisor runs. Known before `prepare`."""

    def require(self) -> None:
        """Raise `MissingPackage` for what is not installed or not built. Changes nothing."""

    def prepare(self) -> None:
        """Make folders and files, migrate: all that comes before its programs start. Repeats harmlessly."""

    def settle(self, tick: Tick) -> None:
        """Return when it is ready; the first time, set it up. Repeats harmlessly."""


class OnePort:
    """What the parts have in common that listen on one port and keep their data in one folder."""

    def __init__(self, layout: Layout, *, port: int, folder: str) -> None:
        self._layout = layout
        self._port = port
        self._folder = layout.folder(folder)

    @property
    def address(self) -> str:
        """`host:port`."""
        return f"{HOST}:{self._port}"

    @property
    def ports(self) -> Sequence[int]:
        """One."""
        return (self._port,)


def program_path(name: str, package: str) -> Path:
    """Where a program of the system is; `MissingPackage` names the Debian package it comes with."""
    found = shutil.which(name) or shutil.which(name, path="/usr/local/sbin:/usr/sbin:/sbin")
    if found is None:
        raise MissingPackage(
            f"{name} is missing (Debian package {package}).",
            f"Run `local/install.sh`, or `apt install --no-install-recommends {package}`.",
        )
    return Path(found)

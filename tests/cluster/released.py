"""The charts that were released last, which an upgrade comes from: ``charts/RELEASED`` is a line with their commit."""

from __future__ import annotations

import shutil
import tarfile

from tests.cluster import kind
from tests.cluster.release import values_of
from tests.cluster.shell import ROOT, STATE, CommandFailed, run

CHARTS = STATE / "released" / "charts"
_NAMED = ROOT / "charts/RELEASED"
_OURS = "polysession/"


def commit() -> str | None:
    """``None``: nothing was released yet. Raises ``CommandFailed`` where this clone does not have it."""
    if not _NAMED.exists():
        return None
    named = _NAMED.read_text().strip()
    try:
        return run("git", "rev-parse", "--verify", "--quiet", f"{named}^{{commit}}").strip()
    except CommandFailed as fault:
        raise CommandFailed(
            f"{_NAMED.relative_to(ROOT)} names {named!r}, which is no commit of this clone: "
            "correct the line, or `git fetch --unshallow`."
        ) from fault


def take_charts(commit: str) -> None:
    """As that commit had them."""
    folder = CHARTS.parent
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    archive = folder / "charts.tar"
    run("git", "archive", "--output", str(archive), commit, "charts")
    with tarfile.open(archive) as charts:
        charts.extractall(folder, filter="data")


def provide_images() -> None:
    """Ours under the names that those charts use (as this checkout builds them: a tag is what an upgrade sees);
    others from this machine, or the workers pull them.
    """
    there = kind.loaded()
    for image in sorted(kind.wanted(str(CHARTS / "polysession"), *values_of(CHARTS)) - there):
        if not image.startswith(_OURS):
            continue
        repository, _, tag = image.rpartition(":")
        kind.retag(next(one for one in sorted(there) if one.startswith(f"{repository}:")), tag)
    kind.load_missing_images(str(CHARTS / "polysession"), *values_of(CHARTS))

"""Waiting for a part: ask, show what it answers, give up after a time or as soon as it has died."""

import time
import urllib.error
import urllib.request
from collections.abc import Callable

from local.errors import NotReady

Check = Callable[[], str | None]
"""Asks once: nothing when ready, else why not, in a few words."""

Tick = Callable[[str], None]
"""Hears why a part is not ready yet; raises when waiting has become pointless."""


def wait(title: str, check: Check, tick: Tick, *, seconds: float = 60.0, pause: float = 0.05) -> None:
    """Ask until ready. `NotReady` after so many seconds, with what was answered last."""
    deadline = time.monotonic() + seconds
    while (reason := check()) is not None:
        tick(reason)
        if time.monotonic() > deadline:
            raise NotReady(
                f"{title} did not get ready within {seconds:.0f} s.",
                "Look into its log with `make logs`.",
                evidence=[f"last answer: {reason}"],
            )
        time.sleep(pause)


def answers(url: str, *, accept: str = "*/*", seconds: float = 5.0) -> Check:
    """Ready when a GET is answered with 2xx."""
    request = urllib.request.Request(url, headers={"Accept": accept})  # noqa: S310 - our own http addresses
    # No proxy of the caller's shell may stand between us and the loopback.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def check() -> str | None:
        try:
            with opener.open(request, timeout=seconds):
                return None
        except urllib.error.HTTPError as answer:
            with answer:
                body = answer.read(300).decode(errors="replace").strip()
            return f"{answer.code} {body}"
        except (OSError, ValueError) as fault:
            reason = getattr(fault, "reason", fault)
            return getattr(reason, "strerror", None) or str(reason)

    return check

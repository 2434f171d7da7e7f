"""Signals (blinker, which Flask brings): sent when a request has done it and its answer is ready. Sender: the app.

========================= ==================================================================
``session_started``       ``session_id``, ``principal`` (``None``: anonymous)
``session_rotated``       ``session_id``, ``principal``: the answer carries another token
``session_ended``         ``session_id``, ``reason``: by this request; a keeper's ends are in the public stream
========================= ==================================================================
"""

from __future__ import annotations

from blinker import NamedSignal, Namespace
from flask import Flask

from .session import FlaskSession

_signals = Namespace()
session_started: NamedSignal = _signals.signal("session-started")
session_rotated: NamedSignal = _signals.signal("session-rotated")
session_ended: NamedSignal = _signals.signal("session-ended")


def tell(app: Flask, session: FlaskSession) -> None:
    """After the commit. A receiver that raises does so in place of the answer, as in all of Flask."""
    core = session.core
    if core.cookie is None:
        return
    if not core.cookie.value:
        session_ended.send(app, session_id=session.first_id, reason=core.end_reason)
    elif core.id != session.first_id:
        session_started.send(app, session_id=core.id, principal=core.principal)
    elif core.cookie.value != session.first_token:
        session_rotated.send(app, session_id=core.id, principal=core.principal)

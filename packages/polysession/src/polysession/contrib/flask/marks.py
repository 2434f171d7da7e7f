"""Marks on views: nearest to the function, below ``@app.route``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask, Request

View = TypeVar("View", bound=Callable[..., Any])


def session_passive(view: View) -> View:
    """Its requests are no activity: they never touch the session, so polling does not keep it alive."""
    return mark(view, "session_passive")


def session_optional(view: View) -> View:
    """Without an answer from the store it sees an empty read-only session, instead of a 503."""
    return mark(view, "session_optional")


def csrf_exempt(view: View) -> View:
    """Its requests prove themselves otherwise (a signature, an assertion)."""
    return mark(view, "csrf_exempt")


def sign_in_required(view: View) -> View:
    """401 unless somebody is signed in, with ``end_reason`` where the session has ended."""
    return mark(view, "sign_in_required")


def mark(view: View, name: str) -> View:
    setattr(view, name, True)
    return view


def marked(view: Callable[..., Any] | None, name: str) -> bool:
    return bool(getattr(view, name, False))


def view_of(app: Flask, incoming: Request) -> Callable[..., Any] | None:
    """The function that will answer: of a class-based view, its method's. ``None`` where no URL matched."""
    endpoint = incoming.endpoint
    view = app.view_functions.get(endpoint) if endpoint else None
    method = "get" if incoming.method == "HEAD" else incoming.method.lower()
    return getattr(getattr(view, "view_class", None), method, None) or view

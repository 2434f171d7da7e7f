"""OperationsError: a sentence for whoever reads the log. Everything else is a fault of ours."""

from __future__ import annotations


class OperationsError(Exception):
    """Says what went wrong and what to do; it holds no secret."""

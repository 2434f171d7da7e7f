"""The base of every schema of the API."""

from __future__ import annotations

import marshmallow


class Schema(marshmallow.Schema):
    """Members that nobody asked for are ignored, and documented as allowed: releases can add some."""

    class Meta:
        unknown = marshmallow.EXCLUDE

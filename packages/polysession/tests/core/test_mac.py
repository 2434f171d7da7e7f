"""The MAC that is begun ahead of time is RFC 2104's."""

from __future__ import annotations

import hmac

from hypothesis import given
from hypothesis import strategies as st
from polysession.core.mac import compute


@given(st.binary(max_size=200), st.binary(max_size=20), st.binary(max_size=200))
def test_it_is_the_hmac_of_the_standard_library(key: bytes, purpose: bytes, message: bytes) -> None:
    for _ in range(2):  # the second time from what the first one left behind
        assert compute(key, purpose, message) == hmac.digest(key, purpose + b"\0" + message, "sha256")

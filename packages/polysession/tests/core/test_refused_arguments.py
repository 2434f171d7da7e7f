"""Arguments that would fail later, or not at all: a principal that is no ``str``, a reason that nobody knows."""

from __future__ import annotations

from typing import Any

import pytest
from polysession.core.migration import OldSession

REFUSED = r"^a principal is a str, not int: pass str\(user_id\)$"
UNKNOWN = r"^the reason of an end must be one of .*logout.*theft.*, not 'because'$"


def test_a_principal_that_is_no_str_is_refused_at_sign_in(bench: Any) -> None:
    session = bench.manager.open(None)
    with pytest.raises(TypeError, match=REFUSED):
        session.sign_in(42, generation=0)
    assert session.principal is None
    session.commit()
    assert bench.store.calls == []


def test_nobody_can_be_signed_in_as_nobody(bench: Any) -> None:
    with pytest.raises(ValueError, match="principal must not be empty"):
        bench.manager.open(None).sign_in("", generation=0)
    with pytest.raises(ValueError, match="principal must not be empty"):
        OldSession("")


@pytest.mark.parametrize("generation", [-1, 2**32, "1", 1.0, None, True])
def test_a_generation_is_a_whole_number(bench: Any, generation: Any) -> None:
    with pytest.raises(ValueError, match="generation must be a whole number"):
        bench.manager.open(None).sign_in("42", generation=generation)


def test_a_principal_that_is_no_str_is_refused_wherever_it_is_given(bench: Any) -> None:
    bench.sign_in("42")
    session_id = "A" * 16
    for ask in (
        lambda: bench.manager.sessions(42),
        lambda: bench.manager.peek(session_id, principal=42),
        lambda: bench.manager.end_session(42, session_id),
        lambda: bench.manager.end_principal(42, generation=1),
        lambda: OldSession(42),  # type: ignore[arg-type]
    ):
        with pytest.raises(TypeError, match=REFUSED):
            ask()
    assert len(bench.manager.sessions("42")) == 1


def test_a_reason_that_nobody_knows_ends_nothing(bench: Any) -> None:
    token = bench.sign_in("42")
    session = bench.manager.open(token)
    for end in (
        lambda: session.end("because"),
        lambda: bench.manager.end_session("42", session.id, reason="because"),
        lambda: bench.manager.end_principal("42", generation=2, reason="because"),
        lambda: bench.manager.record_end("42", generation=2, reason="because"),
    ):
        with pytest.raises(ValueError, match=UNKNOWN):
            end()
    assert bench.manager.open(token).principal == "42"

"""The limit of sessions a principal, from the settings to the browser's session."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from polysession import InvalidSettings, SessionSettings, TooManySessions


def test_a_sign_in_above_the_limit_replaces_the_session_least_recently_seen(
    make_bench: Callable[..., Any],
) -> None:
    bench = make_bench(sessions_a_principal=2)
    tokens = []
    for _ in range(3):
        tokens.append(bench.sign_in())
        bench.clock.advance(seconds=1)
    first, *others = (bench.manager.open(token) for token in tokens)
    assert first.principal is None
    assert first.end_reason == "replaced"
    assert [session.principal for session in others] == ["42", "42"]
    assert bench.events.ended_reasons == ["replaced"]


def test_where_the_policy_refuses_a_sign_in_fails_and_the_old_session_keeps_its_cart(
    make_bench: Callable[..., Any],
) -> None:
    bench = make_bench(sessions_a_principal=1, limit_policy="refuse")
    signed_in, anonymous = bench.sign_in(), bench.begin(cart={"sku-1": 2})
    session = bench.manager.open(anonymous)
    session.sign_in("42", generation=1)
    with pytest.raises(TooManySessions) as raised:
        session.commit()
    assert raised.value.limit == 1
    assert session.cookie is None
    assert bench.manager.open(signed_in).principal == "42"
    assert bench.attributes(anonymous) == {"cart": {"sku-1": 2}}
    assert len(bench.manager.sessions("42")) == 1


def test_anonymous_sessions_have_no_limit(make_bench: Callable[..., Any]) -> None:
    bench = make_bench(sessions_a_principal=1, limit_policy="refuse")
    for token in [bench.begin() for _ in range(3)]:
        assert bench.attributes(token) == {"a": 1}


@pytest.mark.parametrize("wrong", [{"sessions_a_principal": 0}, {"limit_policy": "ask"}])
def test_a_wrong_limit_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidSettings, match=next(iter(wrong))):
        SessionSettings(**wrong)

"""``set_expiry`` ("remember me"), and ``clearsessions``."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from polysession.contrib.django import SessionStore
from polysession.testing import memory_manager

DAY = 24 * 3600


@pytest.mark.parametrize("order", ["before", "after"])
def test_who_is_remembered_keeps_the_cookie_and_stays_signed_in(
    visitor: Any, ada: Any, clock: Any, order: str
) -> None:
    answer = visitor.sign_in("ada", remember=str(14 * DAY), order=order)
    assert answer.cookies["__Host-session"]["max-age"] == 30 * DAY
    clock.advance(seconds=14 * DAY - 1)
    assert visitor.who() == "ada"
    clock.advance(seconds=14 * DAY - 1)
    assert visitor.who() == "ada"
    clock.advance(seconds=14 * DAY)
    assert visitor.who() == ""


def test_who_is_not_goes_by_the_settings_and_the_browser(visitor: Any, ada: Any, clock: Any) -> None:
    answer = visitor.sign_in("ada", remember="0")
    assert answer.cookies["__Host-session"]["max-age"] == ""
    clock.advance(seconds=1800)
    assert visitor.who() == ""


def test_a_later_request_may_set_it_and_the_cookie_follows_by_a_rotation(
    visitor: Any, ada: Any, clock: Any
) -> None:
    visitor.sign_in("ada")
    token = visitor.token
    assert "__Host-session" not in visitor.get(f"/expiry/{7 * DAY}").cookies
    clock.advance(seconds=3600)
    answer = visitor.get("/who")
    assert answer.cookies["__Host-session"]["max-age"] == 30 * DAY - 3600
    assert visitor.token != token
    clock.advance(seconds=7 * DAY - 3601)
    assert visitor.who() == "ada"


def test_a_date_is_the_end_whatever_the_activity(manager: Any, clock: Any) -> None:
    held = SessionStore()
    held["a"] = 1
    held.set_expiry(timedelta(hours=1))
    held.save()
    found = SessionStore(held.session_key)
    assert 3590 <= found.get_expiry_age(modification=timezone.now() + timedelta(milliseconds=1)) <= 3600
    clock.advance(seconds=3590)
    found["a"] = 2
    found.save()
    clock.advance(seconds=11)
    assert SessionStore(held.session_key).get("a") is None


def test_what_the_settings_do_not_grant_is_refused_with_what_to_do(manager: Any) -> None:
    held = SessionStore()
    for value in (31 * DAY, timedelta(days=31), -1, timedelta(seconds=-1)):
        with pytest.raises(ValueError, match=r"SessionSettings\.remember"):
            held.set_expiry(value)


# --- clearsessions


def test_clearsessions_ends_what_is_due_and_nothing_else(clock: Any, store: Any, events: Any) -> None:
    due = [SessionStore() for _ in range(40)]
    for one in due:
        one["a"] = 1
        one.save()
    clock.advance(seconds=3600)  # their cookies never came back
    live = SessionStore()
    live["a"] = 1
    live.save()
    ended = len(events.ended_reasons)
    call_command("clearsessions")
    assert store.count() == 1
    assert events.ended_reasons[ended:] == ["idle"] * (40 - ended)
    assert SessionStore(live.session_key)["a"] == 1
    call_command("clearsessions")
    assert len(events.ended_reasons) == 40


def test_clearsessions_fails_with_a_sentence_while_the_store_is_away(settings: Any) -> None:
    class Away:
        def now(self) -> int:
            return 0

        def __getattr__(self, name: str) -> Any:
            from polysession.core.errors import StoreUnavailable

            raise StoreUnavailable(name, "away")

    settings.POLYSESSION_MANAGER = memory_manager(store=Away())  # type: ignore[arg-type]
    with pytest.raises(CommandError, match="gave no answer") as error:
        call_command("clearsessions")
    assert error.value.returncode == 1

"""Uninstalled, and installed again on what that left: sessions, accounts and keys are still there."""

from __future__ import annotations

from collections.abc import Callable

from tests.cluster import release, store
from tests.cluster.kind import ORIGIN
from tests.cluster.pods import Pods, wait
from tests.person import Person


def test_who_was_signed_in_before_a_reinstall_still_is(
    on_redis: Pods, measured: Callable[[object], None]
) -> None:
    people = [Person(ORIGIN).sign_up().sign_in() for _ in range(5)]
    for quantity, person in enumerate(people, start=1):
        assert person.put_in_cart("moon-map", quantity).status_code == 200
    ended = people[0].elsewhere()
    token = str(ended.cookie)
    assert ended.ask("DELETE", "/api/users/sessions/current").status_code == 204
    store.plant()
    release.uninstall()
    wait(
        lambda: not on_redis.core.list_namespaced_pod(on_redis.namespace).items, "no pod is left", seconds=60
    )
    measured(f"Ready again in {release.install():.0f} s")
    on_redis.wait_ready(seconds=60)
    for quantity, person in enumerate(people, start=1):
        assert person.current()["account"]["username"] == person.name
        assert person.cart() == {"moon-map": quantity}
        person.elsewhere()
    assert store.lost() == 0
    ended.http.cookies.set("session", token)
    assert ended.http.get("/api/users/me").status_code == 401

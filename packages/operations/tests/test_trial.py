"""`operations try`: two devices of one person share nothing but the account."""

from __future__ import annotations

import httpx
from operations.settings import TrialSettings
from operations.trial import Browser, Trial


def test_a_device_without_cookies_sends_none_of_another_device() -> None:
    sent: list[str | None] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request.headers.get("cookie"))
        return httpx.Response(
            200, headers={"Set-Cookie": "session=of-the-laptop; Path=/"}, json={"csrf_token": "t"}
        )

    with httpx.Client(base_url="http://edge", transport=httpx.MockTransport(answer)) as client:
        trial = Trial(
            client, TrialSettings(address="http://edge", public_url="http://127.0.0.1:8480"), say=print
        )
        trial._refresh_csrf(Browser("laptop"))
        trial._refresh_csrf(Browser("phone"))
    assert sent == [None, None]

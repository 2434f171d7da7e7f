"""The key Job: what it does to the two Secrets, and what its log says."""

from __future__ import annotations

import copy
import io
import json
from typing import Any

from kubernetes.client.exceptions import ApiException
from operations.keys import Keys
from operations.log import Log
from operations.settings import keys_settings

RINGS, CREDENTIALS = "shop-session-keys", "shop-credentials"


class Namespace:
    """The Secrets of a namespace, as the API server keeps them."""

    def __init__(self) -> None:
        self.secrets: dict[str, Any] = {}

    def read_namespaced_secret(self, name: str, namespace: str) -> Any:
        if name not in self.secrets:
            raise ApiException(status=404, reason=f"no {name} in {namespace}")
        return copy.deepcopy(self.secrets[name])

    def create_namespaced_secret(self, namespace: str, body: Any) -> Any:
        self.replace_namespaced_secret(body.metadata.name, namespace, body)

    def replace_namespaced_secret(self, name: str, namespace: str, body: Any) -> Any:
        self.secrets[name] = copy.deepcopy(body)


def run_job(api: Namespace, *, rotation: int) -> tuple[set[str], str]:
    """The rings' entries afterwards, and the log."""
    log = io.StringIO()
    settings = keys_settings(
        {
            "OPERATIONS_NAMESPACE": "shop",
            "OPERATIONS_KEYS_SECRET": RINGS,
            "OPERATIONS_CREDENTIALS_SECRET": CREDENTIALS,
            "OPERATIONS_ROTATION": str(rotation),
        }
    )
    Keys(api, settings, log=Log("keys", stream=log), sleep=lambda _: None).make()
    return set(api.secrets[RINGS].data), log.getvalue()


def test_a_number_that_the_kept_secrets_remember_rotates_nothing_and_the_log_says_so_of_each():
    api = Namespace()
    run_job(api, rotation=0)
    rotated, said = run_job(api, rotation=1)
    assert "mac.B" in rotated
    assert "nothing rotates" not in said

    kept = copy.deepcopy(api.secrets)
    reinstalled, said = run_job(api, rotation=1)
    assert reinstalled == rotated
    assert {name: secret.data for name, secret in api.secrets.items()} == {
        name: secret.data for name, secret in kept.items()
    }
    told = [one for one in map(json.loads, said.splitlines()) if "nothing rotates" in one["event"]]
    assert [one["secret"] for one in told] == [RINGS, CREDENTIALS]
    assert all("set secrets.rotation to 2" in one["event"] for one in told)

    following, said = run_job(api, rotation=2)
    assert "mac.C" in following
    assert "nothing rotates" not in said


def test_without_a_rotation_the_log_does_not_speak_of_one():
    api = Namespace()
    for _ in range(2):
        _, said = run_job(api, rotation=0)
        assert "rotat" not in said

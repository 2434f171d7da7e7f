"""`operations keys`: makes what the two Secrets lack, through the Kubernetes API.

Any number may run at once: a Secret is created or replaced as it was read (`resourceVersion`), else it is read again.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

from kubernetes import client, config
from kubernetes.client.exceptions import ApiException

from .additions import (
    announce_passwords,
    credentials,
    has_announced,
    is_session_key,
    rotate_session_keys,
    session_keys,
    use_passwords,
)
from .errors import OperationsError
from .log import Log
from .settings import KeysSettings, keys_settings

APPLIED = "polysession/rotation"
# From a Secret's change until every Redis pod mounts it and the manager had it loaded.
ANNOUNCE_SECONDS = 150.0
_CONFLICT, _NOT_FOUND, _TRIES = 409, 404, 10

Change = Callable[
    [Mapping[str, bytes], Mapping[str, str]], tuple[Mapping[str, bytes | None], Mapping[str, str]]
]


class Secrets(Protocol):
    """The part of the Kubernetes client that is used."""

    def read_namespaced_secret(self, name: str, namespace: str) -> Any: ...
    def create_namespaced_secret(self, namespace: str, body: Any) -> Any: ...
    def replace_namespaced_secret(self, name: str, namespace: str, body: Any) -> Any: ...


class ApiRefused(OperationsError):
    """The API server did not do it; the message has its reason and no data."""


class Keys:
    """``now``, ``sleep`` are passed in by tests."""

    def __init__(
        self,
        api: Secrets,
        settings: KeysSettings,
        *,
        log: Log,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._api = api
        self._settings = settings
        self._log = log
        self._now = now
        self._sleep = sleep

    def make(self) -> None:
        """Both Secrets are whole afterwards. Raises ``OperationsError``."""
        if self._settings.session_keys_secret:
            self._change(self._settings.session_keys_secret, self._session_keys)
        if self._settings.credentials_secret:
            data = self._change(self._settings.credentials_secret, self._credentials)
            if has_announced(data):
                self._log.info(
                    "waits until every Redis node knows the next passwords", seconds=ANNOUNCE_SECONDS
                )
                self._sleep(ANNOUNCE_SECONDS)
                self._change(self._settings.credentials_secret, self._use)

    def _session_keys(
        self, data: Mapping[str, bytes], notes: Mapping[str, str]
    ) -> tuple[Mapping[str, bytes | None], Mapping[str, str]]:
        ours = {name: value for name, value in data.items() if is_session_key(name)}
        added: dict[str, bytes | None] = dict(session_keys(ours))
        if ours and self._is_due(self._settings.session_keys_secret, notes):
            added.update(rotate_session_keys({**ours, **session_keys(ours)}, now=self._now()))
        return added, self._applied(notes)

    def _credentials(
        self, data: Mapping[str, bytes], notes: Mapping[str, str]
    ) -> tuple[Mapping[str, bytes | None], Mapping[str, str]]:
        added = credentials(data, prefix=self._settings.prefix)
        if data and self._is_due(self._settings.credentials_secret, notes):
            added.update(announce_passwords({**data, **added}, prefix=self._settings.prefix))
        return dict(added), self._applied(notes)

    def _use(
        self, data: Mapping[str, bytes], notes: Mapping[str, str]
    ) -> tuple[Mapping[str, bytes | None], Mapping[str, str]]:
        return use_passwords(data), dict(notes)

    def _is_due(self, secret: str, notes: Mapping[str, str]) -> bool:
        asked, remembered = self._settings.rotation, int(notes.get(APPLIED, "0"))
        if 0 < asked <= remembered:
            self._log.info(
                f"nothing rotates: this Secret remembers rotation {remembered} (annotation {APPLIED}), also from before a "
                f"reinstall; to rotate, set secrets.rotation to {remembered + 1}",
                secret=secret,
                rotation=asked,
            )
        return asked > remembered

    def _applied(self, notes: Mapping[str, str]) -> Mapping[str, str]:
        return {**notes, APPLIED: str(max(self._settings.rotation, int(notes.get(APPLIED, "0"))))}

    def _change(self, name: str, change: Change) -> Mapping[str, bytes]:
        """Read, compute, write; again if somebody else wrote meanwhile. The data as it is then."""
        for _ in range(_TRIES):
            secret = self._read(name)
            data = {key: base64.b64decode(value) for key, value in ((secret and secret.data) or {}).items()}
            notes = dict((secret and secret.metadata.annotations) or {})
            changed, new_notes = change(data, notes)
            result = {key: value for key, value in {**data, **changed}.items() if value is not None}
            if secret is not None and result == data and new_notes == notes:
                self._log.info("nothing is missing", secret=name)
                return result
            if self._write(name, secret, result, new_notes):
                self._log.info("written", secret=name, entries=sorted(changed))  # names, never values
                return result
        raise ApiRefused(f"the Secret {name} changed {_TRIES} times while it was written; run the Job again")

    def _read(self, name: str) -> Any | None:
        try:
            return self._api.read_namespaced_secret(name, self._settings.namespace)
        except ApiException as error:
            if error.status == _NOT_FOUND:
                return None
            raise ApiRefused(f"the Secret {name} cannot be read: {error.status} {error.reason}") from error

    def _write(
        self, name: str, secret: Any | None, data: Mapping[str, bytes], notes: Mapping[str, str]
    ) -> bool:
        encoded: dict[str, bytes | str] = {
            key: base64.b64encode(value).decode() for key, value in data.items()
        }
        namespace = self._settings.namespace
        try:
            if secret is None:
                meta = client.V1ObjectMeta(name=name, labels=self._labels(), annotations=dict(notes))
                self._api.create_namespaced_secret(namespace, client.V1Secret(metadata=meta, data=encoded))
            else:
                secret.data, secret.metadata.annotations = encoded, dict(notes)
                self._api.replace_namespaced_secret(name, namespace, secret)
        except ApiException as error:
            if error.status == _CONFLICT:
                return False
            raise ApiRefused(f"the Secret {name} cannot be written: {error.status} {error.reason}") from error
        return True

    def _labels(self) -> dict[str, str]:
        labels = {"app.kubernetes.io/part-of": "polysession", "app.kubernetes.io/managed-by": "operations"}
        if self._settings.release:
            labels["app.kubernetes.io/instance"] = self._settings.release
        return labels


def run(environment: Mapping[str, str]) -> int:
    """Within a pod."""
    settings = keys_settings(environment)
    if not settings.session_keys_secret and not settings.credentials_secret:
        raise OperationsError(
            "neither OPERATIONS_KEYS_SECRET nor OPERATIONS_CREDENTIALS_SECRET names a Secret to make"
        )
    config.load_incluster_config()  # type: ignore[no-untyped-call]
    Keys(client.CoreV1Api(), settings, log=Log("keys")).make()
    return 0

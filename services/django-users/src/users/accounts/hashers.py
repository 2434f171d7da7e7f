"""Passwords: Argon2id by OWASP's numbers (Password Storage Cheat Sheet: 19 MiB, two passes, one lane)."""

from __future__ import annotations

import threading

from django.contrib.auth.hashers import Argon2PasswordHasher

# 19 MiB and a core each: a burst of sign-ins must not take all threads' memory, nor the cores of other requests.
_slots = threading.BoundedSemaphore(2)


class BoundedArgon2(Argon2PasswordHasher):
    """At most two at once in a process; others wait."""

    time_cost = 2
    memory_cost = 19456
    parallelism = 1

    def encode(self, password: str, salt: str) -> str:
        with _slots:
            return super().encode(password, salt)

    def verify(self, password: str, encoded: str) -> bool:
        with _slots:
            return super().verify(password, encoded)

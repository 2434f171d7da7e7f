"""Whom the service is to the session store."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polysession
from orders.app import make_parts


def test_user_password_and_authorities_of_the_store_are_settings(
    make_config: Any, monkeypatch: Any, tmp_path: Path
):
    told: dict[str, Any] = {}
    monkeypatch.setattr(polysession, "connect", lambda *_, **options: told.update(options))
    password, authorities = tmp_path / "password", tmp_path / "ca.pem"
    password.write_text("first")
    authorities.write_text("pem")
    config = make_config(
        redis_username="sessions", redis_password_file=password, redis_tls_ca_file=authorities
    )
    make_parts(config).database.close()
    assert (told["username"], told["password_file"], told["ca_file"]) == ("sessions", password, authorities)

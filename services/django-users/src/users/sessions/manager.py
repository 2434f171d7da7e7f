"""The sessions of this process: what ``POLYSESSION_MANAGER`` names."""

from __future__ import annotations

from chassis import lifecycle
from polysession import SessionManager, connect
from polysession.contrib.django.ledger.ledger import DjangoLedger
from polysession.core.events import AllEvents
from polysession.telemetry.otel import OTelEvents
from polysession.telemetry.prometheus import PrometheusEvents

from users.config import get_config


def make_manager() -> SessionManager:
    """Called once a process, after its fork. Opens no connection yet; they are closed after the last request."""
    config = get_config()
    manager = connect(
        config.redis_nodes,
        config.session_keys_dir,
        settings=config.session_settings,
        events=AllEvents(OTelEvents(), PrometheusEvents()),
        prefix=config.session_prefix,
        deadline_ms=config.store_deadline_ms,
        username=config.redis_username,
        password_file=config.redis_password_file,
        ca_file=config.redis_tls_ca_file,
        ledger=DjangoLedger(),
    )
    lifecycle.on_stop(manager.close)
    return manager

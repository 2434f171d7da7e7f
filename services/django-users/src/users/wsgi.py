"""What gunicorn runs: Django behind the chassis. Made in each worker, after its fork."""

from __future__ import annotations

import os
from functools import partial

from chassis import lifecycle, metrics
from chassis.health import Health, HealthEndpoints
from chassis.metrics import HTTPMetrics
from chassis.wsgi import BodyLimit, TrustedProxy
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "users.settings")
_django = get_wsgi_application()

from polysession.contrib.django import get_manager  # noqa: E402
from polysession.telemetry.prometheus import LiveSessions  # noqa: E402

from users.config import get_config  # noqa: E402 - Django first: its settings read the configuration
from users.health import check_database, check_schema, close_pools  # noqa: E402

_config = get_config()
_manager = get_manager()
_health = Health({"database": check_database, "schema": check_schema, "store": _manager.ping})
lifecycle.on_start(_health.start)
lifecycle.on_drain(_health.drain)
lifecycle.on_stop(close_pools)
lifecycle.on_stop(_health.stop)

application = HealthEndpoints(
    HTTPMetrics(BodyLimit(TrustedProxy(_django, _config.trusted_proxies), _config.body_limit_bytes)),
    _health,
    partial(metrics.exposition, [LiveSessions(_manager)] if _config.live_sessions_metric else []),
)

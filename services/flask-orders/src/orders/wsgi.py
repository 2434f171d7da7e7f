"""What gunicorn loads, in each worker and after its fork: the app behind what stands in front of it."""

from __future__ import annotations

from chassis import lifecycle
from chassis.health import Health, HealthEndpoints
from chassis.metrics import HTTPMetrics
from chassis.settings import load
from chassis.wsgi import BodyLimit, TrustedProxy

from orders.app import create_app
from orders.config import Config

config = load(Config)
app = create_app(config)
parts = app.extensions["orders"]
health = Health(
    {"database": parts.database.check, "schema": parts.database.check_schema, "store": parts.sessions.ping}
)
lifecycle.on_start(health.start)
lifecycle.on_drain(health.drain)
lifecycle.on_stop(parts.close)
lifecycle.on_stop(health.stop)

limited = BodyLimit(TrustedProxy(app, config.trusted_proxies), config.body_limit_bytes)
application = HealthEndpoints(HTTPMetrics(limited), health)

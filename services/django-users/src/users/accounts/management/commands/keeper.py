"""The library's keeper, with the service's logs, and where ``KEEPER_BIND`` names one a port for probes and Prometheus."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from threading import Event, Thread
from typing import Any

from chassis import logs, metrics
from chassis.endpoint import no_application, serve
from chassis.health import Health, HealthEndpoints
from polysession.contrib.django import get_manager
from polysession.contrib.django.ledger.management.commands import keeper
from polysession.keeper import Pass

from users.config import get_config
from users.health import check_database, check_schema
from users.telemetry import KeeperPasses


class Command(keeper.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        config = get_config()
        logs.configure("django-users-keeper", config.log_level)
        # This process forks none, and has defined its metrics: what others left must not add to them.
        metrics.wipe(config.prometheus_multiproc_dir, keep=os.getpid())
        super().handle(*args, **options)

    @contextmanager
    def watched(self, stop: Event) -> Iterator[Callable[[Pass], None]]:
        """Ready when database, schema and store have answered once, until it stops."""
        hear = _passes()
        bind = get_config().keeper_bind
        if bind is None:
            yield hear
            return
        health = Health({"database": check_database, "schema": check_schema, "store": get_manager().ping})
        health.start()
        Thread(target=lambda: (stop.wait(), health.drain()), name="keeper-drain", daemon=True).start()
        try:
            with serve(bind, HealthEndpoints(no_application, health)):
                yield hear
        finally:
            health.stop()


@cache
def _passes() -> KeeperPasses:
    """One a process: a metric is defined once, however often the command is called."""
    return KeeperPasses()

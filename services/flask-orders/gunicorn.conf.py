"""gunicorn's configuration: ``gunicorn -c gunicorn.conf.py orders.wsgi:application``, settings from the environment."""

from collections.abc import Iterable

from chassis import gunicorn
from chassis.errors import InvalidSettings
from chassis.settings import load
from chassis.traces import Instrumentor
from orders.config import Config


def make_instrumentors() -> Iterable[Instrumentor]:
    """SQL below SQLAlchemy, whose own instrumentor skips 2.1. Flask's is the app's."""
    from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
    from opentelemetry.instrumentation.psycopg import PsycopgInstrumentor

    return (PsycopgInstrumentor(), HTTPXClientInstrumentor())


try:
    loaded = load(Config)  # not "config", which is a setting of gunicorn
except InvalidSettings as error:
    raise SystemExit(str(error)) from None
globals().update(gunicorn.configure(loaded, "flask-orders", instrumentors=make_instrumentors))

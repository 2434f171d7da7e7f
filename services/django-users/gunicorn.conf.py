"""How gunicorn runs the service: ``gunicorn -c gunicorn.conf.py users.wsgi:application``."""

from collections.abc import Iterable

from chassis import gunicorn
from chassis.settings import load
from chassis.traces import Instrumentor
from users.config import Config


def make_instrumentors() -> Iterable[Instrumentor]:
    """In the worker and before Django is loaded: later there would be no server spans."""
    from users.telemetry import make_instrumentors

    return make_instrumentors()


globals().update(gunicorn.configure(load(Config), "django-users", instrumentors=make_instrumentors))

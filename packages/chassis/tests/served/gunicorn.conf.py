"""A service's gunicorn configuration, as small as it can be."""

from chassis.gunicorn import configure
from chassis.settings import ServiceSettings, load

globals().update(configure(load(ServiceSettings), "served"))

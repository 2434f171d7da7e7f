"""What every service of the platform needs and is not about sessions.

Imports neither Django, Flask nor polysession. A service uses, in the order of its start::

    gunicorn.conf.py   config = settings.load(Config)
                       globals().update(chassis.gunicorn.configure(config, "django-users", instrumentors=...))
    post_fork          traces and logs are configured by the above, before the framework is imported
    wsgi.py            app = HTTPMetrics(BodyLimit(TrustedProxy(app, ...), ...))
                       health = Health({"database": ..., "schema": ..., "store": ...})
                       lifecycle.on_start(health.start); lifecycle.on_drain(health.drain)
                       lifecycle.on_stop(health.stop); lifecycle.on_stop(pool.close)
                       application = HealthEndpoints(app, health)
"""

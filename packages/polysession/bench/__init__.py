"""What a session costs: ours beside Flask-Session, Django's engines and bare redis-py. ``python -m bench``.

Not in the wheel. Needs the dependency group ``bench``, redis-server, and TEST_REDIS_NODES for the Redis Cluster.
"""

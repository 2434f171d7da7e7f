"""The Flask app. Making it does no IO: pools connect at first use, in the process that uses them."""

from __future__ import annotations

import polysession
from chassis.assertion import Signer
from flask import Flask
from polysession import SessionManager
from polysession.contrib.flask import Polysession

from orders import api, problems, telemetry
from orders.cart.views import blueprint as cart
from orders.catalogue.views import blueprint as catalogue
from orders.config import Config
from orders.database import Database
from orders.ordering.views import blueprint as ordering
from orders.parts import Parts
from orders.restorer import UsersRestorer
from orders.users_client import UsersClient


def create_app(config: Config, *, sessions: SessionManager | None = None) -> Flask:
    """``sessions``: for tests, another manager than the Redis Cluster's. Raises ``InvalidSettings``, ``InvalidKey``."""
    parts = make_parts(config, sessions=sessions)
    app = create_api()
    app.extensions["orders"] = parts
    problems.register(app)
    # In this order: the span, what it carries, then the checks that may already answer.
    telemetry.instrument(app)
    Polysession(app, parts.sessions, problem=problems.make_problem)
    app.before_request(telemetry.attach_principal)
    return app


def create_api() -> Flask:
    """Routes and their document, without anything behind them."""
    # The shell serves all files; a static folder would be one more path to guard.
    app = Flask("orders", static_folder=None)
    app.json.sort_keys = False  # type: ignore[attr-defined]
    document = api.register(app)
    for blueprint in (catalogue, cart, ordering):
        document.register_blueprint(blueprint)
    return app


def make_parts(config: Config, *, sessions: SessionManager | None = None) -> Parts:
    signer = Signer(config.assertion_private_key_file)
    users = UsersClient(
        str(config.users_url), signer, timeout=config.users_timeout_seconds, connections=config.threads
    )
    return Parts(
        database=Database(config.sqlalchemy_url, pool_size=config.database_pool_size),
        users=users,
        sessions=sessions or connect_sessions(config, users),
    )


def connect_sessions(config: Config, users: UsersClient) -> SessionManager:
    return polysession.connect(
        config.redis_nodes,
        config.session_keys_dir,
        settings=config.session_settings,
        events=telemetry.session_events(),
        prefix=config.session_prefix,
        deadline_ms=config.store_deadline_ms,
        username=config.redis_username,
        password_file=config.redis_password_file,
        ca_file=config.redis_tls_ca_file,
        restorer=UsersRestorer(users),
    )

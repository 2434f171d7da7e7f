"""The users and the orders service: migrated, then run by gunicorn as in their images."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from local.errors import StepFailed
from local.layout import HOST, Layout
from local.logs import tail
from local.readiness import Tick, answers, wait
from local.secrets import Secrets
from local.supervisor import Program

# Spans leave a service after half a second: who looks at a trace here has just made it.
_SPAN_DELAY_MS = "500"


class Service:
    """What both services have in common."""

    def __init__(self, layout: Layout, *, name: str, title: str, folder: str, port: int) -> None:
        self._layout = layout
        self._name = name
        self._port = port
        self._folder = layout.root / "services" / folder
        self._service_name = folder
        self.title = title

    @property
    def address(self) -> str:
        """For the edge and Prometheus, not for browsers."""
        return f"{HOST}:{self._port}"

    @property
    def ports(self) -> Sequence[int]:
        """One."""
        return (self._port,)

    @property
    def programs(self) -> Sequence[Program]:
        """gunicorn; it drains for 20 s, then closes pools and flushes spans."""
        python = str(self._layout.python)
        return [
            Program(
                name=self._name,
                command=[
                    *(python, "-m", "gunicorn", "-c", "gunicorn.conf.py"),
                    f"{self._name}.wsgi:application",
                ],
                directory=self._folder,
                environment=self.environment,
                stop_seconds=40,
            )
        ]

    @property
    def environment(self) -> Mapping[str, str]:
        """Its settings: see docs/configuration.md."""
        layout, secrets = self._layout, Secrets(self._layout)
        database = f"postgresql://{self._name}@{HOST}:{layout.ports.postgres}/{self._name}"
        return {
            "PUBLIC_URL": layout.public_url,
            "BIND": f"{HOST}:{self._port}",
            "DATABASE_URL": database,
            "DATABASE_PASSWORD_FILE": str(secrets.database_password(self._name)),
            "REDIS_NODES": layout.redis_nodes,
            "SESSION_KEYS_DIR": str(secrets.session_keys),
            "PROMETHEUS_MULTIPROC_DIR": str(layout.folder("metrics") / self._name),
            "OTEL_EXPORTER_OTLP_ENDPOINT": layout.url(layout.ports.traces),
            "OTEL_SERVICE_NAME": self._service_name,
            "OTEL_BSP_SCHEDULE_DELAY": _SPAN_DELAY_MS,
            **self._own_settings(secrets),
        }

    def require(self) -> None:
        """Nothing besides what the environment that runs us has."""

    def prepare(self) -> None:
        """Its folder of metric files, and its schema. Migrations repeat harmlessly."""
        (self._layout.folder("metrics") / self._name).mkdir(mode=0o700, parents=True, exist_ok=True)
        log = self._layout.logs / f"{self._name}-migrate.log"
        with log.open("w") as output:
            done = subprocess.run(
                [str(self._layout.python), *self._migration()],
                cwd=self._folder,
                env={**self._layout.environment(), **self.environment, "OTEL_EXPORTER_OTLP_ENDPOINT": ""},
                stdout=output,
                stderr=subprocess.STDOUT,
                check=False,
            )
        if done.returncode:
            raise StepFailed(
                f"The {self._name} database could not be migrated.",
                f"The whole output is in {log}.",
                evidence=tail(log),
            )

    def settle(self, tick: Tick) -> None:
        """Its database, schema and store have answered once."""
        wait(self.title, answers(f"{self._layout.url(self._port)}/readyz"), tick)

    def _migration(self) -> Sequence[str]:
        raise NotImplementedError

    def _own_settings(self, secrets: Secrets) -> Mapping[str, str]:
        raise NotImplementedError


class Users(Service):
    """Accounts, sign-in, devices."""

    def __init__(self, layout: Layout) -> None:
        super().__init__(
            layout, name="users", title="users (Django)", folder="django-users", port=layout.ports.users
        )

    @property
    def programs(self) -> Sequence[Program]:
        """The service, and the keeper beside it: same settings, same database."""
        keeper = Program(
            name="keeper",
            command=[str(self._layout.python), "manage.py", "keeper"],
            directory=self._folder,
            # Its own folder: gunicorn empties that of the service when it starts.
            environment={**self.environment, "PROMETHEUS_MULTIPROC_DIR": str(self._keeper_metrics)},
        )
        return [*super().programs, keeper]

    def prepare(self) -> None:
        """As each service; and the keeper's folder of metric files."""
        super().prepare()
        self._keeper_metrics.mkdir(mode=0o700, parents=True, exist_ok=True)

    @property
    def _keeper_metrics(self) -> Path:
        return self._layout.folder("metrics") / "keeper"

    def _migration(self) -> Sequence[str]:
        return ("manage.py", "migrate", "--no-input")

    def _own_settings(self, secrets: Secrets) -> Mapping[str, str]:
        return {
            "DJANGO_SECRET_KEY_FILE": str(secrets.django_secret_key),
            "ASSERTION_PUBLIC_KEYS_DIR": str(secrets.assertion_public_keys),
        }


class Orders(Service):
    """Catalogue, cart, checkout."""

    def __init__(self, layout: Layout) -> None:
        super().__init__(
            layout, name="orders", title="orders (Flask)", folder="flask-orders", port=layout.ports.orders
        )

    def _migration(self) -> Sequence[str]:
        return ("-m", "orders.migrate")

    def _own_settings(self, secrets: Secrets) -> Mapping[str, str]:
        return {
            "USERS_URL": self._layout.url(self._layout.ports.users),
            "ASSERTION_PRIVATE_KEY_FILE": str(secrets.assertion_private_key),
        }

"""The service's settings: the environment, read once at start. ``docs/configuration.md`` explains each."""

from __future__ import annotations

from pathlib import Path

from chassis.settings import DatabaseURL, SecretFile, ServiceSettings, read_secret
from polysession import SessionSettings
from pydantic import Field, HttpUrl
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import URL, make_url


class Config(ServiceSettings):
    """What the orders service needs besides the settings of both services."""

    users_url: HttpUrl
    users_timeout_seconds: float = Field(default=2, gt=0, le=30)
    assertion_private_key_file: SecretFile

    @property
    def sqlalchemy_url(self) -> URL:
        return _sqlalchemy_url(self.database_url, self.database_password_file)

    @property
    def session_settings(self) -> SessionSettings:
        return SessionSettings(**self.session_policy)


class MigrationConfig(BaseSettings):
    """What ``orders.migrate`` needs: the database and nothing else, so it runs before there is a store or a key."""

    model_config = SettingsConfigDict(
        hide_input_in_errors=True, extra="ignore", frozen=True, env_ignore_empty=True, case_sensitive=False
    )

    database_url: DatabaseURL
    database_password_file: SecretFile
    log_level: str = "info"

    @property
    def sqlalchemy_url(self) -> URL:
        return _sqlalchemy_url(self.database_url, self.database_password_file)


def _sqlalchemy_url(url: str, password_file: Path) -> URL:
    return make_url(url).set(drivername="postgresql+psycopg", password=read_secret(password_file))

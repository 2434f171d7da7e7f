"""The service's settings: the environment, read once at start. ``docs/configuration.md`` explains each."""

from __future__ import annotations

from functools import cache
from typing import Annotated

from chassis import settings as chassis_settings
from chassis.settings import Bind, Directory, SecretFile, ServiceSettings, read_secret
from limits import RateLimitItem, parse
from polysession import SessionSettings
from pydantic import AfterValidator


def _rate(text: str) -> str:
    try:
        parse(text)
    except ValueError:
        raise ValueError("write it like 5/minute") from None
    return text


Rate = Annotated[str, AfterValidator(_rate)]


class Config(ServiceSettings):
    """What the users service needs besides the settings of both services."""

    django_secret_key_file: SecretFile
    assertion_public_keys_dir: Directory
    sign_in_limit_account: Rate = "5/minute"
    sign_in_limit_address: Rate = "50/minute"
    live_sessions_metric: bool = True
    keeper_bind: Bind | None = None

    @property
    def django_secret_key(self) -> str:
        return read_secret(self.django_secret_key_file)

    @property
    def account_limit(self) -> RateLimitItem:
        return parse(self.sign_in_limit_account)

    @property
    def address_limit(self) -> RateLimitItem:
        return parse(self.sign_in_limit_address)

    @property
    def session_settings(self) -> SessionSettings:
        return SessionSettings(**self.session_policy)


@cache
def get_config() -> Config:
    """Read at first use, once a process. Raises ``InvalidSettings`` with every fault."""
    return chassis_settings.load(Config)

"""System checks: ``manage.py check`` says what is set up wrong, and what to do. docs/django.md has the table of them.

What a check needs it reads from the settings; the manager is made (it connects to nothing), because only that finds a
key file that cannot be read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches
from typing import Any

from django.apps import apps
from django.conf import global_settings, settings
from django.core import checks
from django.core.checks import CheckMessage, Tags
from django.core.exceptions import ImproperlyConfigured
from django.db import connections
from django.middleware.csrf import CsrfViewMiddleware
from django.utils.module_loading import import_string

from polysession.core.errors import InvalidSettings
from polysession.core.manager import SessionManager
from polysession.core.migration import check_until

from .csrf import CsrfMiddleware
from .manager import OtherCookieName, get_manager
from .middleware import SessionMiddleware
from .migration import cookie_name, engine_of, is_over

ENGINE = "polysession.contrib.django"
LEDGER = "polysession.contrib.django.ledger"
AFTER = (  # what uses the session
    "django.middleware.csrf.CsrfViewMiddleware",
    "polysession.contrib.django.CsrfMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
)
# Django's own settings of sessions, each with what says the same here.
IGNORED = {
    "SESSION_COOKIE_AGE": "SessionSettings.idle, .absolute, or set_expiry()",
    "SESSION_EXPIRE_AT_BROWSER_CLOSE": "set_expiry(0)",
    "SESSION_SAVE_EVERY_REQUEST": "nothing: activity is noted by itself",
    "SESSION_COOKIE_DOMAIN": "nothing: a __Host- cookie belongs to one host",
    "SESSION_COOKIE_PATH": "nothing: a __Host- cookie has the path /",
    "SESSION_COOKIE_SAMESITE": "nothing: it is Lax",
    "SESSION_COOKIE_HTTPONLY": "nothing: it is HttpOnly",
    "SESSION_SERIALIZER": "nothing: values are MessagePack, with their types",
    "SESSION_CACHE_ALIAS": "POLYSESSION_MANAGER",
    "SESSION_FILE_PATH": "POLYSESSION_MANAGER",
}
SETTINGS = (
    "POLYSESSION_MANAGER",
    "POLYSESSION_MIGRATE_FROM",
    "POLYSESSION_MIGRATE_UNTIL",
    "POLYSESSION_MIGRATE_COOKIE",
)
_KEYS_HINT = (
    "See docs/configuration.md; `python -m polysession keys DIR` makes the key files that are missing."
)
_CONNECT_HINT = "See docs/library-settings.md: what connect() and SessionSettings take."
_UNTIL_HINT = "Set POLYSESSION_MIGRATE_UNTIL to a datetime.date; from that day on no old session is read."
DJANGOS_STORAGE = "django.contrib.messages.storage.session.SessionStorage"


def register() -> None:
    for check in (check_middleware, check_manager, check_cookie, check_csrf, check_ignored, check_messages):
        checks.register(check, Tags.security if check is check_cookie else "polysession")
    checks.register(check_migration, "polysession")
    checks.register(check_names, "polysession")
    checks.register(check_ledger, Tags.database)


def check_middleware(**_: Any) -> list[CheckMessage]:
    return list(_middleware_faults())


def _middleware_faults() -> Iterator[CheckMessage]:
    if settings.SESSION_ENGINE != ENGINE:
        hint = f'Set SESSION_ENGINE = "{ENGINE}", or take the app and its middleware out.'
        yield checks.Error(
            f"SESSION_ENGINE is {settings.SESSION_ENGINE!r}.", hint=hint, id="polysession.E001"
        )
    ours = _position(SessionMiddleware)
    if ours is None:
        what = "MIDDLEWARE has no polysession.contrib.django.SessionMiddleware: request.session is not ours."
        hint = "Put it in place of django.contrib.sessions.middleware.SessionMiddleware."
        yield checks.Error(what, hint=hint, id="polysession.E002")
        return
    early = [name for name in AFTER if name in settings.MIDDLEWARE[:ours]]
    if early:
        what = f"Before SessionMiddleware stands what uses the session: {', '.join(early)}."
        yield checks.Error(what, hint="Move SessionMiddleware before them.", id="polysession.E003")
    stock = "django.contrib.sessions.middleware.SessionMiddleware"
    if stock in settings.MIDDLEWARE:
        what = "MIDDLEWARE has Django's SessionMiddleware beside ours: it saves without our cookie rules."
        yield checks.Error(what, hint=f"Take {stock} out.", id="polysession.E004")


def _position(wanted: type) -> int | None:
    for position, name in enumerate(settings.MIDDLEWARE):
        try:
            found = import_string(name)
        except ImportError:
            continue  # Django says so itself
        if isinstance(found, type) and issubclass(found, wanted):
            return position
    return None


def check_manager(**_: Any) -> list[CheckMessage]:
    """Keys, nodes, settings, extras: each fault by itself."""
    try:
        get_manager()
    except InvalidSettings as error:
        return [
            checks.Error(fault, hint=_KEYS_HINT if "key" in fault else _CONNECT_HINT, id="polysession.E005")
            for fault in error.faults
        ]
    except OtherCookieName as error:
        what = (
            f"SESSION_COOKIE_NAME is {settings.SESSION_COOKIE_NAME!r}: the session cookie has another name."
        )
        hint = f"{error} (SessionSettings(secure=False) has no __Host-: for plain-HTTP loopback only.)"
        return [checks.Error(what, hint=hint, id="polysession.E006")]
    except (ImproperlyConfigured, ImportError) as error:
        hint = 'POLYSESSION_MANAGER = "myproject.sessions.make_manager", whose result polysession.connect() makes.'
        return [checks.Error(f"There is no manager: {error}", hint=hint, id="polysession.E006")]
    return []


def check_cookie(**_: Any) -> list[CheckMessage]:
    manager = _manager()
    if manager is None or manager.settings.secure:
        return []
    signs = [name for name in _signs_of_tls() if name]
    if not signs:
        return []
    what = (
        f"SessionSettings(secure=False), and {', '.join(signs)} says https: the cookie would travel in clear."
    )
    hint = f'Leave secure=False out, and set SESSION_COOKIE_NAME to "__Host-{manager.settings.cookie_name}".'
    return [checks.Error(what, hint=hint, id="polysession.E007")]


def _signs_of_tls() -> Iterable[str]:
    for name in ("SECURE_SSL_REDIRECT", "SECURE_HSTS_SECONDS", "SECURE_PROXY_SSL_HEADER"):
        if getattr(settings, name):
            yield name
    if any(origin.startswith("https://") for origin in settings.CSRF_TRUSTED_ORIGINS):
        yield "CSRF_TRUSTED_ORIGINS"


def check_csrf(**_: Any) -> list[CheckMessage]:
    position = _position(CsrfViewMiddleware)
    if position is None:
        return []
    if not settings.CSRF_USE_SESSIONS:
        what = "CSRF_USE_SESSIONS is False: the CSRF secret would be a cookie's, good for whichever session."
        return [checks.Error(what, hint="Set CSRF_USE_SESSIONS = True.", id="polysession.E008")]
    if _position(CsrfMiddleware) is None:
        what = "Django's CsrfViewMiddleware answers 500 where the session store gives no answer, and takes one key."
        hint = "Put polysession.contrib.django.CsrfMiddleware in its place."
        return [checks.Warning(what, hint=hint, id="polysession.W001")]
    return []


def check_ignored(**_: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    # The old engine goes by them for as long as its sessions are read.
    ignored = {} if hasattr(settings, "POLYSESSION_MIGRATE_FROM") else IGNORED
    for name, instead in ignored.items():
        value = getattr(settings, name)
        if value == getattr(global_settings, name):
            continue
        if name == "SESSION_SERIALIZER" and "pickle" in str(value).lower():
            what = "SESSION_SERIALIZER pickles, and is ignored: nothing here is ever unpickled."
            hint = "Take it out. What sessions held as pickled objects must be values of the types in docs/session-data.md."
            found.append(checks.Warning(what, hint=hint, id="polysession.W003"))
            continue
        hint = f"Take it out; instead: {instead}."
        found.append(checks.Warning(f"{name} is ignored.", hint=hint, id="polysession.W002"))
    manager = _manager()
    if manager is not None and manager.settings.secure != settings.SESSION_COOKIE_SECURE:
        what = "SESSION_COOKIE_SECURE is not what the session settings say, and is ignored."
        hint = f"Set it to {manager.settings.secure}, for whoever reads the settings."
        found.append(checks.Warning(what, hint=hint, id="polysession.W002"))
    return found


def check_messages(**_: Any) -> list[CheckMessage]:
    if not apps.is_installed("django.contrib.messages") or settings.MESSAGE_STORAGE != DJANGOS_STORAGE:
        return []
    what = "MESSAGE_STORAGE keeps all messages in one value: of parallel requests, the last one's are shown."
    hint = 'Set MESSAGE_STORAGE = "polysession.contrib.django.messages.MessageStorage".'
    return [checks.Warning(what, hint=hint, id="polysession.W004")]


def check_migration(**_: Any) -> list[CheckMessage]:
    """Of old sessions: see ``migration``."""
    until = getattr(settings, "POLYSESSION_MIGRATE_UNTIL", None)
    if until is None:
        given = [
            name for name in SETTINGS if "_MIGRATE_" in name and getattr(settings, name, None) is not None
        ]
        what = f"{', '.join(given)} without POLYSESSION_MIGRATE_UNTIL: no old session is read."
        return [checks.Error(what, hint=_UNTIL_HINT, id="polysession.E009")] if given else []
    engine = getattr(settings, "POLYSESSION_MIGRATE_FROM", None)
    try:
        engine_of(engine or "")
    except (ImproperlyConfigured, ImportError, ValueError) as error:
        what = f"POLYSESSION_MIGRATE_FROM is {engine!r}: its sessions cannot be read ({error})."
        return [checks.Error(what, hint="Set it to what SESSION_ENGINE was.", id="polysession.E013")]
    if cookie_name() == settings.SESSION_COOKIE_NAME:
        what = "The old cookie has the name of ours: one of them overwrites the other."
        hint = "Choose another SessionSettings(cookie_name=…)."
        return [checks.Error(what, hint=hint, id="polysession.E014")]
    try:
        check_until(until)
    except InvalidSettings:
        what = f"POLYSESSION_MIGRATE_UNTIL is no date but a {type(until).__name__}."
        return [checks.Error(what, hint=_UNTIL_HINT, id="polysession.E009")]
    if is_over(until):
        what = f"POLYSESSION_MIGRATE_UNTIL was {until}: no old session is read any more."
        hint = "Take out POLYSESSION_MIGRATE_UNTIL and _FROM, and the app of the old engine."
        return [checks.Warning(what, hint=hint, id="polysession.W005")]
    return []


def check_names(**_: Any) -> list[CheckMessage]:
    """A misspelled setting is one that is not there."""
    found: list[CheckMessage] = []
    for name in sorted(name for name in dir(settings) if name.startswith("POLYSESSION_")):
        if name not in SETTINGS:
            near = get_close_matches(name, SETTINGS, n=1, cutoff=0)[0]
            hint = f"Is it {near}? Else take it out."
            found.append(
                checks.Warning(f"{name} is no setting of Polysession.", hint=hint, id="polysession.W008")
            )
    return found


def check_ledger(*, databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """Only where the database may be asked: ``manage.py check --database default``."""
    manager = _manager()
    ledger = manager.context.ledger if manager is not None else None
    if not apps.is_installed(LEDGER):
        if type(ledger).__module__.startswith(LEDGER):
            hint = f"Add '{LEDGER}' to INSTALLED_APPS, and migrate."
            return [checks.Error("The ledger's app is not installed.", hint=hint, id="polysession.E011")]
        return []
    if ledger is None:
        what = "The ledger's app is installed, and the manager has no ledger: nothing is written to it."
        return [checks.Warning(what, hint="connect(…, ledger=DjangoLedger()).", id="polysession.W006")]
    alias = getattr(ledger, "alias", None)
    if alias is not None and alias not in connections:
        hint = "DjangoLedger(using=…) names one of DATABASES."
        return [checks.Error(f"DATABASES has no {alias!r}.", hint=hint, id="polysession.E012")]
    if alias is None or alias not in (databases or ()):
        return []
    if _knows_ledger(connections[alias]):
        return []
    hint = f"manage.py migrate polysession_ledger --database {alias}"
    return [
        checks.Warning(
            "The ledger's tables, or columns of them, are missing.", hint=hint, id="polysession.W007"
        )
    ]


def _knows_ledger(connection: Any) -> bool:
    from .ledger.models import LedgerRow  # of an app that may not be installed

    table, introspection = LedgerRow._meta.db_table, connection.introspection
    with connection.cursor() as cursor:
        if table not in introspection.table_names(cursor):
            return False
        columns = {one.name for one in introspection.get_table_description(cursor, table)}
    return columns >= {field.column for field in LedgerRow._meta.concrete_fields}


def _manager() -> SessionManager | None:
    """``None``: it cannot be made, which is another check's to tell."""
    try:
        return get_manager()
    except (InvalidSettings, ImproperlyConfigured, ImportError):
        return None

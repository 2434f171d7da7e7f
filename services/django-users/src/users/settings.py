"""Django's settings, all of them from `users.config`: nothing here reads the environment."""

from chassis.postgres import STATEMENT_SECONDS, BoundedConnection
from polysession.core.cookie import session_cookie_name

from users.config import get_config

_config = get_config()
_database = _config.database
# Before any metric is defined, whatever command this is: their values are files in it.
_config.prometheus_multiproc_dir.mkdir(parents=True, exist_ok=True)

SECRET_KEY = _config.django_secret_key
DEBUG = False
# No address is made of the Host header; probes, Prometheus and the orders service use whatever name reaches BIND.
ALLOWED_HOSTS = ["*"]
CSRF_TRUSTED_ORIGINS = [_config.public_origin]
ROOT_URLCONF = "users.urls"
WSGI_APPLICATION = "users.wsgi.application"
APPEND_SLASH = False  # the API's paths have none; the admin adds its own
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False
LOGGING_CONFIG = None  # chassis.logs has set it up
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "users.accounts.apps.AccountsAdminConfig",
    "users.accounts.apps.AccountsConfig",  # before django.contrib.auth: its changepassword ends sessions
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "polysession.contrib.django",
    "polysession.contrib.django.ledger",
]
MIDDLEWARE = [
    "users.telemetry.RouteMiddleware",
    "users.policy.AdminPolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "users.telemetry.SessionMiddleware",
    "users.problems.ProblemMiddleware",
    "django.middleware.common.CommonMiddleware",
    "polysession.contrib.django.CsrfMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": _database.host,
        "PORT": _database.port,
        "NAME": _database.name,
        "USER": _database.user,
        "PASSWORD": _database.password,
        "CONN_HEALTH_CHECKS": True,  # a connection that died with its server is replaced, not handed out
        "OPTIONS": {
            "pool": {
                "min_size": 1,
                "max_size": _config.database_pool_size,
                "timeout": 2,
                "connection_class": BoundedConnection,  # else a frozen server hangs whoever asks it
            },
            # Else the pool asks for it on each connection, in a span without a parent.
            "options": f"-c timezone=UTC -c statement_timeout={STATEMENT_SECONDS * 1000}",
            "connect_timeout": 2,
        },
    }
}

AUTH_USER_MODEL = "accounts.Account"
# It looks for unique=True: our constraint is stricter, unique in whatever case.
SILENCED_SYSTEM_CHECKS = ["auth.E003", "auth.W004"]
AUTHENTICATION_BACKENDS = ["users.sessions.backend.ThrottledBackend"]
PASSWORD_HASHERS = ["users.accounts.hashers.BoundedArgon2"]
AUTH_PASSWORD_VALIDATORS = [
    # NIST SP 800-63B: length, and no password from a list of common ones.
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

SESSION_ENGINE = "polysession.contrib.django"
POLYSESSION_MANAGER = "users.sessions.manager.make_manager"
SESSION_COOKIE_NAME = session_cookie_name(_config.session_settings)
SESSION_COOKIE_SECURE = _config.secure_cookies
CSRF_USE_SESSIONS = True
CSRF_HEADER_NAME = "HTTP_X_CSRF_TOKEN"
CSRF_FAILURE_VIEW = "users.problems.answer_csrf_failure"
LOGIN_URL = "admin:login"
MESSAGE_STORAGE = "polysession.contrib.django.messages.MessageStorage"

STATIC_URL = "/api/users/static/"
WHITENOISE_USE_FINDERS = True  # the admin's files, from its package: nothing is to be collected
WHITENOISE_AUTOREFRESH = False

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],  # users.views.View has the one there is; it decides who may
    "DEFAULT_PERMISSION_CLASSES": [],
    "DEFAULT_PARSER_CLASSES": ["users.parsers.BoundedJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "users.problems.answer_exception",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    "URL_FORMAT_OVERRIDE": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Polysession users",
    "DESCRIPTION": "Accounts, sign-in, devices.",
    "VERSION": "0.1.0",
    "OAS_VERSION": "3.1.0",
    "TAGS": [{"name": "accounts"}, {"name": "sessions"}],
    "COMPONENT_SPLIT_PATCH": False,
    "COMPONENT_NO_READ_ONLY_REQUIRED": False,
    "ENUM_SUFFIX": "",
    "ENUM_NAME_OVERRIDES": {"EndReason": "users.sessions.serializers.END_REASON_CHOICES"},
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "APPEND_COMPONENTS": {
        "securitySchemes": {
            "session": {
                "type": "apiKey",
                "in": "cookie",
                "name": "__Host-session",
                "description": "`session` on plain-HTTP loopback.",
            }
        }
    },
    "SCHEMA_PATH_PREFIX": "/api/users",
    "SORT_OPERATIONS": False,
}

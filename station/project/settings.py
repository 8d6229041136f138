"""Settings of the appliance. All that differs from station to station comes from the environment."""

import os

import dj_database_url
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from station.project import environment
from station.project.log import LOGGING as LOGGING  # Django reads it here
from station.store import redaction

ENVIRONMENT = environment.read(os.environ)
environment.prepare_folders(ENVIRONMENT)

BASE_DIR = environment.PROJECT
DATA_DIR = ENVIRONMENT.data
KEYS_DIR = ENVIRONMENT.keys
PKCS11 = ENVIRONMENT.pkcs11

SECRET_KEY = environment.secret_key(ENVIRONMENT)
redaction.protect(SECRET_KEY, *environment.passwords(ENVIRONMENT))
DEBUG = False
# A station is reached under whatever name or address a site gives it. What a foreign name could do is held by the
# session cookie (bound to the name), the CSRF token and the WebSocket's origin check, which all compare with it.
ALLOWED_HOSTS = ["*"]

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "django_htmx",
    "station.apps.StationConfig",
    "station.project.apps.ProjectConfig",
    "station.store.apps.StoreConfig",
    "station.notices.apps.NoticesConfig",
    "webui.apps.WebuiConfig",
    "webui.api.apps.ApiConfig",
    "webui.neighbourhood.apps.NeighbourhoodConfig",
    "webui.accounts.apps.AccountsConfig",
    "webui.sessions.apps.SessionsConfig",
    "webui.owner.apps.OwnerConfig",
    "webui.tariff.apps.TariffConfig",
    "webui.cards.apps.CardsConfig",
    "webui.access.apps.AccessConfig",
    "webui.work.apps.WorkConfig",
    "webui.commissioning.apps.CommissioningConfig",
]

MIDDLEWARE = [
    "station.project.headers.SecurityHeaders",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "webui.owner.local_time.local_time",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "webui.accounts.presence.Presence",
    "webui.access.gate.AccessGate",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "station.project.urls"
ASGI_APPLICATION = "station.project.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "webui.context.page",
                "webui.access.context.page",
            ]
        },
    }
]

# ---------------------------------------------------------------- database

DATABASES = {"default": dj_database_url.parse(ENVIRONMENT.database_url or f"sqlite:///{ENVIRONMENT.database}")}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {
        "timeout": 5,  # s
        # A transaction that reads and then writes must hold the write lock from its start, or it fails halfway.
        "transaction_mode": "IMMEDIATE",
        # A lost commit is a lost transaction, so every commit reaches the flash.
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
    }
else:
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# ---------------------------------------------------------------- Redis

# Nothing on the channel layer is worth waiting for: one try on a fresh connection, then the next message repairs it.
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "station.project.channel_layer.StationChannelLayer",
        "CONFIG": {
            "hosts": [
                {
                    "address": ENVIRONMENT.redis,
                    "socket_connect_timeout": 2,
                    "socket_timeout": 5,
                    "retry": Retry(NoBackoff(), 1),
                    "driver_info": None,  # or the client parses its package's metadata for each connection
                }
            ],
            "prefix": f"station-{ENVIRONMENT.instance}",
        },
    }
}

# ---------------------------------------------------------------- accounts and sessions

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 8}},
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "dashboard"
LOGOUT_REDIRECT_URL = "login"

# Browsers do not tell ports apart: two stations on one machine need cookies of different names. The Secure flag is
# set by SecurityHeaders where the request came over TLS; loopback is served without.
SESSION_COOKIE_NAME = f"session_{ENVIRONMENT.instance}"
SESSION_COOKIE_AGE = 7 * 24 * 3600  # s
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_NAME = f"csrf_{ENVIRONMENT.instance}"
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "webui.errors.csrf_failure"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024  # bytes

# ---------------------------------------------------------------- language, time, static files

USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
# What there are words in for drivers, who are spoken to in the language that the CSMS names (C01.FR.08).
LANGUAGES = [("en", "English"), ("de", "Deutsch"), ("fr", "Français"), ("es", "Español"), ("nl", "Nederlands")]
LOCALE_PATHS = [BASE_DIR / "locale"]

# WhiteNoise serves the files from where they are, each under an address that carries a hash of its content. So there
# is no collecting step that a start could miss or that would write beside the data folder.
STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "station.project.static.VersionedStaticFiles"},
}
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False
WHITENOISE_MAX_AGE = 3600  # s; for what a style sheet names without the hash

# ---------------------------------------------------------------- checks

SILENCED_SYSTEM_CHECKS = [
    "security.W004",  # HSTS: with a self-signed certificate it would lock a site out of its own station
    "security.W008",  # plain HTTP on loopback is meant; elsewhere project.plain_http redirects
    "security.W012",  # see SESSION_COOKIE_NAME
    "security.W016",
]

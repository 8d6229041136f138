"""One readable line per event; the supervisor adds time and process name."""

from __future__ import annotations

import logging
from typing import Any


class Readable(logging.Formatter):
    """``message`` alone where all is well, ``WARNING message`` and so on where it is not."""

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        return text if record.levelno <= logging.INFO else f"{record.levelname} {text}"


class EverydayLosses(logging.Filter):
    """Keeps the loss of Redis from filling the log.

    The libraries tell it with a page of traceback each, again and again. Who misses Redis says so itself, in one line
    when it goes and one when it is back; what the libraries add is dropped. Any other lost connection keeps its line
    and loses its traceback.
    """

    LIBRARIES = ("celery.", "kombu.", "channels_redis.")
    TEXTS = ("consumer: Cannot connect to", "consumer: Connection to broker lost")

    def filter(self, record: logging.LogRecord) -> bool:
        """False for what somebody else tells better."""
        if record.name.startswith(self.LIBRARIES) and record.getMessage().startswith(self.TEXTS):
            return False
        error = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
        if error is None or not _everyday(error):
            return True
        if record.name.startswith(self.LIBRARIES):
            return False
        record.msg, record.args = "%s: %s", (record.getMessage().strip().split("\n")[0].rstrip(".:"), error)
        record.exc_info = record.exc_text = None
        return True


def _everyday(error: BaseException) -> bool:
    import redis

    return isinstance(error, (ConnectionError, TimeoutError, redis.ConnectionError, redis.TimeoutError))


LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"readable": {"()": "station.project.log.Readable", "format": "%(message)s"}},
    "filters": {"everyday_losses": {"()": "station.project.log.EverydayLosses"}},
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": "readable",
            "filters": ["everyday_losses"],
        },
    },
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        "django": {"handlers": [], "level": "INFO", "propagate": True},
        # Each page that is not there would be a line; what a page does wrong still is one.
        "django.request": {"level": "ERROR"},
        "django.channels.server": {"level": "WARNING"},
        "daphne": {"level": "WARNING"},
        "celery": {"level": "WARNING"},
        "kombu": {"level": "WARNING"},
        "asyncio": {"level": "WARNING"},
        "websockets": {"level": "WARNING"},
        "aiohttp.access": {"level": "WARNING"},
        "pymodbus": {"level": "CRITICAL"},
        # Were it not there, redis would make it, with a handler beside ours.
        "push_response": {"level": "INFO"},
    },
}

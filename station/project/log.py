"""What a process logs, and how: without secrets, readable at a terminal, structured for the supervisor.

A child of the supervisor writes one ``Structured`` record per event; the supervisor adds time and process name, shows
it to people and keeps it as a line of JSON. A command that runs by itself writes readable lines.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
from typing import Any

from station.store.redaction import clean

RECORD = "\x1e"  # in front of a structured record: RS, as in RFC 7464
MESSAGE_LENGTH = 2_000  # characters
EXCEPTION_LENGTH = 5_000  # characters, the last ones: there it says what happened


class Readable(logging.Formatter):
    """``message`` alone where all is well, ``WARNING message`` and so on where it is not."""

    def format(self, record: logging.LogRecord) -> str:
        text = clean(super().format(record))
        return text if record.levelno <= logging.INFO else f"{record.levelname} {text}"


class Structured(logging.Formatter):
    """One line of JSON: ``level``, ``logger``, ``message`` and, where there is one, ``exception``."""

    def format(self, record: logging.LogRecord) -> str:
        told = {
            "level": record.levelname,
            "logger": record.name,
            "message": clean(record.getMessage()[: 4 * MESSAGE_LENGTH])[:MESSAGE_LENGTH],
        }
        if record.exc_info and not record.exc_text:
            record.exc_text = self.formatException(record.exc_info)
        if record.exc_text:
            told["exception"] = clean(record.exc_text[-4 * EXCEPTION_LENGTH :])[-EXCEPTION_LENGTH:]
        return RECORD + json.dumps(told, ensure_ascii=False)


def become_structured() -> None:
    """Have this process write records for its supervisor; also of what would go to standard error by itself."""
    for handler in logging.getLogger().handlers:
        handler.setFormatter(Structured())
    threading.excepthook = _thread_failed
    sys.unraisablehook = _unraisable


def _thread_failed(args: threading.ExceptHookArgs) -> None:
    if args.exc_type is not SystemExit:
        name = args.thread.name if args.thread else "?"
        logging.getLogger("python").error("the thread %s failed", name, exc_info=args.exc_value)


def _unraisable(args: Any) -> None:
    logging.getLogger("python").error(
        "%s: %r", args.err_msg or "an exception was ignored in", args.object, exc_info=args.exc_value
    )


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
        "autobahn": {"level": "WARNING"},
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

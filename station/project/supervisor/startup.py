"""What must hold before anything starts. Whatever does not is one clear line, raised as StartupFailed."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import secrets
import shutil
import socket
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from station.project.environment import Address, Environment

LOCK_PATIENCE = 2.0  # s; children of a supervisor that was killed hold the lock for a moment
CHECK_LIMIT = 3.0  # s for looking through the database; one too large to be read in that time passes
BACKLOG = 128
# No 0 and O, no 1, l and I: it is typed from a terminal into a phone.
_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"


class StartupFailed(Exception):
    """Why the appliance cannot start, in one line for people."""


def lock(environment: Environment) -> int:
    """Hold the data folder for this process and its children; a descriptor to keep. Raises StartupFailed."""
    try:
        handle = os.open(environment.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StartupFailed(f"cannot write to {environment.data}: {error.strerror}") from error
    end = time.monotonic() + LOCK_PATIENCE
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return handle
        except BlockingIOError:
            if time.monotonic() >= end:
                os.close(handle)
                raise StartupFailed(f"a station is already running on {environment.data}") from None
            time.sleep(0.05)


def redis_server() -> str:
    """The path of redis-server; raises StartupFailed."""
    path = shutil.which("redis-server") or shutil.which("redis-server", path="/usr/sbin:/usr/local/bin:/usr/bin")
    if path is None:
        raise StartupFailed("redis-server is not installed (apt-get install redis-server, or set REDIS_URL)")
    return path


def listen(name: str, address: Address) -> socket.socket:
    """A listening socket; raises StartupFailed, naming the variable."""
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(
            address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError as error:
        raise StartupFailed(f"{name}: {address.host} is no address of this machine: {error.strerror}") from error
    listening = socket.socket(family, kind, protocol)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(where)
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        if error.errno == errno.EADDRINUSE:
            raise StartupFailed(f"{name}: {address} is in use by another program") from error
        raise StartupFailed(f"{name}: cannot listen on {address}: {error.strerror}") from error
    return listening


def must_be_free(name: str, address: Address) -> None:
    """Raises StartupFailed where somebody listens there already."""
    listen(name, address).close()


def in_child(work: Callable[[], dict[str, Any]]) -> Callable[[], dict[str, Any]]:
    """Start ``work`` in a child of its own; call the result to wait for what it returns, or for its StartupFailed.

    So the supervisor itself never opens the database: a connection must not go through a fork, and what a migration
    loads is given back.
    """
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(read)
        status = 1
        try:
            try:
                answer: dict[str, Any] = {"answer": work()}
            except StartupFailed as failure:
                answer = {"failed": str(failure)}
            with os.fdopen(write, "w") as pipe:
                json.dump(answer, pipe)
            status = 0
        except BaseException:
            import traceback

            traceback.print_exc()
        finally:
            os._exit(status)
    os.close(write)

    def wait() -> dict[str, Any]:
        with os.fdopen(read) as pipe:
            text = pipe.read()
        os.waitpid(pid, 0)
        if not text:
            raise StartupFailed("the database could not be prepared")
        answer = json.loads(text)
        if "failed" in answer:
            raise StartupFailed(answer["failed"])
        return dict(answer["answer"])

    return wait


def prepare_database() -> None:
    """Check the database, make it where it is missing, bring its tables up to date. Raises StartupFailed."""
    from django.conf import settings
    from django.core.management import call_command
    from django.db import DatabaseError, connection
    from django.db.migrations.executor import MigrationExecutor

    path = Path(settings.ENVIRONMENT.database)
    own = settings.ENVIRONMENT.database_url is None
    name = str(path) if own else "DATABASE_URL"
    try:
        if own:
            _check_sqlite(path)
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            with _without_checking_every_key(connection):
                call_command("migrate", interactive=False, verbosity=0)
        if own:
            path.chmod(0o600)
        _take_over_certificates(settings.ENVIRONMENT)
        _write_switch(settings.ENVIRONMENT.data)
    except (DatabaseError, sqlite3.DatabaseError) as error:
        reason = str(error).strip().split("\n")[0]
        if own and ("malformed" in reason or "not a database" in reason):
            raise _damaged(path, reason) from error
        raise StartupFailed(f"cannot use the database {name}: {reason}") from error
    except OSError as error:
        raise StartupFailed(f"cannot use the database {name}: {error.strerror}") from error
    finally:
        connection.close()


@contextmanager
def _without_checking_every_key(connection: Any) -> Iterator[None]:
    """For SQLite, Django looks at every foreign key of the whole database after each single migration.

    With the meter values of ten years that takes minutes each time, and a firmware that starts so late is taken back.
    Our migrations only add (tests/store/test_migrations.py holds it), so no key can have come to point at nothing.
    """
    check = connection.check_constraints
    connection.check_constraints = lambda table_names=None: check(table_names) if table_names else None
    try:
        yield
    finally:
        del connection.check_constraints


def _write_switch(data: Path) -> None:
    """What is on stands in the database; the supervisor's file beside it may be lost, or older than a restored one."""
    from webui.neighbourhood import switch
    from webui.neighbourhood.models import Neighbourhood

    wish = Neighbourhood.current().wish
    if switch.read(data) != wish:
        switch.write(data, wish)


def _take_over_certificates(environment: Environment) -> None:
    if environment.certificates.is_dir():
        from station.project import certificate_files

        certificate_files.take_over(environment.certificates, environment.keys)


def _check_sqlite(path: Path) -> None:
    if not path.exists() or path.stat().st_size == 0:
        return
    end = time.monotonic() + CHECK_LIMIT
    with_limit = sqlite3.connect(path, timeout=5)
    with_limit.set_progress_handler(lambda: time.monotonic() > end, 10_000)
    try:
        found = with_limit.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.OperationalError as error:
        if "interrupted" not in str(error):
            raise
        return
    finally:
        with_limit.close()
    if found and found[0] != "ok":
        raise _damaged(path, found[0].split("\n")[-1])


def _damaged(path: Path, reason: str) -> StartupFailed:
    return StartupFailed(
        f"the database {path} is damaged ({reason}); put a copy back, or move it away to start anew without its history"
    )


def first_administrator() -> str | None:
    """Make the user ``admin`` where nobody may log in yet; the password, or None where there was somebody."""
    from django.contrib.auth import get_user_model
    from django.db import connection, transaction

    users = get_user_model()
    with transaction.atomic():
        if users.objects.exists():
            password = None
        else:
            password = "-".join("".join(secrets.choice(_ALPHABET) for _ in range(4)) for _ in range(4))
            users.objects.create_superuser("admin", password=password)
    connection.close()
    return password


def provisioned() -> bool:
    """Whether somebody told the station where its CSMS is."""
    from django.db import connection

    from station.store.models import NetworkProfile

    answer = NetworkProfile.objects.exists()
    connection.close()
    return bool(answer)

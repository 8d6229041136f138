"""``manage.py work``: do the long work that waits, and end. The transfer worker starts it; a person may, too."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

NICE = 10  # charging and pages go first
MOST_MEMORY = 1024 * 1024 * 1024  # bytes of address space
PR_SET_PDEATHSIG = 1  # prctl(2)


class Command(BaseCommand):
    """Without ``--parent`` it runs by itself; with it, it ends when that process does."""

    help = "Do the long work that waits (statements, exports, backups), and end."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--parent", type=int, metavar="PID", help="end when this process, which started it, ends")

    def handle(self, *args: Any, parent: int | None = None, **options: Any) -> None:
        if parent is not None:
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            if os.getppid() != parent:  # it ended before the line above
                return
        from webui.work import doing

        os.nice(NICE)
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, hard))
        doing.work_off()

"""``manage.py firmware``: write an image, and what an image is asked before it is started."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

REFUSED = 2

# Well formed, signed, and yet no Python: the kind of mistake that only shows when the code is loaded.
BROKEN = ("station/ocpp/station.py", b'\n\ndef unfinished(:\n    """An image made with --broken ends here."""\n')


class Command(BaseCommand):
    """Exit status 2 for a bad version, 1 where the file cannot be written or the check fails."""

    help = "Make a firmware image of the present code, or check that this code can run here."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
        make = actions.add_parser("make", help="write an image of this code that reports another version")
        make.add_argument("--version", required=True, metavar="V", dest="image_version", help="what it reports")
        make.add_argument("--broken", action="store_true", help="one whose installation fails")
        make.add_argument(
            "--broken-start", action="store_true", help="one that is installed, and goes back as it does not start"
        )
        make.add_argument("file", type=Path, metavar="FILE")
        actions.add_parser("check", help="prove that this code can run here; prints its version as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["action"] == "check":
            self._check()
        else:
            self._make(options["image_version"], options["file"], options["broken"], options["broken_start"])

    def _make(self, version: str, file: Path, broken: bool, broken_start: bool) -> None:
        from station.firmware import image
        from station.project.environment import PROJECT

        edit = {}
        if broken:
            name, spoiled = BROKEN
            edit[name] = (PROJECT / name).read_bytes() + spoiled
        if broken_start:
            edit["station/management/commands/appliance.py"] = b'raise RuntimeError("made with --broken-start")\n'
        try:
            size = image.pack(PROJECT, version, file, edit)
        except ValueError as error:
            self.stderr.write(f"firmware make: --version: {error}")
            sys.exit(REFUSED)
        except OSError as error:
            sys.exit(f"firmware make: cannot write {file}: {error.strerror or error}")
        self.stdout.write(f"{file}: version {version}, {size} bytes")

    def _check(self) -> None:
        from station.project import self_check

        try:
            version = self_check.run()
        except self_check.SelfCheckFailed as failure:
            sys.exit(str(failure))
        self.stdout.write(json.dumps({"version": version}))

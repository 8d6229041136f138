"""``manage.py provision``: set the station up without a browser."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.db import Error as DatabaseError

from station.project import provisioning
from station.project.provisioning import Refused, Wishes
from station.project.supervisor import startup
from station.project.supervisor.startup import StartupFailed

REFUSED = 2


class Command(BaseCommand):
    """Exit status 2 for a bad value, with nothing changed; 1 where the data folder or database cannot be used."""

    help = "Set the station up: where its CSMS is, who it is, and any variable of its device model. Prints what it set."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--identity", metavar="ID", help="the station's name at the CSMS")
        parser.add_argument(
            "--csms-url",
            metavar="URL",
            help="ws:// or wss://; the identity is appended as the last segment of the path",
        )
        parser.add_argument("--security-profile", type=int, choices=(1, 2, 3))
        parser.add_argument("--password", metavar="SECRET", help="for HTTP Basic, 16 to 40 characters")
        parser.add_argument("--csms-root-certificate", metavar="FILE", type=Path)
        parser.add_argument("--manufacturer-root-certificate", metavar="FILE", type=Path)
        parser.add_argument("--station-certificate", metavar="FILE", type=Path, help="PEM, the station's own first")
        parser.add_argument("--station-key", metavar="FILE", type=Path, help="PEM, without a password")
        parser.add_argument("--admin-password", metavar="SECRET", help="of the user admin of the web interface")
        parser.add_argument("--slot", type=int, default=1, metavar="N", help="network configuration slot, default 1")
        parser.add_argument(
            "--set",
            action="append",
            default=[],
            metavar="NAME=VALUE",
            dest="variables",
            help="a variable, as in TxCtrlr.TxStartPoint=Authorized or EVSE@1.Power=7400; may be repeated",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        wishes = Wishes(
            **{name: options[name] for name in Wishes.__dataclass_fields__ if name != "variables"},
            variables=tuple(options["variables"]),
        )
        environment = settings.ENVIRONMENT
        try:
            held = startup.lock(environment)
            startup.prepare_database()
            plan = provisioning.plan(wishes, environment)
            provisioning.carry_out(plan)
            os.close(held)
        except Refused as refused:
            self.stderr.write(f"provision: {refused}")
            sys.exit(REFUSED)
        except StartupFailed as failure:
            sys.exit(f"provision: {failure}")
        except (OSError, DatabaseError, ValueError) as error:
            sys.exit(f"provision: cannot use {environment.data}: {error}")
        for line in plan.said:
            self.stdout.write(line)
        for line in plan.warnings:
            self.stderr.write(f"note: {line}")
        if not plan.said:
            self.stdout.write(f"{environment.data} is ready")

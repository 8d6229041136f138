#!/usr/bin/env python
"""The appliance's commands; see README.md."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "station.project.settings")
    from django.core.management import execute_from_command_line

    from station.project.environment import EnvironmentInvalid

    try:
        execute_from_command_line(sys.argv)
    except EnvironmentInvalid as error:
        sys.exit(f"station: {error}")


if __name__ == "__main__":
    main()

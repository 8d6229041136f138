#!/usr/bin/env python
"""The appliance's commands; see README.md. The appliance runs from an installed firmware, where there is one."""

import importlib.util
import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def hand_over() -> None:
    """Let an installed firmware run instead; see station/firmware/launcher.py."""
    spec = importlib.util.spec_from_file_location("station_launcher", HERE / "station" / "firmware" / "launcher.py")
    launcher = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(launcher)
    launcher.hand_over(HERE)


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "station.project.settings")
    from django.core.management import execute_from_command_line

    from station.project.environment import EnvironmentInvalid

    try:
        execute_from_command_line(sys.argv)
    except EnvironmentInvalid as error:
        sys.exit(f"station: {error}")


if __name__ == "__main__":
    hand_over()
    main()

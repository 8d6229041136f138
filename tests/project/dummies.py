"""A supervisor over children that only a test would want; run as a process of its own.

    python -m tests.project.dummies PLAN   (JSON: {"children": [{"name", "do", …}], "limits": {NAME: seconds}})

Each child appends a line to ``<folder>/<name>`` at its start: its pid.
"""

from __future__ import annotations

import functools
import json
import os
import signal
import sys
import time
from pathlib import Path

from station.domain.firmware import RunningFirmware
from station.project import health
from station.project.supervisor import supervisor
from station.project.supervisor.child import Spec
from station.project.supervisor.output import Output
from station.project.supervisor.probation import Probation


def child(folder: Path, plan: dict) -> int:
    name, do = plan["name"], plan["do"]
    with (folder / name).open("a") as file:
        file.write(f"{os.getpid()}\n")
    lives = len((folder / name).read_text().split())
    print(f"{name} begins")
    if do == "end":
        return 3
    while not all((folder / other).exists() for other in plan.get("after", [])):
        time.sleep(0.02)
    if do == "reboot-once" and lives == 1:
        return supervisor.REBOOT
    if do == "stuck-once" and lives == 1:
        health.beat(plan["slot"])
        time.sleep(3600)
    if do == "raise":
        raise RuntimeError("a bug")
    if do == "deaf":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if do == "grandchild" and os.fork() == 0:
        (folder / "grandchild").write_text(f"{os.getpid()}\n")
        time.sleep(3600)
    while True:
        if do == "anew-once" and lives == 1 and (folder / "anew").exists():
            return 0
        if plan.get("slot") and do != "mute":
            health.beat(plan["slot"])
        time.sleep(0.05)


class Switch:
    """The switch of a firmware on trial; ``pending`` once a file of that name is there."""

    def __init__(self, folder: Path, patience: float | None) -> None:
        self._folder, self._patience = folder, patience

    def running(self) -> RunningFirmware:
        return RunningFirmware("1")

    def pending(self) -> bool:
        return (self._folder / "pending").exists()

    def on_trial(self) -> float | None:
        return None if (self._folder / "confirmed").exists() else self._patience

    def give_up(self, why: str) -> None:
        (self._folder / "given up").write_text(why)

    def restart(self) -> None: ...


def main() -> None:
    folder = Path(sys.argv[1])
    plan = json.loads(sys.argv[2])
    for name, value in plan.get("limits", {}).items():
        setattr(supervisor, name, value)
    specs = [
        Spec(
            each["name"],
            functools.partial(child, folder, each),
            slots=(each["slot"],) if each.get("slot") else (),
            station=each.get("station", False),
            last=each.get("last", False),
            wanted=(folder / each["wanted"]).exists if "wanted" in each else None,
        )
        for each in plan["children"]
    ]
    output = Output(1, (supervisor.SELF, *(spec.name for spec in specs)))
    trial = Probation(Switch(folder, plan["patience"])) if "patience" in plan else None
    anew = supervisor.Supervisor(
        specs,
        output,
        ready=lambda: output.line(supervisor.SELF, "ready"),
        probation=trial,
        anew=(folder / "order").exists,
    ).run()
    if anew:
        print("other code is started", flush=True)


if __name__ == "__main__":
    main()

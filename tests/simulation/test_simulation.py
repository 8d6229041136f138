"""The short form of ``make simulate``, and that the simulation is what it claims to be."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.simulation.faults import STYLES
from tests.simulation.hunt import Hunt
from tests.simulation.life import live
from tests.simulation.mutations import MUTATIONS, find
from tests.simulation.script import Script
from tests.simulation.shrink import shrink
from tests.simulation.story import story
from tests.simulation.write import write

LIVES = 4  # of each style, half a day each


@pytest.mark.parametrize("style", list(STYLES))
@pytest.mark.parametrize("seed", range(LIVES))
def test_every_rule_holds(style: str, seed: int) -> None:
    outcome = live(write(seed, days=0.5, style=style))
    assert outcome.broken is None, f"python -m tests.simulation --seed {seed} --days-each 0.5 --style {style}"


def test_a_script_outlasts_being_written_down() -> None:
    script = write(5, days=1.0, style="everything")
    assert Script.load(script.dump()) == script


FRAMES = """
import hashlib, logging
from tests.simulation.life import live
from tests.simulation.write import write
logging.disable(logging.CRITICAL)
digest = hashlib.sha256()
live(write(3, days=0.5, style="everything"), lambda t, kind, what: digest.update(f"{t} {kind} {what}".encode()))
print(digest.hexdigest())
"""


def test_the_same_seed_is_the_same_life_in_every_process() -> None:
    """Down to each frame, whatever the order in which this process would go through a set."""
    digests = {
        subprocess.run(
            [sys.executable, "-c", FRAMES],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(digests) == 1


@pytest.mark.parametrize(
    ("name", "rules"),
    [
        ("power for every cable, authorized or not", {"no_permit"}),
        ("seqNo is not counted for some events", {"accounts"}),
        ("an answered event stays on the disk", {"order"}),
        ("whatever the meter says is believed", {"register"}),
        ("a list grows with every session", {"memory"}),
    ],
)
def test_a_broken_station_is_found_and_told_shortly(name: str, rules: set[str]) -> None:
    found = find(name, lives=10)
    assert found is not None
    assert found.broken is not None
    assert found.broken.rule in rules
    breaks, _ = MUTATIONS[name]
    with breaks():
        short = shrink(found.script, found.broken.rule, seconds=30)
        words, again = story(short)
    assert len(short.deeds) < len(found.script.deeds)
    assert again.broken is not None
    assert f"BROKEN {found.broken.rule}" in words


def test_the_table_names_what_broke() -> None:
    hunt = Hunt(first=1, days=1.0, days_each=0.3)
    with MUTATIONS["seqNo is not counted for some events"][0]():
        assert not hunt.run()
    assert hunt.rules["accounts"] > 0
    assert hunt.summary()["failures"][0]["rule"] == "accounts"
    assert hunt.table().splitlines()[0].split()[-1] == "broken"

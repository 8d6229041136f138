"""``python -m tests.simulation``: thousands of station-days with faults, every rule checked after every step.

Without ``--seed`` it lives seed after seed, prints a table and writes JSON; the first broken rule is told as a short
story. ``--seed N`` lives that one seed, ``--replay FILE`` a script that was kept.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
from pathlib import Path

from tests.simulation.faults import STYLES
from tests.simulation.hunt import Hunt
from tests.simulation.life import live
from tests.simulation.script import Script
from tests.simulation.shrink import shrink
from tests.simulation.story import story
from tests.simulation.write import write


def main() -> int:
    """Exit status 0 where every rule held, 1 otherwise."""
    options = _options()
    logging.disable(logging.CRITICAL)
    if options.replay:
        return _one(Script.load(options.replay.read_text()), options)
    if options.seed is not None:
        return _one(write(options.seed, days=options.days_each, style=options.style), options)
    hunt = Hunt(
        options.first,
        options.days,
        options.seconds,
        options.days_each,
        options.style,
        lambda words: print(f"… {words}", file=sys.stderr, flush=True),
    )
    good = hunt.run()
    print(hunt.table())
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(hunt.summary(), indent=1) + "\n")
    for failure in hunt.failures:
        print(f"\nseed {failure['seed']}: {failure['rule']}: {failure['text']}\n  {_again(failure['seed'], options)}")
    if hunt.failures:
        print()
        _one(write(hunt.failures[0]["seed"], days=options.days_each, style=options.style), options)
    if hunt.lived < options.days:
        print(f"\nonly {hunt.lived:.0f} of {options.days:g} days within {options.seconds:g} s")
    return 0 if good and hunt.lived >= options.days else 1


def _again(seed: int, options: argparse.Namespace) -> str:
    style = f" --style {options.style}" if options.style else ""
    return f"python -m tests.simulation --seed {seed} --days-each {options.days_each:g}{style}"


def _one(script: Script, options: argparse.Namespace) -> int:
    """Live one script, and make it short where a rule breaks."""
    outcome = live(script)
    if outcome.broken and options.shrink > 0 and not options.replay:
        print(f"{outcome.broken}\nmaking it short …\n", flush=True)
        script = shrink(script, outcome.broken.rule, seconds=options.shrink)
        kept = options.json.parent / f"simulation-{script.seed}.json"
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(script.dump())
        print(f"kept: python -m tests.simulation --replay {kept}\n")
    words, outcome = story(script, everything=options.everything)
    print(words)
    return 0 if outcome.broken is None else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=float, default=10_000, help="station-days to live (default: 10000)")
    parser.add_argument("--seconds", type=float, default=3_600, help="processor time at most (default: 3600)")
    parser.add_argument("--first", type=int, default=1, help="the first seed (default: 1)")
    parser.add_argument("--days-each", type=float, default=2, help="days of each life (default: 2)")
    parser.add_argument("--style", choices=list(STYLES), help="only faults of this kind")
    parser.add_argument("--seed", type=int, help="live this seed only, and tell it")
    parser.add_argument("--replay", type=Path, metavar="FILE", help="live a kept script, and tell it")
    parser.add_argument("--shrink", type=float, default=120, help="seconds to shorten a failing script (default: 120)")
    parser.add_argument("--everything", action="store_true", help="tell every frame")
    parser.add_argument("--json", type=Path, default=Path("build/simulation.json"), help="where to write the figures")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

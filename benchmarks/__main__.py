"""Measure, and write the report: `./dev bench [--quick] [--only NAME,…] [--add] [--out FOLDER]`."""

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from benchmarks import machine, report
from benchmarks.machine import ROOT, MissingToolError
from benchmarks.peer import Peer
from benchmarks.peers import all_peers, install_missing
from benchmarks.results import Results
from benchmarks.scenarios import SCENARIOS, Bench, Plan, say
from benchmarks.site import make_board
from benchmarks.writing import writing

ALL: Final = SCENARIOS | {"write": writing}
FULL_REPEATS: Final = 5
QUICK_REPEATS: Final = 3
PEOPLE: Final = (250, 50)
"""Accounts in full and in quick: a twentieth of the most connections there are, or of a thousand."""


def main() -> None:
    """Do what was asked for."""
    parser = argparse.ArgumentParser(prog="./dev bench", description="Measure the server beside its peers.")
    parser.add_argument("--quick", action="store_true", help="less than five minutes instead of 45")
    parser.add_argument("--only", metavar="NAME,…", help=f"scenarios: {', '.join(ALL)}")
    parser.add_argument("--add", action="store_true", help="keep what was measured of the other scenarios")
    parser.add_argument("--repeats", type=int, help=f"default {FULL_REPEATS}, quick {QUICK_REPEATS}")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "benchmarks", help="folder of the report")
    parser.add_argument("--render", action="store_true", help="measure nothing, write the report anew")
    options = parser.parse_args()
    if not options.render:
        plan = Plan(options.repeats or (QUICK_REPEATS if options.quick else FULL_REPEATS), options.quick)
        names = options.only.split(",") if options.only else list(ALL)
        path = options.out / "results.json"
        try:
            measure(plan, names, Results.load(path) if options.add else Results(), path)
        except MissingToolError as error:
            sys.exit(f"bench: {error}")
    report.write(Results.load(options.out / "results.json"), options.out)
    say(f"report: {options.out / 'README.md'}")


def measure(plan: Plan, names: list[str], results: Results, path: Path) -> None:
    """Run scenarios, and save what they measured after each: what took long outlives a failure in the last."""
    begun = time.monotonic()
    results.machine = machine.describe()
    machine.raise_file_limit()
    with tempfile.TemporaryDirectory(prefix="timetodo-bench-") as folder:
        install_missing()
        say("making a board with people on it")
        board = asyncio.run(make_board(Path(folder), plan.choose(*PEOPLE)))
        peers = all_peers(board)
        bench = Bench(board, _present(peers, results), plan, results)
        for name in names:
            say(f"{name} ({time.monotonic() - begun:.0f} s so far)")
            results.forget(name)
            started = time.monotonic()
            ALL[name](bench)
            results.done(name, plan.repeats, quick=plan.is_quick, minutes=(time.monotonic() - started) / 60)
            results.save(path)


def _present(peers: list[Peer], results: Results) -> list[Peer]:
    """Return the peers that can be measured, and note the others."""
    found = []
    for peer in peers:
        results.labels[peer.name] = peer.label
        reason = peer.why_missing()
        if reason is None:
            found.append(peer)
        else:
            results.missing[peer.label] = reason
    results.labels["orm"] = "FastAPI + SQLAlchemy ORM"
    return found


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Changes the code of crates in one place after the other, and lists the changes that no test notices.

    tests/mutants.py domain                            # all changes of a crate
    tests/mutants.py lambda schema web                 # of several
    tests/mutants.py store --shard 0/20                # one in 20
    tests/mutants.py store --file shared/store/src/jobs/close.rs

Other options choose the changes, and are passed to cargo-mutants. Needs what `tests/run tools` installs. Fails if
tests notice fewer than 90 % of the changes, or if tests/mutants.toml does not say why one need not be noticed.
"""

import argparse
import collections
import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys
import tomllib

ROOT = pathlib.Path(__file__).parent.parent
TOOLS = ROOT / ".venv/mutants"
VERSION = "27.1.0"
LEAST = 0.9
CRATES = ["domain", "filter", "lambda", "schema", "store", "web"]


def name_of(change):
    """Returns the name of a change, which stays the same if lines are added above it."""
    return re.sub(r":\d+:\d+: ", ": ", change["name"])


def judged(outcomes, explained):
    """Returns the share of changes that were noticed, and a line for each complaint."""
    found = collections.defaultdict(set)
    for name, outcome in outcomes:
        found[name].add(outcome)
    survivors = {name for name, outcomes in found.items() if outcomes != {"noticed"}}
    complaints = [f"{' and '.join(sorted(found[name] - {'noticed'}))}: {name}" for name in sorted(survivors - explained.keys())]
    complaints += [f"noticed, but listed: {name}" for name in sorted(explained.keys() & found.keys() - survivors)]
    share = 1 - len(survivors) / max(len(found), 1)
    if share < LEAST:
        complaints.append(f"fewer than {LEAST:.0%} are noticed")
    return share, complaints


def changes_of(crates, options):
    """Returns the changes that cargo-mutants would make."""
    if not (TOOLS / "bin/cargo-mutants").exists():
        install = ["cargo", "install", "--debug", "--locked", "--root", TOOLS, f"cargo-mutants@{VERSION}"]
        subprocess.run(install, check=True)
    packages = [f"--package={crate}" for crate in crates]
    command = [TOOLS / "bin/cargo-mutants", "mutants", "--list", "--json", *packages, *options]
    return json.loads(subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout)


def attempt(number, tests, environment, seconds):
    """Returns whether a test notices a change: the most specific ones, up to a number of seconds of tests."""
    tests = sorted((test for test in tests if number in test.reached), key=lambda test: len(test.reached) * test.seconds)
    for test in tests:
        if seconds < 0:
            break
        seconds -= test.seconds
        if test.notices(number, environment):
            return "noticed"
    return "not noticed" if tests else "not reached"


def outcomes(changes, seconds):
    """Tries changes. Yields the name and the outcome of each that compiles."""
    from mutation.build import Build, copy
    from mutation.suite import tests

    # Cargo does not tell the crates of the copy from those of the repository, so their builds have a folder of their own.
    folder = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).absolute() / "mutants"
    environment = os.environ | {"CARGO_TARGET_DIR": str(folder / "target"), "INSTA_UPDATE": "no", "CARGO_TERM_QUIET": "true"}
    tree = folder / "tree"
    copy(ROOT, tree)
    print(f"{len(changes)} changes", flush=True)
    built = Build(ROOT, tree, changes)
    built.run(environment)
    found = tests(tree, environment)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        passed = pool.map(lambda test: test.learn(environment), found)
        passing = [test for test, has_passed in zip(found, passed) if has_passed]
        seconds_of_all = sum(test.seconds for test in found)
        print(f"{len(passing)} of {len(found)} tests pass, and take {seconds_of_all:.0f} s", flush=True)
        left = [number for number in range(len(changes)) if number not in built.unviable | built.fixed]
        tried = pool.map(lambda number: attempt(number, passing, environment, seconds), left)
        for number, outcome in zip(left, tried):
            if outcome != "noticed":
                print(f"{outcome}: {changes[number]['name']}", flush=True)
            yield name_of(changes[number]), outcome
    print(f"{len(built.unviable)} changes do not compile, {len(built.fixed)} cannot be switched on at run time")


def main():
    parser = argparse.ArgumentParser(usage=__doc__.replace("%", "%%"))
    parser.add_argument("crates", nargs="+", choices=CRATES)
    parser.add_argument("--seconds", type=float, default=30, help="seconds of tests for one change")
    options, others = parser.parse_known_args()
    explained = tomllib.loads((ROOT / "tests/mutants.toml").read_text())
    changes = changes_of(options.crates, others)
    share, complaints = judged(outcomes(changes, options.seconds), explained)
    print(f"{share:.1%} noticed", *complaints, sep="\n")
    sys.exit(1 if complaints else 0)


if __name__ == "__main__":
    main()

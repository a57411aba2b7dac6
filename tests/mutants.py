#!/usr/bin/env python3
"""Changes the code of a crate in one place after the other, and lists the changes that its tests do not notice.

    tests/mutants.py filter                 # domain or filter, whose rules are tested in the crate itself
    tests/mutants.py domain --shard 0/20    # one in 20 changes; the options are those of cargo-mutants

Fails if tests notice fewer than 90 % of the changes, or if tests/mutants.toml does not say why one need not be
noticed. The reports are in target/mutants/mutants.out.
"""

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

# The exit codes of cargo-mutants if all changes were tried: all noticed, some not, some tests did not end.
TRIED = {0, 2, 3}


def judged(outcomes, explained):
    """Returns the share of changes that were noticed, and a line for each complaint."""
    summaries = {}
    for outcome in outcomes:
        if outcome["scenario"] != "Baseline":
            name = re.sub(r":\d+:\d+: ", ": ", outcome["scenario"]["Mutant"]["name"])
            summaries.setdefault(name, set()).add(outcome["summary"])
    tried = [name for name, found in summaries.items() if found != {"Unviable"}]
    survivors = {name for name in tried if "MissedMutant" in summaries[name]}
    complaints = [f"not noticed: {name}" for name in sorted(survivors - explained.keys())]
    complaints += [f"noticed, but listed: {name}" for name in sorted(explained.keys() & set(tried) - survivors)]
    share = 1 - len(survivors) / max(len(tried), 1)
    if share < LEAST:
        complaints.append(f"fewer than {LEAST:.0%} are noticed")
    return share, complaints


def change(crate, options):
    """Tries the changes. Returns their outcomes."""
    if not (TOOLS / "bin/cargo-mutants").exists():
        install = ["cargo", "install", "--debug", "--locked", "--root", TOOLS, f"cargo-mutants@{VERSION}"]
        subprocess.run(install, check=True)
    out = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "mutants"
    out.mkdir(parents=True, exist_ok=True)
    command = ["cargo", "mutants", "--package", crate, "--output", out, "--cap-lints=true", *options, "--", "--lib"]
    environment = os.environ | {"PATH": f"{TOOLS}/bin:{os.environ['PATH']}"}
    code = subprocess.run(command, cwd=ROOT, env=environment).returncode
    if code not in TRIED:
        sys.exit(code)
    return json.loads((out / "mutants.out/outcomes.json").read_text())["outcomes"]


def main():
    if len(sys.argv) < 2 or sys.argv[1] not in ("domain", "filter"):
        sys.exit(__doc__)
    explained = tomllib.loads((ROOT / "tests/mutants.toml").read_text())
    share, complaints = judged(change(sys.argv[1], sys.argv[2:]), explained)
    print(f"{share:.1%} noticed", *complaints, sep="\n")
    sys.exit(1 if complaints else 0)


if __name__ == "__main__":
    main()

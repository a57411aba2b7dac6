"""Builds crates with all changes behind switches, in a copy of the repository."""

import json
import pathlib
import shutil
import subprocess
import sys

from .switches import SWITCH, Source, function_at, marks


def copy(root, tree):
    """Copies the files of the repository to a folder. Files that are the same stay as they are, so that little is built again."""
    files = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, check=True, text=True).stdout
    names = {name for name in files.split("\0") if (root / name).is_file()}
    for stale in [file for file in tree.rglob("*") if file.is_file() and str(file.relative_to(tree)) not in names]:
        stale.unlink()
    for name in names:
        source, target = root / name, tree / name
        if not (target.exists() and target.read_bytes() == source.read_bytes()):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)


def lib_of(change):
    """Returns the root file of the crate that a change is in."""
    folder = pathlib.PurePath(change["file"])
    while folder.name != "src":
        folder = folder.parent
    return str(folder / "lib.rs")


class Build:
    """Crates in a copy of the repository, and their changes."""

    def __init__(self, root, tree, changes):
        self.root, self.tree, self.changes = root, tree, changes
        # The numbers of the changes that have no switch, and of those that do not compile.
        self.fixed, self.unviable = set(), set()

    def run(self, environment):
        """Writes the switches, and leaves out the changes that do not compile."""
        while True:
            self._write()
            errors = self._errors(environment)
            if not errors:
                return
            at_fault = self._at_fault(errors)
            if not at_fault:
                sys.exit("\n".join(error["rendered"] or error["message"] for error in errors))
            self.unviable |= at_fault
            print(f"{len(self.unviable)} changes do not compile", flush=True)

    def _write(self):
        libs = {lib_of(change) for change in self.changes}
        files = libs | {change["file"] for change in self.changes}
        sources = {name: Source((self.root / name).read_bytes()) for name in files}
        for number, change in enumerate(self.changes):
            if number not in self.unviable and not sources[change["file"]].add(number, change):
                self.fixed.add(number)
        for name, source in sources.items():
            text = source.switched()
            if name in libs:
                switch = SWITCH.replace("COUNT", str(len(self.changes))).encode()
                text = b"#![allow(warnings)]\n%b%b" % (text, switch)
            (self.tree / name).write_bytes(text)

    def _errors(self, environment):
        """Compiles the crates. Returns the errors."""
        packages = [f"--package={package}" for package in sorted({change["package"] for change in self.changes})]
        command = ["cargo", "build", *packages, "--lib", "--message-format", "json"]
        run = subprocess.run(command, cwd=self.tree, env=environment, stdout=subprocess.PIPE, text=True)
        if run.returncode == 0:
            return []
        messages = [json.loads(line) for line in run.stdout.splitlines()]
        messages = [message["message"] for message in messages if message["reason"] == "compiler-message"]
        return [message for message in messages if message["level"] == "error"] or sys.exit(run.returncode)

    def _at_fault(self, errors):
        """Returns the changes in whose code the errors are, or else those that change the type of the function around them."""
        spans = [span for error in errors for part in [error, *error["children"]] for span in part["spans"]]
        spans = [span for span in spans if not pathlib.Path(span["file_name"]).is_absolute()]
        inside, around = set(), set()
        for name in {span["file_name"] for span in spans}:
            text = (self.tree / name).read_bytes()
            places = [(span["byte_start"], span["byte_end"]) for span in spans if span["file_name"] == name]
            functions = [function_at(text, start) for start, _ in places]
            for number, start, end in marks(text):
                if any(start <= first and last <= end for first, last in places):
                    inside.add(number)
                is_around = any(first <= start and end <= last for first, last in functions)
                if is_around and self.changes[number]["genre"] in ("FnValue", "MatchArm", "MatchArmGuard"):
                    around.add(number)
        return inside or around

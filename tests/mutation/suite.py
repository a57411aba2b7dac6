"""Runs the tests of the workspace, each in a process of its own."""

import json
import os
import pathlib
import signal
import subprocess
import tempfile
import time

# How long a test may take with a change: this many times as long as without, and these seconds.
SLOWER, SECONDS = 5, 10


class Test:
    """A test, how long it takes in seconds, and the numbers of the changes that it reaches."""

    def __init__(self, binary, folder, name):
        self.binary, self.folder, self.name = binary, folder, name
        self.seconds, self.reached = 0.0, set()

    def passes(self, environment, limit=None):
        """Runs the test. Returns whether it passes within `limit` seconds."""
        environment = environment | {"CARGO_MANIFEST_DIR": self.folder}
        command = [self.binary, "--exact", self.name]
        streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        process = subprocess.Popen(command, cwd=self.folder, env=environment, start_new_session=True, **streams)
        try:
            return process.wait(limit) == 0
        except subprocess.TimeoutExpired:
            return False
        finally:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            process.wait()

    def learn(self, environment):
        """Runs the test without a change, and notes what it reaches. Returns whether it passes."""
        with tempfile.TemporaryDirectory() as folder:
            start = time.monotonic()
            passed = self.passes(environment | {"MUTANTS_REACHED": folder}, 600)
            self.seconds = time.monotonic() - start
            for file in pathlib.Path(folder).iterdir():
                self.reached.update(map(int, file.read_text().split()))
        return passed

    def notices(self, number, environment):
        """Returns whether the test fails because of a change: it passes without the change right after."""
        limit = self.seconds * SLOWER + SECONDS
        if self.passes(environment | {"MUTANT": str(number)}, limit):
            return False
        return self.passes(environment, limit)


def tests(tree, environment):
    """Builds the tests of the workspace, and returns them."""
    command = ["cargo", "nextest", "list", "--workspace", "--message-format", "json"]
    run = subprocess.run(command, cwd=tree, env=environment, stdout=subprocess.PIPE, check=True)
    suites = json.loads(run.stdout)["rust-suites"].values()
    return [
        Test(suite["binary-path"], suite["cwd"], name)
        for suite in suites
        for name, case in suite.get("testcases", {}).items()
        if not case["ignored"]
    ]

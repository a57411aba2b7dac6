"""Runs the commands of the README and the API guide, as a user would."""

import pathlib
import re
import signal
import subprocess
import time
import unittest
import urllib.request

ROOT = pathlib.Path(__file__).parent.parent
LOCAL, SAVED = ROOT / ".local", ROOT / ".local.saved"


def blocks(kind):
    """Returns the shell blocks that the README, and then the API guide, mark with `<!-- kind -->`."""
    text = "".join((ROOT / name).read_text() for name in ["README.md", "functions/README.md"])
    return re.findall(rf"<!-- {kind} -->\n```sh\n(.*?)```", text, re.DOTALL)


def answers(url):
    try:
        with urllib.request.urlopen(url, timeout=2) as response:
            return response.status == 200
    except OSError:
        return False


class Walk(unittest.TestCase):
    def setUp(self):
        if LOCAL.exists():
            LOCAL.rename(SAVED)
            self.addCleanup(SAVED.rename, LOCAL)
        self.addCleanup(subprocess.run, ["rm", "-rf", LOCAL])

    def test_a_new_user_onboards_a_tenant(self):
        self.assertFalse(answers("http://127.0.0.1:3000/ping"), "something else is on the README's port")
        (start,) = blocks("walk: start")
        server = subprocess.Popen(
            ["bash", "-c", "exec " + start.strip()], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        self.addCleanup(server.stdout.close)
        self.addCleanup(server.wait)
        self.addCleanup(server.terminate)
        deadline = time.monotonic() + 900
        while not answers("http://127.0.0.1:3000/ping"):
            self.assertIsNone(server.poll(), "cargo run ended")
            self.assertLess(time.monotonic(), deadline, "cargo run does not answer")
            time.sleep(0.2)

        walk = "set -euo pipefail\n" + "\n".join(blocks("walk"))
        done = subprocess.run(
            ["bash", "-c", walk], cwd=ROOT, capture_output=True, text=True, timeout=120
        )
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        for expected in [
            "HTTP/1.1 204",
            "location: /tenants/",
            "\n0\n",
            '"state":"succeeded"',
            '"externalIdentifier"',
        ]:
            self.assertIn(expected, done.stdout)

        server.send_signal(signal.SIGINT)
        self.assertEqual(server.wait(timeout=20), 0, "Ctrl-C stops it cleanly")


if __name__ == "__main__":
    unittest.main()

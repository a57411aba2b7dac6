"""Checks the AWS commands of the documents: the CLI accepts each of them, with its options and its query."""

import concurrent.futures
import os
import re
import subprocess
import unittest

from stage_test import ROOT, blocks

CLI = ROOT / ".venv/emulators/bin/aws"
DOCUMENTS = ["infra/README.md", "infra/RUNBOOK.md", "infra/COSTS.md", "infra/pipelines/README.md"]


def spans(file):
    """Returns the commands within a line of text."""
    return re.findall(r"`(aws [^`]+)`", (ROOT / file).read_text())


def commands():
    for file in DOCUMENTS:
        for block in blocks(file):
            for command in re.findall(r"\baws [a-z0-9-]+ [a-z-]+.*", re.sub(r"\\\n *", "", block)):
                # The last parenthesis of NAME=$(aws …)
                yield command.removesuffix(")") if command.count("(") < command.count(")") else command
        yield from (span for span in spans(file) if " --" in span)


class Aws(unittest.TestCase):
    def test_the_cli_accepts_every_command(self):
        """Runs them without a server behind the endpoint: the CLI rejects invalid commands before it sends them."""
        nowhere = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_MAX_ATTEMPTS": "1", "AWS_DEFAULT_REGION": "eu-west-1"}
        nowhere |= {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_EC2_METADATA_DISABLED": "true"}
        outputs = dict.fromkeys(re.findall(r"\$(\w+)", "\n".join(commands())), "a-name")
        nowhere |= outputs | {"PATH": f"{CLI.parent}:{os.environ['PATH']}"}
        # The endpoint of a single service takes precedence over the one for all services.
        here = {name: value for name, value in os.environ.items() if not name.startswith("AWS_ENDPOINT_URL")}
        # Cuts off the rest of a line, and replaces a file that an earlier line wrote.
        typed = [re.split(r"\) (?:python3|infra/)|; done|; \}|&&| > ", command)[0] for command in commands()]
        typed = [re.sub(r"fileb?://\w+\.json", "x", command) for command in typed if " wait " not in command]
        self.assertGreater(len(typed), 15)

        def said(command):
            shell = ["bash", "-c", command]
            return subprocess.run(shell, cwd=ROOT, env=here | nowhere, capture_output=True, text=True).stderr

        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            for command, answer in zip(typed, pool.map(said, typed)):
                self.assertIn("Could not connect", answer, command)


if __name__ == "__main__":
    unittest.main()

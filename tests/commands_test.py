"""The AWS commands of the documents: the CLI knows each of them, with its options and its query."""

import concurrent.futures
import os
import re
import subprocess
import unittest

from stage_test import ROOT, blocks

CLI = ROOT / ".venv/emulators/bin/aws"
DOCUMENTS = ["infra/README.md", "infra/RUNBOOK.md", "infra/COSTS.md", "infra/pipelines/README.md"]


def spans(file):
    """Commands within a line of text."""
    return re.findall(r"`(aws [^`]+)`", (ROOT / file).read_text())


def commands():
    for file in DOCUMENTS:
        for block in blocks(file):
            yield from re.findall(r"\baws [a-z0-9-]+ [a-z-]+.*", re.sub(r"\\\n *", "", block))
        yield from (span for span in spans(file) if " --" in span)


class Aws(unittest.TestCase):
    def test_the_cli_takes_every_command(self):
        """Typed with nothing behind the endpoint: what is wrong with a command is told before it is sent."""
        nowhere = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_MAX_ATTEMPTS": "1", "AWS_DEFAULT_REGION": "eu-west-1"}
        nowhere |= {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_EC2_METADATA_DISABLED": "true"}
        outputs = dict.fromkeys(re.findall(r"\$(\w+)", "\n".join(commands())), "a-name")
        nowhere |= outputs | {"PATH": f"{CLI.parent}:{os.environ['PATH']}"}
        # A service's own endpoint comes before the one for all services.
        here = {name: value for name, value in os.environ.items() if not name.startswith("AWS_ENDPOINT_URL")}
        # What comes next in a line, or takes the answer, is not the command's; nor is a file that the line before wrote.
        typed = [re.split(r"\) python3|; done|; \}|&&| > ", command)[0] for command in commands()]
        typed = [command.replace("file://keys.json", "x") for command in typed if " wait " not in command]
        self.assertGreater(len(typed), 15)

        def said(command):
            shell = ["bash", "-c", command]
            return subprocess.run(shell, cwd=ROOT, env=here | nowhere, capture_output=True, text=True).stderr

        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            for command, answer in zip(typed, pool.map(said, typed)):
                self.assertIn("Could not connect", answer, command)


if __name__ == "__main__":
    unittest.main()

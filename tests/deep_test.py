"""Tests `tests/smoke --deep` with a local run, and with an `aws` that answers like AWS."""

import contextlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).parent.parent
AWS = f"""#!{sys.executable}
import json, os, sys
words = sys.argv[1:]
with open(os.environ["CALLS"], "a") as calls:
    calls.write(json.dumps([words, os.environ.get("AWS_SESSION_TOKEN")]) + "\\n")
for wanted, answer in json.load(open(os.environ["ANSWERS"])):
    if set(wanted) <= set(words):
        if isinstance(answer, str):
            sys.exit(answer)
        print(json.dumps(answer))
        break
else:
    sys.exit(f"An error occurred (AccessDenied) when calling {{words[1]}}")
"""
STACK = {"Parameters": [{"ParameterKey": "FromEmail", "ParameterValue": "a@example.com"},
                        {"ParameterKey": "ConfigurationSet", "ParameterValue": "ours"},
                        {"ParameterKey": "PooledPipeline", "ParameterValue": "pool"}],
         "Outputs": [{"OutputKey": "BusName", "OutputValue": "bus"}]}
EXTRA = {"Parameters": [], "Outputs": [{"OutputKey": name, "OutputValue": name} for name in ["Sender", "Template", "Table", "Log"]]}


class Local(unittest.TestCase):
    def test_a_local_run_answers_what_it_simulates_and_the_rest_is_unknown(self):
        paths = f"{ROOT}/.venv/emulators/bin:{os.environ['PATH']}"
        env = os.environ | {"SMOKE_PATIENCE": "30", "PATH": paths}
        done = subprocess.run(["./smoke", "--deep"], cwd=ROOT / "tests", env=env, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        rows = dict(row[2:].split("  ", 1) for row in done.stdout.splitlines() if row.startswith("  ") and "  " in row[2:])
        rows = {name: answer.strip() for name, answer in rows.items()}
        for kind in ["silo", "pool"]:
            self.assertRegex(rows[f"a tenant of the {kind} is built"], "^yes after")
        self.assertEqual(rows["GET /ping"], "200, ours")
        self.assertEqual(rows["a plain event"], "taken")
        self.assertIn("unknown: it needs CloudFormation", done.stdout)
        self.assertEqual(sum(row[:2] in ("1.", "2.", "3.", "4.", "5.", "6.", "7.") for row in done.stdout.splitlines()), 7)


class Played(unittest.TestCase):
    """Each question alone, with the relevant answers of AWS."""

    def asked(self, question, answers, *more):
        """Returns the rows of a question, and the calls that it made."""
        import deep
        from deployed import Stack

        with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as undo:
            folder = pathlib.Path(folder)
            (folder / "aws").write_text(AWS)
            (folder / "aws").chmod(0o755)
            described = [["cloudformation", "describe-stacks", "--stack-name", "tenantry-dev"], {"Stacks": [STACK]}]
            extra = [["cloudformation", "describe-stacks"], {"Stacks": [EXTRA]}]
            deployed = [["cloudformation", "deploy"], None], [["cloudformation", "delete-stack"], None]
            (folder / "answers").write_text(json.dumps([described, *answers, extra, *deployed]))
            given = {"PATH": f"{folder}:{os.environ['PATH']}", "CALLS": f"{folder}/calls", "ANSWERS": f"{folder}/answers"}
            before = os.environ.copy()
            undo.callback(lambda: (os.environ.clear(), os.environ.update(before)))
            os.environ.update(given)
            undo.callback(setattr, deep, "PATIENCE", deep.PATIENCE)
            deep.PATIENCE = 0
            stack = Stack("tenantry-dev", "http://127.0.0.1:9")
            made = deep.Extra(stack)
            try:
                rows = list(deep.answers(question(deep), stack, *([made] if more else [])))
            finally:
                made.delete()
            return rows, [json.loads(line) for line in (folder / "calls").read_text().splitlines()]

    def test_a_question_without_permission_is_unknown(self):
        rows, _ = self.asked(lambda deep: deep.starts, [])
        self.assertRegex(rows[0][1], "^unknown: .*AccessDenied")

    def test_the_bus_refuses_entry_by_entry(self):
        refused = {"Entries": [{"ErrorCode": "MalformedDetail"}]}
        rows, calls = self.asked(lambda deep: deep.bus, [[["events", "put-events"], refused]])
        self.assertEqual({answer for _, answer in rows}, {"refused: MalformedDetail"})
        self.assertIn("tenantry-smoke", str(calls))

    def test_a_configuration_set_without_the_sender_shows(self):
        keys = {"Credentials": {"AccessKeyId": "a", "SecretAccessKey": "b", "SessionToken": "taken"}}
        answers = [
            [["sts", "assume-role"], keys],
            [["sesv2", "send-email", "ours"], "AccessDenied on configuration-set/ours"],
            [["sesv2", "send-email"], {"MessageId": "1"}],
        ]
        rows, calls = self.asked(lambda deep: deep.mails, answers, "extra")
        self.assertEqual([answer[:3] for _, answer in rows], ["yes", "yes", "no:"])
        self.assertEqual({token for words, token in calls if words[0] == "sesv2"}, {"taken"})
        self.assertEqual(calls[-1][0][:2], ["cloudformation", "delete-stack"])

    def test_executions_are_compared_and_stopped(self):
        same = {"pipelineExecutionId": "1"}
        rows, calls = self.asked(lambda deep: deep.starts, [[["codepipeline", "start-pipeline-execution"], same],
                                                            [["codepipeline", "stop-pipeline-execution"], {}]])
        self.assertEqual([answer for _, answer in rows], ["the same execution"])
        self.assertIn("stop-pipeline-execution", calls[-1][0])

    def test_the_pace_of_a_stream_is_counted(self):
        tries = {"events": [{"timestamp": at} for at in [0, 1000, 3000, 7000]]}
        rows, _ = self.asked(lambda deep: deep.stream, [[["dynamodb", "put-item"], None], [["logs"], tries]], "extra")
        self.assertEqual(rows[0][1], "4 in 7 s; gaps of 1.0 s first, 2.3 s last")

    def test_the_extra_stack_is_deleted_even_if_it_fails(self):
        rows, calls = self.asked(lambda deep: deep.mails, [[["cloudformation", "deploy"], "failed"]], "extra")
        self.assertIn("failed", rows[0][1])
        self.assertEqual(calls[-1][0][:2], ["cloudformation", "delete-stack"])


if __name__ == "__main__":
    unittest.main()

"""Tests infra/redrive.py with an `aws` that simulates a queue, a stream and a function."""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).parent.parent
FUNCTION = "arn:aws:lambda:eu-west-1:000000000000:function:relay"
STREAM = "arn:aws:dynamodb:eu-west-1:000000000000:table/t/stream/1"
AWS = f"#!{sys.executable}" + '''
import json, os, pathlib, sys
home, words = pathlib.Path(os.environ["HOME_OF_AWS"]), sys.argv[1:]
queue = json.loads((home / "queue").read_text())
option = lambda name: words[words.index(name) + 1]
answer = {}
def note(file, text):
    with open(home / file, "a") as notes:
        notes.write(text + "\\n")
if words[1] == "receive-message":
    hidden = (home / "hidden").read_text().split()
    visible = [one for one in queue if one["MessageId"] not in hidden][:10]
    answer = {"Messages": visible} if visible else {}
    if not (home / "hides-nothing").exists():
        for one in visible:
            note("hidden", one["MessageId"])
elif words[1] == "delete-message":
    note("deleted", option("--receipt-handle"))
    (home / "queue").write_text(json.dumps([one for one in queue if one["ReceiptHandle"] != option("--receipt-handle")]))
elif words[1] == "change-message-visibility" and option("--visibility-timeout") == "0":
    note("released", option("--receipt-handle"))
elif words[1] == "get-shard-iterator":
    answer = {"ShardIterator": option("--sequence-number")}
elif words[1] == "get-records":
    records = json.loads((home / "stream").read_text())
    start = int(option("--shard-iterator"))
    page = [one for one in records if int(one["dynamodb"]["SequenceNumber"]) >= start][:2]
    answer = {"Records": page}
    if page:
        answer["NextShardIterator"] = str(int(page[-1]["dynamodb"]["SequenceNumber"]) + 1)
elif words[1] == "invoke":
    payload = pathlib.Path(option("--payload").removeprefix("fileb://")).read_text()
    note("invoked", json.dumps([option("--function-name"), json.loads(payload)]))
    note("waited", option("--cli-read-timeout"))
    fails = "poison" in payload
    pathlib.Path(words[words.index("--cli-read-timeout") + 2]).write_text('{"errorMessage":"no"}' if fails else "null")
    answer = {"StatusCode": 200} | ({"FunctionError": "Unhandled"} if fails else {})
print(json.dumps(answer))
'''


def message(id, body, **attributes):
    attributes = {name: {"StringValue": value} for name, value in attributes.items()}
    return {"MessageId": id, "ReceiptHandle": id, "Body": json.dumps(body), "MessageAttributes": attributes}


def record(number):
    change = {"SequenceNumber": str(number), "ApproximateCreationDateTime": "2026-11-24T11:00:00+00:00"}
    return {"eventName": "INSERT", "dynamodb": change}


def batch(first, last):
    place = {"streamArn": STREAM, "shardId": "s", "startSequenceNumber": first, "endSequenceNumber": last}
    return {"requestContext": {"functionArn": FUNCTION + ":$LATEST"}, "DDBStreamBatchInfo": place}


class Redrive(unittest.TestCase):
    def redrive(self, queue, stream=(), *, hides=True):
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            (folder / "aws").write_text(AWS)
            (folder / "aws").chmod(0o755)
            (folder / "queue").write_text(json.dumps(queue))
            (folder / "stream").write_text(json.dumps(list(stream)))
            for name in ["deleted", "hidden", "invoked", "released", "waited"] + ["hides-nothing"] * (not hides):
                (folder / name).touch()
            env = os.environ | {"PATH": f"{folder}:{os.environ['PATH']}", "HOME_OF_AWS": str(folder)}
            done = subprocess.run(
                [sys.executable, ROOT / "infra/redrive.py", "https://queue"], env=env, capture_output=True, text=True, timeout=60
            )
            self.released = (folder / "released").read_text().split()
            self.waited = [int(seconds) for seconds in (folder / "waited").read_text().split()]
            invoked = [json.loads(line) for line in (folder / "invoked").read_text().splitlines()]
            return done, invoked, (folder / "deleted").read_text().split()

    def test_events_of_both_kinds_are_handed_to_their_function(self):
        failed = {"requestContext": {"functionArn": FUNCTION + ":$LATEST"}, "requestPayload": {"a": 1}}
        queue = [message("m1", failed), message("m2", {"b": 2}, TARGET_ARN=FUNCTION)]
        done, invoked, deleted = self.redrive(queue)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(invoked, [[FUNCTION, {"a": 1}], [FUNCTION, {"b": 2}]])
        self.assertEqual(deleted, ["m1", "m2"])

    def test_a_batch_of_the_stream_is_read_again_to_its_end_and_no_further(self):
        done, invoked, deleted = self.redrive([message("m1", batch("2", "4"))], map(record, range(1, 7)))
        self.assertEqual(done.returncode, 0, done.stderr)
        [(function, payload)] = invoked
        self.assertEqual(function, FUNCTION)
        numbers = [one["dynamodb"]["SequenceNumber"] for one in payload["Records"]]
        self.assertEqual(numbers, ["2", "3", "4"])
        self.assertEqual(payload["Records"][0]["dynamodb"]["ApproximateCreationDateTime"], 1795518000.0)
        self.assertEqual(payload["Records"][0]["eventSourceARN"], STREAM)
        self.assertEqual(deleted, ["m1"])

    def test_a_message_that_fails_again_stays_and_does_not_stop_the_rest(self):
        queue = [message(f"m{n}", {"poison": 1} if n == 3 else {"n": n}, TARGET_ARN=FUNCTION) for n in range(12)]
        done, invoked, deleted = self.redrive(queue)
        self.assertEqual(done.returncode, 1)
        self.assertEqual((len(invoked), len(deleted)), (12, 11))
        self.assertNotIn("m3", deleted)
        self.assertIn("11 retried successfully, 1 left in the queue", done.stdout)

    def test_messages_that_are_visible_again_are_not_tried_again(self):
        queue = [message(f"m{n}", {"poison": 1}, TARGET_ARN=FUNCTION) for n in range(12)]
        done, invoked, deleted = self.redrive(queue, hides=False)
        self.assertEqual((done.returncode, len(invoked), deleted), (1, 10, []))

    def test_what_is_left_can_be_tried_again_at_once(self):
        queue = [message(f"m{n}", {"poison": n} if n % 2 else {"n": n}, TARGET_ARN=FUNCTION) for n in range(12)]
        self.redrive(queue)
        self.assertEqual(self.released, [f"m{n}" for n in range(1, 12, 2)])

    def test_the_slowest_function_is_waited_for(self):
        timeouts = re.findall(r"^ +Timeout: (\d+)$", (ROOT / "template.yaml").read_text(), re.MULTILINE)
        self.assertGreater(max(map(int, timeouts)), 60)
        self.redrive([message("m1", {}, TARGET_ARN=FUNCTION)])
        self.assertGreater(self.waited, [max(map(int, timeouts))])

    def test_expired_records_are_not_treated_as_done(self):
        done, invoked, deleted = self.redrive([message("m1", batch("2", "4"))], [])
        self.assertEqual((done.returncode, invoked, deleted), (1, [], []))
        self.assertIn("keeps them for one day", done.stderr)


if __name__ == "__main__":
    unittest.main()

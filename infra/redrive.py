#!/usr/bin/env python3
"""Hands what lies in a failure queue to its function again, and takes it out of the queue once that is done.

    infra/redrive.py QUEUE_URL

for either of the queues StreamFailuresUrl and EventFailuresUrl, outputs of the stack. (SQS's own redrive
knows only queues whose messages came from another queue.) It may be stopped and started again: consumers
drop what they have done. What fails again stays in the queue, and the exit code is 1.

Needs the AWS CLI, version 2, and leave to read the queue and the stream and to invoke the functions.
"""

import datetime
import json
import pathlib
import subprocess
import sys
import tempfile


class Fault(Exception):
    """Why a message could not be handed over."""


def aws(*words):
    done = subprocess.run(
        ["aws", *words, "--output", "json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    if done.returncode:
        raise Fault(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "aws failed")
    return json.loads(done.stdout or "{}")


def invoke(function, payload):
    """Waits for the function, so that what fails is known to have failed."""
    with tempfile.TemporaryDirectory() as folder:
        given, answer = pathlib.Path(folder, "given"), pathlib.Path(folder, "answer")
        given.write_text(json.dumps(payload))
        result = aws(
            "lambda", "invoke", "--function-name", function, "--payload", f"fileb://{given}", str(answer)
        )
        said = answer.read_text()
    if "FunctionError" in result:
        raise Fault(said[:500])
    failed = (json.loads(said or "null") or {}).get("batchItemFailures")
    if failed:
        raise Fault(f"records were not taken: {failed}")


def records(batch):
    """The stream's records of a batch, as Lambda gets them; the message itself only says where they lie."""
    place = ["--stream-arn", batch["streamArn"], "--shard-id", batch["shardId"]]
    place += ["--shard-iterator-type", "AT_SEQUENCE_NUMBER"]
    place += ["--sequence-number", batch["startSequenceNumber"]]
    iterator = aws("dynamodbstreams", "get-shard-iterator", *place)["ShardIterator"]
    last = int(batch["endSequenceNumber"])
    while iterator:
        page = aws("dynamodbstreams", "get-records", "--shard-iterator", iterator)
        for record in page["Records"]:
            change = record["dynamodb"]
            if int(change["SequenceNumber"]) > last:
                return
            made = change.get("ApproximateCreationDateTime")
            if isinstance(made, str):  # the CLI writes times for people, Lambda gets seconds
                change["ApproximateCreationDateTime"] = datetime.datetime.fromisoformat(made).timestamp()
            yield record | {"eventSourceARN": batch["streamArn"]}
            if int(change["SequenceNumber"]) == last:
                return
        iterator = page.get("NextShardIterator")


def plain(arn):
    """A function's ARN without the version that Lambda adds to it."""
    return ":".join(arn.split(":")[:7])


def hand_over(message):
    body, attributes = json.loads(message["Body"]), message.get("MessageAttributes", {})
    if "DDBStreamBatchInfo" in body:
        lost = list(records(body["DDBStreamBatchInfo"]))
        if not lost:
            raise Fault("the stream has the records no more: it keeps them for a day")
        invoke(plain(body["requestContext"]["functionArn"]), {"Records": lost})
    elif "requestPayload" in body:  # the function failed, or could not read a record and set it aside
        invoke(plain(body["requestContext"]["functionArn"]), body["requestPayload"])
    elif "TARGET_ARN" in attributes:  # from EventBridge: the function could not be called
        invoke(attributes["TARGET_ARN"]["StringValue"], body)
    else:
        raise Fault("it is of no kind that is known")


def main(queue):
    done = failed = 0
    while True:
        # What fails is hidden for five minutes, so that each message is tried once.
        hidden = ["--visibility-timeout", "300", "--max-number-of-messages", "10"]
        got = aws("sqs", "receive-message", "--queue-url", queue, *hidden, "--message-attribute-names", "All")
        if not got.get("Messages"):
            break
        for message in got["Messages"]:
            try:
                hand_over(message)
                aws("sqs", "delete-message", "--queue-url", queue, "--receipt-handle", message["ReceiptHandle"])
                done += 1
            except Fault as fault:
                print(f"{message['MessageId']}: {fault}", file=sys.stderr)
                failed += 1
    print(f"{done} handed over, {failed} left in the queue")
    return failed > 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    try:
        sys.exit(main(sys.argv[1]))
    except Fault as fault:
        sys.exit(f"redrive.py: {fault}")

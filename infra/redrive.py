#!/usr/bin/env python3
"""Retries the messages of a dead-letter queue: invokes their function, and deletes them if it succeeds.

    infra/redrive.py QUEUE_URL

for either of the queues StreamFailuresUrl and EventFailuresUrl, outputs of the stack. (SQS's own redrive
supports only queues whose messages came from another queue.) It can be stopped and started again, because
consumers ignore what they have processed. If a message fails again, it stays in the queue, and the exit code is 1.

Needs the AWS CLI, version 2, with permission to read the queue and the stream and to invoke the functions.
"""

import datetime
import json
import pathlib
import subprocess
import sys
import tempfile


class Fault(Exception):
    """The reason why a message could not be retried."""


def aws(*words):
    done = subprocess.run(
        ["aws", *words, "--output", "json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    if done.returncode:
        raise Fault(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "aws failed")
    return json.loads(done.stdout or "{}")


def invoke(function, payload):
    """Invokes the function synchronously, so that its failure is visible."""
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
        raise Fault(f"the function failed on records: {failed}")


def records(batch):
    """The stream's records of a batch, as Lambda receives them; the message has only their position."""
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
            if isinstance(made, str):  # the CLI prints ISO 8601, Lambda receives seconds
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
            raise Fault("the records have expired: a stream keeps them for one day")
        invoke(plain(body["requestContext"]["functionArn"]), {"Records": lost})
    elif "requestPayload" in body:  # the function failed, or set an unreadable record aside
        invoke(plain(body["requestContext"]["functionArn"]), body["requestPayload"])
    elif "TARGET_ARN" in attributes:  # from EventBridge: the function could not be called
        invoke(attributes["TARGET_ARN"]["StringValue"], body)
    else:
        raise Fault("the message has an unknown format")


def main(queue):
    done = failed = 0
    while True:
        # Failed messages stay hidden for five minutes, so that each message is tried once.
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
    print(f"{done} retried successfully, {failed} left in the queue")
    return failed > 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    try:
        sys.exit(main(sys.argv[1]))
    except Fault as fault:
        sys.exit(f"redrive.py: {fault}")

#!/usr/bin/env python3
"""Retries the messages of a dead-letter queue: invokes their function, and deletes them if it succeeds.

    infra/redrive.py QUEUE_URL

for either of the queues StreamFailuresUrl and EventFailuresUrl, outputs of the stack. (SQS's own redrive
supports only queues whose messages came from another queue.) Each message is tried once. It can be stopped and
started again, because consumers ignore what they have processed. If a message fails again, it stays in the queue,
and the exit code is 1.

Needs the AWS CLI, version 2, with permission to read the queue and the stream and to invoke the functions.
"""

import datetime
import json
import pathlib
import subprocess
import sys
import tempfile


# Seconds for which a message stays hidden from others: longer than it takes to try ten of them.
HIDDEN = 3600
# Seconds that a function may take, which is the most that Lambda allows. By default, the CLI waits for one minute,
# and then invokes the function again.
TIMEOUT = 900


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
        payload = ["--payload", f"fileb://{given}", "--cli-read-timeout", str(TIMEOUT), str(answer)]
        result = aws("lambda", "invoke", "--function-name", function, *payload)
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


def receive(queue):
    options = ["--visibility-timeout", str(HIDDEN), "--max-number-of-messages", "10", "--message-attribute-names", "All"]
    return aws("sqs", "receive-message", "--queue-url", queue, *options).get("Messages", [])


def main(queue):
    # The receipt handles of the messages that are still in the queue, by message ID.
    done, left = 0, {}
    try:
        while messages := [message for message in receive(queue) if message["MessageId"] not in left]:
            left |= {message["MessageId"]: message["ReceiptHandle"] for message in messages}
            for message in messages:
                try:
                    hand_over(message)
                    aws("sqs", "delete-message", "--queue-url", queue, "--receipt-handle", message["ReceiptHandle"])
                    del left[message["MessageId"]]
                    done += 1
                except Fault as fault:
                    print(f"{message['MessageId']}: {fault}", file=sys.stderr)
    finally:
        for handle in left.values():
            release(queue, handle)
    print(f"{done} retried successfully, {len(left)} left in the queue")
    return len(left) > 0


def release(queue, handle):
    """Shows a message to others again."""
    try:
        visible = ["--receipt-handle", handle, "--visibility-timeout", "0"]
        aws("sqs", "change-message-visibility", "--queue-url", queue, *visible)
    except Fault:
        pass  # it is visible by now, or will be


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    try:
        sys.exit(main(sys.argv[1]))
    except Fault as fault:
        sys.exit(f"redrive.py: {fault}")

"""Gives what is in the dead-letter queues another try.

Jobs go back to their queue, and so do events of S3 that could not be recorded. GuardDuty's events go to
their function again, and so do changes of the checkout's table, which its stream has for a day.
A message leaves its dead-letter queue only after it has been handed over, so none is lost; one may
be handed over twice, which the functions bear.
"""

import json
import sys

from common import STACK, client, outputs


def messages(queue_url: str):
    """Each message of the queue; it is deleted when the next is asked for."""
    sqs = client("sqs")
    while True:
        answer = sqs.receive_message(
            QueueUrl=queue_url, MaxNumberOfMessages=1, VisibilityTimeout=60, WaitTimeSeconds=1
        )
        if not answer.get("Messages"):
            return
        message = answer["Messages"][0]
        yield message["Body"]
        sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])


def changes(batch: dict) -> list[dict]:
    """The changes that a table's stream has told of, by what Lambda says of a batch that it has given up."""
    streams, last = client("dynamodbstreams"), batch["endSequenceNumber"]
    iterator = streams.get_shard_iterator(
        StreamArn=batch["streamArn"],
        ShardId=batch["shardId"],
        ShardIteratorType="AT_SEQUENCE_NUMBER",
        SequenceNumber=batch["startSequenceNumber"],
    ).get("ShardIterator")
    found = []
    while iterator:
        answer = streams.get_records(ShardIterator=iterator)
        for record in answer["Records"]:
            if int(record["dynamodb"]["SequenceNumber"]) > int(last):
                return found
            # The functions need no time of it, and JSON has none.
            record["dynamodb"].pop("ApproximateCreationDateTime", None)
            found.append(record)
            if record["dynamodb"]["SequenceNumber"] == last:
                return found
        iterator = answer.get("NextShardIterator")
    return found


def redrive_changes(dead_letters: str, function: str) -> int:
    """Has a function handle the changes again that it has failed on; gives how many there were."""
    count = 0
    for body in messages(outputs()[dead_letters]):
        found = changes(json.loads(body)["DDBStreamBatchInfo"])
        event = json.dumps({"Records": found})
        answer = client("lambda").invoke(FunctionName=f"{STACK}-{function}", Payload=event)
        if "FunctionError" in answer:
            # It stays in the queue.
            sys.exit(f"{function} fails on them still: {answer['Payload'].read().decode()}")
        count += len(found)
    return count


def main() -> None:
    """Empties the dead-letter queues."""
    count = 0
    for name, dead_letters in outputs().items():
        queue = outputs().get(name.replace("DeadLettersUrl", "QueueUrl"))
        if not name.endswith("DeadLettersUrl") or not queue:
            continue
        for body in messages(dead_letters):
            client("sqs").send_message(QueueUrl=queue, MessageBody=body)
            count += 1
    print(f"{count} jobs and events of S3 went back to their queues.")

    count = 0
    for body in messages(outputs()["VerdictsDeadLettersUrl"]):
        # EventBridge leaves the event itself; a failed invocation wraps it.
        event = json.loads(body)
        event = json.dumps(event.get("requestPayload", event))
        function = f"{STACK}-documents-on-malware-verdict"
        client("lambda").invoke(FunctionName=function, InvocationType="Event", Payload=event)
        count += 1
    print(f"{count} verdicts of GuardDuty went to their function again.")

    count = redrive_changes("RelayDeadLettersUrl", "checkout-relay")
    count += redrive_changes("LedgerDeadLettersUrl", "checkout-fold-ledger")
    print(f"{count} changes of the checkout's table went to their functions again.")


if __name__ == "__main__":
    main()

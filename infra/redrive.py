"""Retries the messages in the dead-letter queues.

Jobs, and events of S3 that could not be recorded, go back to the queue whose redrive policy names the dead-letter queue.
Events of EventBridge and changes of a table go again to the function that failed for good. It is the function whose
OnFailure destination is the dead-letter queue. Such a queue has changes that the function could not handle, and positions
of batches that Lambda has given up. The stream of a table keeps the changes of such a batch for a day.
A message is deleted from its dead-letter queue only after it is handed over, so no message is lost. A message may be
handed over twice, and the functions are idempotent.
"""

import functools
import json
import secrets
import sys

from common import client, resources


class StillFails(Exception):
    """A function fails again."""


def hand_over(queue_url: str, give) -> tuple[int, int]:
    """Gives each message of the queue and its message group to `give`, and deletes it. Returns the sum of what `give` returns,
    and the number of messages that failed again. Those stay or come back, so no more messages are read than there are now."""
    sqs, size, count, failed = client("sqs"), "ApproximateNumberOfMessages", 0, 0
    attributes = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=[size])["Attributes"]
    for _ in range(int(attributes[size])):
        answer = sqs.receive_message(
            QueueUrl=queue_url,
            MaxNumberOfMessages=1,
            VisibilityTimeout=60,
            WaitTimeSeconds=1,
            MessageSystemAttributeNames=["MessageGroupId"],
        )
        if not answer.get("Messages"):
            break
        message = answer["Messages"][0]
        try:
            count += give(message["Body"], message.get("Attributes", {}).get("MessageGroupId"))
        except StillFails as failure:
            print(f"{failure} The message stays in {queue_url}.", file=sys.stderr)
            failed += 1
            continue
        sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
    return count, failed


def changes(batch: dict) -> list[dict]:
    """The changes of a batch that Lambda has given up, from the stream of the table. `batch` is what Lambda says of it. An
    empty list if the stream has forgotten them."""
    streams = client("dynamodbstreams")
    try:
        return in_stream(streams, batch)
    except (streams.exceptions.TrimmedDataAccessException, streams.exceptions.ResourceNotFoundException):
        first, last = batch["startSequenceNumber"], batch["endSequenceNumber"]
        print(f"Lost, because the stream has forgotten them: the changes {first} to {last}.", file=sys.stderr)
        return []


def in_stream(streams, batch: dict) -> list[dict]:
    """The changes of a batch."""
    last = batch["endSequenceNumber"]
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
            # It is no JSON value, and the functions do not use it.
            record["dynamodb"].pop("ApproximateCreationDateTime", None)
            found.append(record)
            if record["dynamodb"]["SequenceNumber"] == last:
                return found
        iterator = answer.get("NextShardIterator")
    return found


def destination(configuration: dict) -> str | None:
    """The ARN of the OnFailure destination of a function or of an event source, from what Lambda says of it."""
    return configuration.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")


def functions_by_dead_letters(functions: list[str]) -> dict[str, str]:
    """The functions with an OnFailure destination, by the ARN of this destination."""
    aws, found = client("lambda"), {}
    for function in functions:
        for page in aws.get_paginator("list_event_source_mappings").paginate(FunctionName=function):
            found |= {destination(source): function for source in page["EventSourceMappings"]}
        for page in aws.get_paginator("list_function_event_invoke_configs").paginate(FunctionName=function):
            found |= {destination(config): function for config in page["FunctionEventInvokeConfigs"]}
    found.pop(None, None)
    return found


def give_to_queue(queue_url: str, body: str, group: str | None) -> int:
    """Puts a message back into its queue. Returns 1, the number of messages."""
    fifo = {"MessageGroupId": group, "MessageDeduplicationId": secrets.token_hex(16)}
    client("sqs").send_message(QueueUrl=queue_url, MessageBody=body, **(fifo if queue_url.endswith(".fifo") else {}))
    return 1


def give_to_function(function: str, body: str, _group: str | None) -> int:
    """Invokes a function with the events that it failed on. Returns the number of events or changes."""
    event = json.loads(body)
    if "dynamodb" in event:
        # The function itself stores a change that it cannot handle.
        found = [event]
    elif "DDBStreamBatchInfo" in event:
        found = changes(event["DDBStreamBatchInfo"])
    else:
        # EventBridge stores the event itself. Lambda stores a failed invocation with the event in it.
        payload = json.dumps(event.get("requestPayload", event))
        client("lambda").invoke(FunctionName=function, InvocationType="Event", Payload=payload)
        return 1
    payload = json.dumps({"Records": found})
    answer = client("lambda").invoke(FunctionName=function, Payload=payload)
    if "FunctionError" in answer:
        raise StillFails(f"{function} still fails: {answer['Payload'].read().decode()}")
    return len(found)


def main() -> None:
    """Retries the messages of all dead-letter queues."""
    named = {"AWS::SQS::Queue": [], "AWS::Lambda::Function": []}
    for resource in resources():
        named.get(resource["ResourceType"], []).append(resource["PhysicalResourceId"])
    urls, sources = {}, {}
    for url in named["AWS::SQS::Queue"]:
        names = ["QueueArn", "RedrivePolicy"]
        attributes = client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        urls[attributes["QueueArn"]] = url
        if "RedrivePolicy" in attributes:
            sources[json.loads(attributes["RedrivePolicy"])["deadLetterTargetArn"]] = url

    jobs = [hand_over(urls[arn], functools.partial(give_to_queue, source)) for arn, source in sources.items()]
    print(f"{sum(count for count, _ in jobs)} jobs and events of S3 went back to their queues.")
    functions = functions_by_dead_letters(named["AWS::Lambda::Function"])
    events = [hand_over(urls[arn], functools.partial(give_to_function, function)) for arn, function in functions.items()]
    print(f"{sum(count for count, _ in events)} events and changes of tables were given to their functions again.")
    sys.exit(1 if any(failed for _, failed in events) else 0)


if __name__ == "__main__":
    main()

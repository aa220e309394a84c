"""Gives what is in the dead-letter queues another try.

Jobs, and events of S3 that could not be recorded, go back to the queue whose redrive policy names their
dead-letter queue. What a function has failed on for good goes to that function again: events of EventBridge,
and changes of a table, which its stream has for a day. Which function it is, its OnFailure destination says.
A message leaves its dead-letter queue only after it has been handed over, so none is lost; one may
be handed over twice, which the functions bear.
"""

import json
import sys

from common import client, resources


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


def destination(configuration: dict) -> str | None:
    """The ARN of where goes what fails, by what Lambda says of a function or of a source of events."""
    return configuration.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")


def functions_by_dead_letters(functions: list[str]) -> dict[str, str]:
    """The functions whose failures go to a queue, by the queue's ARN."""
    aws, found = client("lambda"), {}
    for function in functions:
        for page in aws.get_paginator("list_event_source_mappings").paginate(FunctionName=function):
            found |= {destination(source): function for source in page["EventSourceMappings"]}
        for page in aws.get_paginator("list_function_event_invoke_configs").paginate(FunctionName=function):
            found |= {destination(config): function for config in page["FunctionEventInvokeConfigs"]}
    found.pop(None, None)
    return found


def give_to_queue(queue_url: str, body: str) -> int:
    """Puts a message back into its queue."""
    client("sqs").send_message(QueueUrl=queue_url, MessageBody=body)
    return 1


def give_to_function(function: str, body: str) -> int:
    """Gives a function what it has failed on; tells how many events or changes that were."""
    event = json.loads(body)
    if "DDBStreamBatchInfo" not in event:
        # EventBridge leaves the event itself; a failed invocation wraps it.
        payload = json.dumps(event.get("requestPayload", event))
        client("lambda").invoke(FunctionName=function, InvocationType="Event", Payload=payload)
        return 1
    found = changes(event["DDBStreamBatchInfo"])
    payload = json.dumps({"Records": found})
    answer = client("lambda").invoke(FunctionName=function, Payload=payload)
    if "FunctionError" in answer:
        # It stays in the queue.
        sys.exit(f"{function} fails on them still: {answer['Payload'].read().decode()}")
    return len(found)


def main() -> None:
    """Empties the dead-letter queues."""
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

    count = sum(
        give_to_queue(source, body) for arn, source in sources.items() for body in messages(urls[arn])
    )
    print(f"{count} jobs and events of S3 went back to their queues.")
    functions = functions_by_dead_letters(named["AWS::Lambda::Function"])
    count = sum(
        give_to_function(function, body)
        for arn, function in functions.items()
        for body in messages(urls[arn])
    )
    print(f"{count} events and changes of tables went to their functions again.")


if __name__ == "__main__":
    main()

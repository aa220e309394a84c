"""Retries the messages in the dead-letter queues.

Jobs, and events of S3 that could not be recorded, go back to the queue whose redrive policy names the dead-letter queue.
Events of EventBridge and changes of a table go again to the function that failed for good. It is the function whose
OnFailure destination is the dead-letter queue. The stream of a table keeps changes for a day.
A message is deleted from its dead-letter queue only after it is handed over, so no message is lost. A message may be
handed over twice, and the functions are idempotent.
"""

import json
import sys
import time

from common import client, resources


def messages(queue_url: str, until: float):
    """The messages of the queue that came before this time. Each is deleted when the caller asks for the next. A message that
    fails again comes back, and is left for the next run."""
    sqs = client("sqs")
    while True:
        answer = sqs.receive_message(
            QueueUrl=queue_url,
            MaxNumberOfMessages=1,
            VisibilityTimeout=60,
            WaitTimeSeconds=1,
            AttributeNames=["SentTimestamp"],
        )
        if not answer.get("Messages"):
            return
        message = answer["Messages"][0]
        receipt = message["ReceiptHandle"]
        if int(message["Attributes"]["SentTimestamp"]) > until * 1000:
            sqs.change_message_visibility(QueueUrl=queue_url, ReceiptHandle=receipt, VisibilityTimeout=0)
            return
        yield message["Body"]
        sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=receipt)


def changes(batch: dict) -> list[dict]:
    """The changes of a batch that Lambda has given up, from the stream of the table. `batch` is what Lambda says of it."""
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


def give_to_queue(queue_url: str, body: str) -> int:
    """Puts a message back into its queue. Returns 1, the number of messages."""
    client("sqs").send_message(QueueUrl=queue_url, MessageBody=body)
    return 1


def give_to_function(function: str, body: str) -> int:
    """Invokes a function with the events that it failed on. Returns the number of events or changes."""
    event = json.loads(body)
    if "DDBStreamBatchInfo" not in event:
        # EventBridge stores the event itself. Lambda stores a failed invocation with the event in it.
        payload = json.dumps(event.get("requestPayload", event))
        client("lambda").invoke(FunctionName=function, InvocationType="Event", Payload=payload)
        return 1
    found = changes(event["DDBStreamBatchInfo"])
    payload = json.dumps({"Records": found})
    answer = client("lambda").invoke(FunctionName=function, Payload=payload)
    if "FunctionError" in answer:
        # The message stays in the queue.
        sys.exit(f"{function} still fails: {answer['Payload'].read().decode()}")
    return len(found)


def main() -> None:
    """Retries the messages of all dead-letter queues."""
    now = time.time()
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
        give_to_queue(source, body) for arn, source in sources.items() for body in messages(urls[arn], now)
    )
    print(f"{count} jobs and events of S3 went back to their queues.")
    functions = functions_by_dead_letters(named["AWS::Lambda::Function"])
    count = sum(
        give_to_function(function, body)
        for arn, function in functions.items()
        for body in messages(urls[arn], now)
    )
    print(f"{count} events and changes of tables were given to their functions again.")


if __name__ == "__main__":
    main()

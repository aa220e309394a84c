"""Prints the queues of the stack: how many messages each holds, and why the messages in dead-letter queues are there.

    infra/run.sh queues.py              on AWS
    infra/local/run.sh queues.py        on the local stack

It changes nothing: a message that it looks at can be received again at once.
"""

import json

from common import client, resources

COUNTS = {
    "ApproximateNumberOfMessages": "waiting",
    "ApproximateNumberOfMessagesNotVisible": "in work",
    "ApproximateNumberOfMessagesDelayed": "delayed",
}
# At most this many messages of a dead-letter queue are shown.
SHOWN = 10


def dead_letters(url: str):
    """What some messages of a dead-letter queue are, and why they are there."""
    answer = client("sqs").receive_message(
        QueueUrl=url, MaxNumberOfMessages=SHOWN, VisibilityTimeout=0, MessageAttributeNames=["All"], WaitTimeSeconds=1
    )
    for message in answer.get("Messages", []):
        attributes = message.get("MessageAttributes", {})
        reason = attributes.get("failure_reason", {}).get("StringValue", "delivered too often; see the log of the function")
        yield f"{message['Body'][:200]}\n        {reason}"


def main() -> None:
    """Prints all queues, those with messages in detail."""
    for resource in resources():
        if resource["ResourceType"] != "AWS::SQS::Queue":
            continue
        url = resource["PhysicalResourceId"]
        found = client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        counts = {name: int(found.get(attribute, 0)) for attribute, name in COUNTS.items()}
        shown = ", ".join(f"{count:,} {name}" for name, count in counts.items() if count) or "empty"
        # Its name has the system in it: arsenal-Checkout-…-OrdersQueue-….
        print(f"{url.rsplit('/', 1)[1]:80}{shown}")
        # A queue that does not pass messages on is the end of the line.
        if counts["waiting"] and not json.loads(found.get("RedrivePolicy", "{}")):
            for message in dead_letters(url):
                print(f"    {message}")


if __name__ == "__main__":
    main()

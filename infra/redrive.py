"""Gives what is in the dead-letter queues another try.

Jobs go back to their queue. Events of S3 that could not be recorded go to their function again.
A message leaves its dead-letter queue only after it has been handed over, so none is lost; one may
be handed over twice, which the functions bear.
"""

import json

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
    print(f"{count} jobs went back to their queues.")

    count = 0
    for body in messages(outputs()["UploadEventsDeadLettersUrl"]):
        # What a failed asynchronous invocation leaves behind wraps the event that it was about.
        event = json.dumps(json.loads(body)["requestPayload"])
        function = f"{STACK}-documents-on-upload"
        client("lambda").invoke(FunctionName=function, InvocationType="Event", Payload=event)
        count += 1
    print(f"{count} events of S3 went to their function again.")


if __name__ == "__main__":
    main()

"""Shows what happens to uploads while a dependency is down, and after that.

    infra/local/run.sh functions/documents/outage.py

Two outages are permissions that are taken away. During each, this uploads a file and waits until the system gives up
and says so. Then it gives the permission back and redrives the dead letters. Two more outages stop clamd and the
language model: documents wait for them and continue by themselves. In the end all documents are ready.
"""

import secrets
import sys
import time
from contextlib import contextmanager

import redrive
from common import api_url, call, client, outputs, say
from functions.auth import users
from functions.documents import tour
from take_away import permission, program

WAIT_SECONDS = 120


@contextmanager
def impatient(queue_url: str):
    """Gives the queue a visibility time-out of one second for the duration of the block.

    A worker that has no permission to put messages back waits for the visibility time-out. So the wait is short.
    """
    sqs = client("sqs")
    before = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["VisibilityTimeout"])
    sqs.set_queue_attributes(QueueUrl=queue_url, Attributes={"VisibilityTimeout": "1"})
    try:
        yield
    finally:
        sqs.set_queue_attributes(QueueUrl=queue_url, Attributes=before["Attributes"])


def wait_for_message(queue_url: str) -> None:
    """Waits until the queue holds a message."""
    names, deadline = ["ApproximateNumberOfMessages"], time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        answer = client("sqs").get_queue_attributes(QueueUrl=queue_url, AttributeNames=names)
        if int(answer["Attributes"][names[0]]):
            return
        time.sleep(0.5)
    sys.exit(f"No message came to {queue_url} within {WAIT_SECONDS} s.")


class User:
    """A user who uploads the file of the tour."""

    def __init__(self) -> None:
        self.api = api_url()
        self.token = users.new(self.api, "outage")
        schema = f"{self.api}/v1/document-schemas/{tour.SCHEMA}"
        call("PUT", schema, tour.SCHEMA_DOCUMENT, self.token)

    def upload(self, **wanted) -> str:
        """Uploads the file. Returns the URL of the document."""
        # Each upload is a new file, so that no result is used again.
        content = tour.SAMPLE.read_bytes() + f"\n% {secrets.token_hex(8)}\n".encode()
        url, form = tour.announce(self.api, self.token, tour.SAMPLE.name, content, **wanted)
        tour.upload(form, content)
        return url

    def show(self, url: str) -> dict:
        """Prints the status of the document."""
        document = call("GET", url, token=self.token)
        why = document.get("failure", {}).get("reason", "")
        print(f"     {document['status']} {why}")
        return document


def main() -> None:
    """Makes the outages, one after another."""
    user, names = User(), outputs()

    say("1  The table is down for documents-on-upload")
    with impatient(names["DocumentsUploadEventsQueueUrl"]), permission(
        "documents-on-upload", "dynamodb:UpdateItem", "sqs:ChangeMessageVisibility"
    ):
        first = user.upload()
        wait_for_message(names["DocumentsUploadEventsDeadLettersUrl"])
        user.show(first)

    say("2  The bucket is down for documents-validate")
    with impatient(names["DocumentsValidateQueueUrl"]), permission(
        "documents-validate", "s3:GetObjectVersion", "sqs:ChangeMessageVisibility"
    ):
        second = user.upload()
        wait_for_message(names["DocumentsValidateDeadLettersUrl"])
        assert user.show(second)["failure"]["reason"] == "gave_up"

    say("3  Both are available again: make redrive")
    redrive.main()
    for url in (first, second):
        tour.wait(url, user.token)
        assert user.show(url)["status"] == "ready"

    for number, name, status in ((4, "clamd", "scan_pending"), (5, "model", "model_pending")):
        say(f"{number}  {name} is down")
        with program(name):
            url = user.upload(schema=tour.SCHEMA)
            wait_for_status(user, url, status)
        say("   It is available again")
        tour.wait(url, user.token, tour.Stages())
        assert user.show(url)["status"] == "ready"


def wait_for_status(user: User, url: str, status: str) -> None:
    """Waits until the document has this status."""
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        if call("GET", url, token=user.token)["status"] == status:
            user.show(url)
            return
        time.sleep(0.5)
    sys.exit(f"{url} did not become {status} within {WAIT_SECONDS} s.")


if __name__ == "__main__":
    main()

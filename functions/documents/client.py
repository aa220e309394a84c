"""A client of documents, with the package that openapi-python-client generates. infra/local/clients.py runs it."""

import time
import uuid

import httpx
from arsenal_client import AuthenticatedClient
from arsenal_client.api.documents import documents_create_upload, documents_get, documents_list
from arsenal_client.models import (
    Announcement,
    CreatedDocument,
    Documents,
    DocumentStatus,
    DocumentWithResults,
    FileEmptyProblem,
    FormUpload,
)
from common import ROOT
from functions.auth.client import check, is_a, signed_in

SAMPLE = ROOT / "tests" / "pdf" / "invoice-pdfa2b.pdf"
WITHIN_SECONDS = 60


def announce(client: AuthenticatedClient, size: int) -> object:
    """Announces a file of this size."""
    announcement = Announcement("invoice.pdf", size)
    return documents_create_upload.sync(client=client, body=announcement, idempotency_key=str(uuid.uuid4()))


def send(upload: FormUpload, file: bytes) -> None:
    """Posts a file to S3."""
    answer = httpx.post(upload.url, data=upload.fields.to_dict(), files={"file": file})
    check(answer.is_success, f"S3 answered {answer.status_code}: {answer.text}")


def finished(client: AuthenticatedClient, document: str) -> DocumentWithResults:
    """The document when it is finished."""
    end = time.monotonic() + WITHIN_SECONDS
    while True:
        seen = is_a(DocumentWithResults, documents_get.sync(document, client=client, prefer="wait=20"))
        if seen.finished_at or time.monotonic() > end:
            return seen


def run(url: str, _admin_token: str) -> None:
    """Uploads a document and reads its results, and the list of documents page by page."""
    client, file = signed_in(url), SAMPLE.read_bytes()
    created = is_a(CreatedDocument, announce(client, len(file)))
    send(is_a(FormUpload, created.upload), file)
    ready = finished(client, created.document.id)
    check(ready.status is DocumentStatus.READY, ready)
    check(ready.stages.text.result.pages == 1, ready.stages)

    is_a(FileEmptyProblem, announce(client, 0))

    second = is_a(CreatedDocument, announce(client, len(file)))
    page = is_a(Documents, documents_list.sync(client=client, limit=1))
    following = is_a(Documents, documents_list.sync(client=client, limit=1, cursor=page.next_cursor))
    ids = [document.id for document in (*page.documents, *following.documents)]
    check(ids == [second.document.id, created.document.id], ids)

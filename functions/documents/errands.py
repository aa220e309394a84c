"""The errands of documents: what the tour leaves out. Settings, schemas, an upload in parts, a webhook, cancelling,
deleting, and an administrator who tries to read what is in quarantine."""

import json
import secrets
import sys
import urllib.request
from contextlib import contextmanager

import boto3
import botocore.exceptions

from common import ROOT, call, client, outputs
from functions.auth import users
from functions.documents.tour import announce, upload, wait
from receiver import Receiver, sent_again, until

# What infra/local/least_privilege.py does not judge, with the reason: an action of all functions of documents, one
# action of one function, or a whole function.
UNJUDGED = {
    "s3:GetObjectVersionTagging": "reads the verdict of GuardDuty; the tour scans with clamd",
    "bedrock:InvokeModel": "the tour asks a model on this machine",
    "documents-on-malware-verdict dynamodb:GetItem": "needs an event of GuardDuty; the tour scans with clamd",
    "documents-on-malware-verdict sqs:SendMessage": "needs an event of GuardDuty; the tour scans with clamd",
    "documents-deliver-webhook sqs:SendMessage": "used for jobs that fail for good; the tests batches.rs have such jobs",
    "documents-purge sqs:SendMessage": "used for jobs that fail for good; the tests batches.rs have such jobs",
    "documents-deliver-webhook dynamodb:UpdateItem": "used only after a failure; the tests toolkit::webhooks have some",
    "documents-sweep": "works on documents that stand still for an hour; the tests of the pipeline call it",
    "documents-scan s3:PutObjectTagging": "S3 needs it to write tags with a copy; the emulator does not",
}
SCHEMA = {"type": "object", "properties": {"title": {"type": "string"}}, "required": ["title"]}


def announce_parts(api: str, token: str, file: bytes) -> str:
    """Announces a file that is uploaded in parts. Returns the URL of the document."""
    body = {"name": "parts.pdf", "size": len(file), "upload": "parts", "schema": "errand@1"}
    created = call("POST", f"{api}/v1/documents", body, token)
    return f"{api}/v1/documents/{created['document']['id']}"


def put_parts(url: str, token: str, file: bytes) -> None:
    """Puts the missing parts of a document's file."""
    for part in call("GET", f"{url}/parts", token=token)["missing"]:
        content = file[part["offset"] : part["offset"] + part["size"]]
        request = urllib.request.Request(part["url"], content, method="PUT")
        urllib.request.urlopen(request, timeout=30).close()


def upload_in_parts(api: str, token: str, file: bytes) -> str:
    """Uploads a file in parts. Returns the URL of the document."""
    url = announce_parts(api, token, file)
    put_parts(url, token, file)
    call("POST", f"{url}/parts/complete", {}, token)
    return url


def record(owner: str, document_url: str) -> dict | None:
    """The item of a document in the table, if there is one."""
    key = {"pk": {"S": f"USER#{owner}"}, "sk": {"S": f"DOC#{document_url.rsplit('/', 1)[1]}"}}
    table = outputs()["DocumentsTableName"]
    return client("dynamodb").get_item(TableName=table, Key=key, ConsistentRead=True).get("Item")


def objects(document_url: str) -> list[str]:
    """The keys of all versions of all objects of a document in the bucket."""
    name = document_url.rsplit("/", 1)[1]
    pages = client("s3").get_paginator("list_object_versions")
    pages = pages.paginate(Bucket=outputs()["DocumentsBucketName"])
    return [v["Key"] for page in pages for v in page.get("Versions", []) if name in v["Key"]]


@contextmanager
def administrator():
    """A client for S3 with the permission for every action of S3."""
    iam, name = client("iam"), f"administrator-{secrets.token_hex(4)}"
    iam.create_user(UserName=name)
    allow = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    iam.put_user_policy(UserName=name, PolicyName="s3", PolicyDocument=policy)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    try:
        yield boto3.client(
            "s3", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"]
        )
    finally:
        iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
        iam.delete_user_policy(UserName=name, PolicyName="s3")
        iam.delete_user(UserName=name)


def quarantine_holds(document_url: str) -> None:
    """Checks that an administrator can read neither an upload nor an unscanned file under `clean/`."""
    bucket, of_document = outputs()["DocumentsBucketName"], objects(document_url)
    upload = next(key for key in of_document if key.startswith("uploads/"))
    clean = next(key for key in of_document if key.startswith("clean/"))
    planted = "clean/planted.pdf"
    with administrator() as s3:
        assert s3.get_object(Bucket=bucket, Key=clean)["ContentLength"] > 0
        s3.put_object(Bucket=bucket, Key=planted, Body=b"not scanned")
        for key in (upload, planted):
            try:
                s3.get_object(Bucket=bucket, Key=key)
                sys.exit(f"An administrator could read {key}.")
            except botocore.exceptions.ClientError as error:
                assert error.response["Error"]["Code"] == "AccessDenied", error
        s3.delete_object(Bucket=bucket, Key=planted)


def run(api: str) -> None:
    """Runs the errands."""
    credentials, owner = users.register(api, "errands")
    token = users.sign_in(api, credentials)
    receiver = Receiver()

    settings = f"{api}/v1/document-settings"
    call("PUT", settings, {"webhook": {"url": receiver.url}}, token, if_match="*")
    assert call("PATCH", settings, {"policy": {"max_pages": 9}}, token, if_match="*")["policy"]["max_pages"] == 9
    assert call("GET", settings, token=token)["webhook"] == {"url": receiver.url}
    call("PUT", f"{api}/v1/document-schemas/errand@1", SCHEMA, token)

    content = (ROOT / "tests/pdf/statement.pdf").read_bytes() + secrets.token_hex(8).encode()
    url = upload_in_parts(api, token, content)
    document = wait(url, token)
    assert document["status"] == "ready", document
    with urllib.request.urlopen(document["file_url"], timeout=30) as file:
        assert file.read() == content
    until(lambda: receiver.messages, "The webhook")
    assert receiver.types()[0] == "document.ready"
    sent_again(f"{api}/v1/document-webhook", token, receiver)
    assert len(call("GET", f"{api}/v1/documents", token=token)["documents"]) == 1

    quarantine_holds(url)

    # The second document has the same bytes, so it gets the results of the first.
    again = upload_in_parts(api, token, content)
    assert wait(again, token)["stages"]["text"]["outcome"] == "reused"

    begun = announce_parts(api, token, content)
    assert call("POST", f"{begun}/cancel", {}, token)["status"] == "cancelled"
    until(lambda: "multipart" not in record(owner, begun), "The end of the upload in parts")

    late, form = announce(api, token, "late.pdf", content)
    for gone in (url, again, late):
        call("DELETE", gone, token=token)
        until(lambda: not record(owner, gone) and not objects(gone), f"The end of {gone}")
    # The form is still valid after the document is deleted.
    upload(form, content)
    until(lambda: not objects(late), "The end of the upload that came too late")
    print("Settings, schema, parts, webhook, quarantine, reuse, cancelling and deleting work.")

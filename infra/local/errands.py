"""What the tour leaves out. Of documents: settings, schemas, an upload in parts, a webhook, cancelling,
deleting, and an administrator who would read what is in quarantine. Of the checkout: see
errands_checkout.py.

    infra/local/run.sh local/errands.py [documents] [checkout]
"""

import json
import secrets
import sys
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import boto3
import botocore.exceptions

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import errands_checkout
import tour
from common import ROOT, api_url, client, outputs
from receiver import Receiver, sent_again, until

SCHEMA = {"type": "object", "properties": {"title": {"type": "string"}}, "required": ["title"]}


def announce_parts(api: str, token: str, file: bytes) -> str:
    """Announces a file that is to come in parts; gives the document's URL."""
    body = {"name": "parts.pdf", "size": len(file), "upload": "parts", "schema": "errand@1"}
    created = tour.call("POST", f"{api}/v1/documents", body, token)
    return f"{api}/v1/documents/{created['document']['id']}"


def upload_in_parts(api: str, token: str, file: bytes) -> str:
    """Uploads a file in parts; gives the document's URL."""
    url = announce_parts(api, token, file)
    for part in tour.call("GET", f"{url}/parts", token=token)["missing"]:
        content = file[part["offset"] : part["offset"] + part["size"]]
        request = urllib.request.Request(part["url"], content, method="PUT")
        urllib.request.urlopen(request, timeout=30).close()
    tour.call("POST", f"{url}/parts/complete", {}, token)
    return url


def record(owner: str, document_url: str) -> dict | None:
    """What the table has of a document."""
    key = {"pk": {"S": f"USER#{owner}"}, "sk": {"S": f"DOC#{document_url.rsplit('/', 1)[1]}"}}
    table = outputs()["DocumentsTableName"]
    return client("dynamodb").get_item(TableName=table, Key=key, ConsistentRead=True).get("Item")


def objects(document_url: str) -> list[str]:
    """The keys of all versions of all objects that the bucket has of a document."""
    name = document_url.rsplit("/", 1)[1]
    pages = client("s3").get_paginator("list_object_versions")
    pages = pages.paginate(Bucket=outputs()["DocumentsBucketName"])
    return [v["Key"] for page in pages for v in page.get("Versions", []) if name in v["Key"]]


@contextmanager
def administrator():
    """A client for S3 of somebody who may do anything with it."""
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
    """Nobody reads the upload of a document, nor a file among the clean ones that was not scanned."""
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
                sys.exit(f"an administrator could read {key}")
            except botocore.exceptions.ClientError as error:
                assert error.response["Error"]["Code"] == "AccessDenied", error
        s3.delete_object(Bucket=bucket, Key=planted)


def documents(api: str) -> None:
    """Runs those of documents."""
    email = f"errands-{secrets.token_hex(4)}@example.org"
    credentials = {"email": email, "password": "correct horse battery"}
    owner = tour.call("POST", f"{api}/v1/auth/register", credentials)["id"]
    token = tour.call("POST", f"{api}/v1/auth/login", credentials)["access_token"]
    receiver = Receiver()

    settings = f"{api}/v1/document-settings"
    tour.call("PUT", settings, {"webhook": {"url": receiver.url}}, token)
    assert tour.call("GET", settings, token=token)["webhook"] == {"url": receiver.url}
    tour.call("PUT", f"{api}/v1/document-schemas/errand@1", SCHEMA, token)

    content = (ROOT / "tests/pdf/statement.pdf").read_bytes() + secrets.token_hex(8).encode()
    url = upload_in_parts(api, token, content)
    document = tour.wait(url, token)
    assert document["status"] == "ready", document
    with urllib.request.urlopen(document["file_url"], timeout=30) as file:
        assert file.read() == content
    until(lambda: receiver.told, "the webhook")
    assert receiver.types()[0] == "document.ready"
    sent_again(f"{api}/v1/document-webhook", token, receiver)
    assert len(tour.call("GET", f"{api}/v1/documents", token=token)["documents"]) == 1

    quarantine_holds(url)

    # The same bytes again: results are copied.
    again = upload_in_parts(api, token, content)
    assert tour.wait(again, token)["stages"]["text"]["outcome"] == "reused"

    begun = announce_parts(api, token, content)
    assert tour.call("POST", f"{begun}/cancel", {}, token)["status"] == "cancelled"
    until(lambda: "multipart" not in record(owner, begun), "the end of an upload in parts")

    late, form = tour.announce(api, token, "late.pdf", content)
    for gone in (url, again, late):
        tour.call("DELETE", gone, token=token)
        until(lambda: not record(owner, gone) and not objects(gone), f"the end of {gone}")
    # The form is still good.
    tour.upload(form, content)
    until(lambda: not objects(late), "the end of what came too late")
    print("Settings, schema, parts, webhook, quarantine, reuse, cancelling and deleting work.")


if __name__ == "__main__":
    errands = {"documents": documents, "checkout": errands_checkout.run}
    for name in sys.argv[1:] or errands:
        errands[name](api_url())

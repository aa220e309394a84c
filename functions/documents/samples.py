"""What infra/local/check_api.py sends to documents besides what Schemathesis makes up: documents in several states, a
schema, and a webhook with a log."""

import secrets

from common import ROOT, call
from functions.documents.errands import SCHEMA, announce_parts, put_parts
from functions.documents.tour import announce, upload, wait
from receiver import until

# Rules that no schema can express, so a valid request may get these problems.
RULES = {
    "invalid-body": "a patch may lack what the first webhook needs",
    "file-too-large": "the limit is a parameter of the deployment",
    "invalid-name": "a name of dots or of spaces only is refused, which the pattern does not say",
    "invalid-schema": "what JSON Schema allows, and which parts of it are supported, is more than a schema can say",
    "invalid-webhook": "the host's name must resolve to a public address",
    "unknown-schema": "it depends on the schemas that the tenant has",
}
# The fields that a rule is about, if its type of problem is also used for others.
FIELDS = {"invalid-body": {"webhook.url"}}


def make(user) -> dict[str, list]:
    """Documents that wait for their file, one whose parts have come, and one that is ready."""
    api, token = user.api, user.token
    call("PUT", f"{api}/v1/document-schemas/errand@1", SCHEMA, token)
    call("PUT", f"{api}/v1/document-settings", {"webhook": {"url": user.receiver}}, token, if_match="*")
    file = (ROOT / "tests/pdf/statement.pdf").read_bytes() + secrets.token_hex(8).encode()
    ready, form = announce(api, token, "ready.pdf", file)
    upload(form, file)
    begun, whole = (announce_parts(api, token, file) for _ in range(2))
    put_parts(whole, token, file)
    cancelled, deleted = (announce(api, token, "sample.pdf", file)[0] for _ in range(2))
    wait(ready, token)
    log = lambda: call("GET", f"{api}/v1/document-webhook/deliveries", token=token)["deliveries"]
    until(log, "The log of the webhook")
    names = lambda *urls: [url.rsplit("/", 1)[1] for url in urls]
    return {
        "path.document_id": names(ready, begun),
        "documents-upload-parts path.document_id": names(begun),
        "documents-complete-upload path.document_id": names(whole),
        "documents-cancel path.document_id": names(cancelled),
        "documents-delete path.document_id": names(deleted),
        "documents-put-settings header.If-Match": ["*"],
        "documents-patch-settings header.If-Match": ["*"],
        "body.size": [1, 48_016],
        "body.schema": ["errand@1", "invoice@1"],
        "body.webhook.url": [user.receiver],
        "path.id": [log()[0]["id"]],
    }

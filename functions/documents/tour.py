"""The part of documents in the tour: from a file to the data in it, and what becomes of a file with malware."""

import hashlib
import json
import os
import secrets
import sys
import time
import urllib.error
import urllib.request
import zlib
from datetime import datetime

from clamd import EICAR
from common import ROOT, call

SAMPLE = ROOT / "tests" / "pdf" / "invoice-pdfa2b.pdf"
# A schema of the tenant's own. It is short, because the model of the local stack is small. The system brings four
# larger schemas: invoice@1, receipt@1, contract-summary@1 and cv@1.
SCHEMA = "invoice-head@1"
SCHEMA_DOCUMENT = {
    "type": "object",
    "title": "The head of an invoice",
    "properties": {
        "number": {"type": "string", "maxLength": 20, "description": "The invoice's number"},
        "issue_date": {"type": "string", "maxLength": 20, "description": "The day it was issued"},
        "seller": {"type": "string", "maxLength": 60, "description": "Who sells"},
        "total": {"type": "string", "maxLength": 20, "description": "The sum to pay"},
    },
}
# A small model on a small machine is slow.
READY_WITHIN_SECONDS = int(os.environ.get("READY_WITHIN_SECONDS", "240"))
# The states that no document leaves.
FINAL = ("ready", "rejected", "failed", "cancelled", "expired")


def upload(form: dict, file: bytes) -> None:
    """Posts the fields of the form to S3, and the file as the last part."""
    boundary = secrets.token_hex(16)
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in form["fields"].items()
    ]
    head = 'Content-Disposition: form-data; name="file"; filename="file.pdf"\r\n'
    head += "Content-Type: application/pdf\r\n\r\n"
    parts.append(f"--{boundary}\r\n{head}".encode() + file)
    body = b"".join(parts) + f"\r\n--{boundary}--\r\n".encode()
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    request = urllib.request.Request(form["url"], body, headers, method="POST")
    try:
        urllib.request.urlopen(request, timeout=30).close()
    except urllib.error.HTTPError as error:
        sys.exit(f"S3 answered {error.code}: {error.read().decode()}")


def announce(api: str, token: str, name: str, file: bytes, **wanted) -> tuple[str, dict]:
    """Announces a file. Returns the URL of the document and the form that uploads the file."""
    digest = hashlib.sha256(file).hexdigest()
    body = {"name": name, "size": len(file), "sha256": digest, **wanted}
    created = call("POST", f"{api}/v1/documents", body, token)
    return f"{api}/v1/documents/{created['document']['id']}", created["upload"]


def wait(url: str, token: str, show=lambda document: None) -> dict:
    """Waits until the document has a final status, and returns it. `show` is called with each version on the way."""
    deadline = time.monotonic() + READY_WITHIN_SECONDS
    while time.monotonic() < deadline:
        document = call("GET", url, token=token)
        show(document)
        if document["status"] in FINAL:
            return document
        time.sleep(0.2)
    sys.exit(f"The document was still {document['status']} after {READY_WITHIN_SECONDS} s.")


class Stages:
    """Prints the history of a document, each entry once."""

    def __init__(self) -> None:
        self.seen = 0

    def __call__(self, document: dict) -> None:
        for entry in document["history"][self.seen :]:
            stage, event = entry.get("stage", ""), entry["event"]
            done = document["stages"].get(stage)
            took = f"{milliseconds(done):6,} ms" if done and event != "waiting" else ""
            print(f"     {event:10} {stage:10}{took}", flush=True)
        self.seen = len(document["history"])


def milliseconds(done: dict) -> int:
    """How long the last attempt of a stage took."""
    start, end = (datetime.fromisoformat(done[name]) for name in ("started_at", "finished_at"))
    return round((end - start).total_seconds() * 1000)


def infected_pdf() -> bytes:
    """A PDF with the test file for scanners as a compressed attachment."""
    attachment = zlib.compress(EICAR, 9)
    objects = [
        b"<</Type/Catalog/Pages 2 0 R/Names<</EmbeddedFiles<</Names[(a.txt) 4 0 R]>>>>>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]/Resources<<>>>>",
        b"<</Type/Filespec/F(a.txt)/EF<</F 5 0 R>>>>",
        b"<</Type/EmbeddedFile/Filter/FlateDecode/Length %d>>\nstream\n%s\nendstream"
        % (len(attachment), attachment),
    ]
    pdf, offsets = b"%PDF-1.7\n", []
    for number, body in enumerate(objects, 1):
        offsets.append(len(pdf))
        pdf += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    entries = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    size = len(objects) + 1
    xref = b"xref\n0 %d\n0000000000 65535 f \n%s" % (size, entries)
    trailer = b"trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (size, len(pdf))
    return pdf + xref + trailer


def show_found(document: dict) -> None:
    """Prints the results of the stages."""
    stages = {name: done.get("result") or {} for name, done in document["stages"].items()}
    flags = [flag["code"] for flag in stages["validate"].get("flags", [])]
    pdfa, text = stages["pdfa"], stages["text"]
    verdict = "conforms" if pdfa["conforming"] else f"breaks {len(pdfa['failures'])} rules"
    print(f"     validate   PDF {stages['validate']['pdf_version']}, flags: {', '.join(flags) or 'none'}")
    print(f"     scan       clean, says {stages['scan']['engine']}")
    print(f"     pdfa       claims {pdfa.get('claimed', 'nothing')}; {verdict} as {pdfa['flavour']}")
    print(f"     text       {text['pages']} page, {text['words']:,} words, {text['title']!r}")
    structure = stages["structure"]
    if "values" in structure:
        print(
            f"     structure  {structure['values']} values by {structure['model']}, "
            f"{structure['grounded']} of them found in the text"
        )
        for field in document["data"]["fields"][:8]:
            where = f"page {field['place']['page']}" if field.get("place") else field["grounding"]
            print(f"                {field['pointer']:32} {json.dumps(field['value'])[:32]:34}{where}")


def take(tour) -> None:
    """Uploads an invoice and shows its data, then uploads a file with malware in it."""
    tour.step("Announce an invoice, and the schema of the data that is wanted")
    call("PUT", f"{tour.api}/v1/document-schemas/{SCHEMA}", SCHEMA_DOCUMENT, tour.token)
    invoice = SAMPLE.read_bytes()
    url, form = announce(tour.api, tour.token, SAMPLE.name, invoice, schema=SCHEMA)
    name = url.rsplit("/", 1)[1]
    print(f"     {name}  {SAMPLE.name}, {len(invoice):,} bytes, {SCHEMA}")

    tour.step("Upload it straight to S3")
    upload(form, invoice)
    print(f"     {form['url']}")

    tour.step("Stage by stage")
    document = wait(url, tour.token, Stages())
    if document["status"] != "ready":
        sys.exit(json.dumps(document.get("rejection") or document.get("failure")))
    show_found(document)

    tour.step("A file with malware in it")
    infected = infected_pdf()
    bad_url, form = announce(tour.api, tour.token, "infected.pdf", infected)
    upload(form, infected)
    rejected = wait(bad_url, tour.token, Stages())
    if rejected["status"] != "rejected":
        sys.exit(f"The file was not rejected: {json.dumps(rejected)}")
    print(f"     {rejected['rejection']['signature']}: {rejected['rejection']['explanation']}")

    user = '-H "authorization: Bearer $TOKEN"'
    tour.suggest(f'curl -s "$API/v1/documents" {user}')
    tour.suggest(f'curl -s "$API/v1/documents/{name}" {user} | python3 -m json.tool')

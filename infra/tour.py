"""The tour: what a user of the API does, from signing up to reading what is in a PDF."""

import json
import secrets
import sys
import time
import urllib.error
import urllib.request
from datetime import datetime
from pathlib import Path

from common import ROOT, api_url, say

SAMPLE = ROOT / "tests" / "pdf" / "x11-security.pdf"
READY_WITHIN_SECONDS = 60


def call(method: str, url: str, body=None, token: str | None = None) -> dict:
    """Calls the API; a problem document ends the tour."""
    headers = {"Content-Type": "application/json"}
    if body is not None:
        headers["Idempotency-Key"] = secrets.token_hex(16)
    if token:
        headers["Authorization"] = f"Bearer {token}"
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(url, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        sys.exit(f"{method} {url} answered {error.code}: {error.read().decode()}")


def upload(form: dict, file: Path) -> None:
    """Posts the file to S3 with the form's fields, the file last."""
    boundary = secrets.token_hex(16)
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in form["fields"].items()
    ]
    head = 'Content-Disposition: form-data; name="file"; filename="file.pdf"\r\n'
    head += "Content-Type: application/pdf\r\n\r\n"
    parts.append(f"--{boundary}\r\n{head}".encode() + file.read_bytes())
    body = b"".join(parts) + f"\r\n--{boundary}--\r\n".encode()
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    request = urllib.request.Request(form["url"], body, headers, method="POST")
    try:
        urllib.request.urlopen(request, timeout=30).close()
    except urllib.error.HTTPError as error:
        sys.exit(f"S3 answered {error.code}: {error.read().decode()}")


def wait(url: str, token: str, show=lambda status: None) -> dict:
    """The document, once it is ready or has failed; each status on the way is shown."""
    deadline, status = time.monotonic() + READY_WITHIN_SECONDS, None
    while time.monotonic() < deadline:
        document = call("GET", url, token=token)
        if document["status"] != status:
            status = document["status"]
            show(status)
        if status in ("ready", "failed"):
            return document
        time.sleep(0.2)
    sys.exit(f"The document was still {status} after {READY_WITHIN_SECONDS} s.")


def stages(document: dict) -> str:
    """How long each stage took."""
    names = ("created_at", "uploaded_at", "started_at", "finished_at")
    at = [datetime.fromisoformat(document[name]) for name in names]
    steps = [round((b - a).total_seconds() * 1000) for a, b in zip(at, at[1:])]
    return f"upload {steps[0]} ms, in the queue {steps[1]} ms, processing {steps[2]} ms"


def main() -> None:
    """Takes the tour."""
    api = api_url()
    email, password = f"tour-{secrets.token_hex(4)}@example.org", "correct horse battery"

    say("1  Register and sign in")
    user = call("POST", f"{api}/v1/auth/register", {"email": email, "password": password})
    print(f"     {user['id']}  {email}")
    answer = call("POST", f"{api}/v1/auth/login", {"email": email, "password": password})
    token = answer["access_token"]
    print(f"     an access token for {answer['expires_in'] // 60} minutes: {token[:24]}…")

    say("2  Announce a document")
    size = SAMPLE.stat().st_size
    created = call("POST", f"{api}/v1/documents", {"name": SAMPLE.name, "size": size}, token)
    url = f"{api}/v1/documents/{created['document']['id']}"
    print(f"     {created['document']['id']}  {SAMPLE.name}, {size:,} bytes")

    say("3  Upload it straight to S3")
    upload(created["upload"], SAMPLE)
    print(f"     {created['upload']['url']}")

    say("4  S3 tells a function, a queue tells another")
    document = wait(url, token, lambda status: print(f"     {status}", flush=True))
    if document["status"] == "failed":
        sys.exit(document["failure"]["detail"])

    contents = document["contents"]
    say("5  What is in it")
    print(f"     title   {contents['title']}")
    print(f"     pages   {contents['pages']}")
    print(f"     words   {contents['words']:,}")
    print(f"     took    {stages(document)}")
    with urllib.request.urlopen(document["text_url"], timeout=30) as text:
        lines = [line for line in text.read().decode().splitlines() if line.strip()]
    print("     text    " + "\n             ".join(lines[:5]))

    say("\nThe API is at")
    print(f"     {api}")
    say("Try")
    credentials = json.dumps({"email": email, "password": password})
    print(f"  API='{api}'; TOKEN=$(curl -s \"$API/v1/auth/login\" -H 'content-type: application/json' -d '{credentials}' | python3 -c 'import json,sys; print(json.load(sys.stdin)[\"access_token\"])')")
    print("  curl -s \"$API/v1/documents\" -H \"authorization: Bearer $TOKEN\"")
    print(f"  curl -s \"$API/v1/documents/{document['id']}\" -H \"authorization: Bearer $TOKEN\"")


if __name__ == "__main__":
    main()

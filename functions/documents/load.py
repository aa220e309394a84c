"""Uploads many documents at once, and prints how long each stage took.

    infra/local/run.sh functions/documents/load.py [200]

Half of the documents are new files. The other half repeat a few files, and their results are used again. Every tenth
file is no PDF, and its document is rejected.
"""

import secrets
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from common import ROOT, api_url, call, say
from functions.auth import users
from functions.documents import tour

# This is less than the number of documents that a user may announce at once.
PER_USER = 50
# How many documents are uploaded at the same time.
SENDERS = 16
SAMPLES = ("statement.pdf", "x11-security.pdf", "invoice-pdfa2b.pdf", "field-report.pdf")
STAGES = ("validate", "scan", "pdfa", "text", "structure")


def file(number: int) -> bytes:
    """The file with this number."""
    if number % 10 == 9:
        return b"no PDF at all " * 100
    content = (ROOT / "tests/pdf" / SAMPLES[number % len(SAMPLES)]).read_bytes()
    # A comment after the end makes it a new file.
    return content + f"\n% {secrets.token_hex(8)}\n".encode() if number % 2 else content


def at(text: str) -> float:
    """An RFC 3339 time, in seconds."""
    return datetime.fromisoformat(text).timestamp()


def send(job: tuple[str, str, int]) -> tuple[str, str]:
    """Announces and uploads one document. Returns its URL and the token of its owner."""
    api, token, number = job
    content = file(number)
    url, form = tour.announce(api, token, f"{number}.pdf", content)
    tour.upload(form, content)
    return url, token


def wait(api: str, tokens: list[str]) -> None:
    """Waits until all documents have a final status. It sends few requests, because they use the machine too."""
    for token in tokens:
        while True:
            page = call("GET", f"{api}/v1/documents?limit=100", token=token)
            if all(document["status"] in tour.FINAL for document in page["documents"]):
                break
            time.sleep(1)


def row(name: str, waits: list[float], times: list[float]) -> str:
    """A row of the table, in milliseconds."""

    def quantiles(values: list[float]) -> tuple[float, float]:
        cut = statistics.quantiles(values, n=20) if len(values) > 1 else values * 20
        return statistics.median(values) * 1000, cut[18] * 1000

    (wait50, wait95), (time50, time95) = quantiles(waits), quantiles(times)
    return f"{name:10}{len(times):6}{wait50:10,.0f}{wait95:10,.0f}{time50:10,.0f}{time95:10,.0f}"


def main() -> None:
    """Uploads, waits and prints."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    api = api_url()
    with ThreadPoolExecutor(max_workers=4) as pool:
        tokens = list(pool.map(lambda _: users.new(api, "load"), range(-(-count // PER_USER))))
    jobs = [(api, tokens[number // PER_USER], number) for number in range(count)]
    start = time.time()
    with ThreadPoolExecutor(max_workers=SENDERS) as pool:
        sent = list(pool.map(send, jobs))
    uploaded = time.time() - start
    wait(api, tokens)
    seconds = time.time() - start
    documents = [call("GET", url, token=token) for url, token in sent]

    ends = {}
    for document in documents:
        ends[document["status"]] = ends.get(document["status"], 0) + 1
    say(f"{count} documents in {seconds:.1f} s, {count / seconds:.1f} a second: {ends}")
    print(f"uploaded within {uploaded:.1f} s, {SENDERS} at the same time")
    print(f"{'':10}{'':6}{'in the queue, ms':>20}{'at work, ms':>20}")
    print(f"{'stage':10}{'count':>6}{'p50':>10}{'p95':>10}{'p50':>10}{'p95':>10}")
    for stage, before in zip(STAGES, (None, *STAGES)):
        waits, times = [], []
        for document in documents:
            done = document["stages"].get(stage)
            if done:
                ready = document["stages"][before]["finished_at"] if before else document["uploaded_at"]
                waits.append(at(done["started_at"]) - at(ready))
                times.append(at(done["finished_at"]) - at(done["started_at"]))
        if times:
            print(row(stage, waits, times))
    whole = [at(d["finished_at"]) - at(d["uploaded_at"]) for d in documents]
    print(row("all", [0.0] * len(whole), whole))
    unknown = set(ends) - {"ready", "rejected"}
    if unknown:
        sys.exit(f"Some documents have an unexpected status: {unknown}")


if __name__ == "__main__":
    main()
